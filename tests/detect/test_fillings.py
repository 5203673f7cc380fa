"""Conditions on rows that hold only certain texts: whether any row can meet them."""

from __future__ import annotations

import pytest
import sqlglot

from escudo.actions.engines import make_engines
from escudo.core.catalog import CatalogView
from escudo.core.schema import RAW_REST, FieldType
from escudo.detect.fillings import NEVER, Filling, Judge
from escudo.lake import Lake

HELD: dict[str, Filling] = {
    "user": None,
    "action": frozenset({"allowed", "Blocked"}),
    "gone": NEVER,
    "tag": frozenset({"web", "proxy"}),
}


class Rows:
    """Rows of the columns of ``HELD``, with one key in the rest map."""

    def column(self, name: str) -> Filling:
        return HELD[name]

    def key(self, name: str) -> Filling:
        return None if name == "known" else NEVER

    def kind(self, name: str) -> FieldType:
        return FieldType.MULTIVALUE if name == "tag" else FieldType.STRING


@pytest.fixture(scope="module")
def judge() -> Judge:
    with Lake.create_temporary() as lake:
        return Judge(make_engines("duckdb")(CatalogView(lake.snapshot())), RAW_REST)


@pytest.mark.parametrize(
    ("condition", "obstacle"),
    [
        ("\"user\" = 'x'", None),
        ("\"gone\" = 'x'", {"gone"}),
        ("\"user\" = 'x' AND \"gone\" = 'x'", {"gone"}),
        ("\"user\" = 'x' OR \"gone\" = 'x'", None),
        ('NOT "gone" IS NULL', {"gone"}),
        ('"gone" IS NULL', None),
        ("NOT \"gone\" = 'x'", {"gone"}),  # null, as SQL has it
        ("NOT COALESCE(\"gone\" = 'x', FALSE)", None),  # as SPL has it
        ('COALESCE("gone", "user") = \'x\'', None),
        ("LOWER(\"action\") = 'blocked'", None),
        ("\"action\" = 'blocked'", {"action"}),  # case counts here
        ("\"action\" LIKE 'all%'", None),
        ("\"action\" LIKE 'none%'", {"action"}),
        ("LOWER(\"action\") IN ('denied', 'blocked')", None),
        ("LIST_CONTAINS(\"tag\", 'proxy')", None),
        ("LIST_CONTAINS(\"tag\", 'dns')", {"tag"}),
        ("CASE WHEN \"gone\" = 'x' THEN 'a' ELSE NULL END = 'a'", {"gone"}),
        ("CASE WHEN \"gone\" = 'x' THEN 'a' ELSE \"user\" END = 'a'", None),
        (f"\"{RAW_REST}\"['known'] = 'x'", None),
        (f"LOWER(\"{RAW_REST}\"['other']) = 'x'", {"other"}),
        ("TRUE", None),
        ("FALSE", set()),
        ("CAST(NULL AS BOOLEAN)", set()),
    ],
)
def test_obstacles(judge: Judge, condition: str, obstacle: set[str] | None) -> None:
    sql = sqlglot.parse_one(condition, dialect="duckdb")
    assert isinstance(sql, sqlglot.exp.Expression)
    assert judge.find_obstacle(sql, Rows()) == obstacle
