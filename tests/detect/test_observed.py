"""What the fields of a table hold rules out its part of a search over all events, and no row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escudo import content
from escudo.core.schema import Column, FieldType, TableSchema
from escudo.core.timerange import ALL_TIME
from escudo.detect.observed import MOST_VALUES, observe
from escudo.engines.execute import run_search
from escudo.spl.compile import compile_search
from tests.conformance.catalog import NOW, RowsCatalog
from tests.shared_engine import engine_over

KNOWLEDGE = content.load().knowledge


def make_catalog(folder: Path, tables: Mapping[str, list[dict[str, Any]]]) -> RowsCatalog:
    """Tables of events; in each ``EventCode`` is its ``EventID`` by another name."""
    made = RowsCatalog(folder)
    for name, rows in tables.items():
        made.events([{"_time": NOW - 60, **row} for row in rows], table=name)
    alias = Column("EventCode", FieldType.STRING, expr="EventID")
    made.raw = [
        TableSchema(t.table, (*t.columns, alias), t.rest, t.constraint, t.values) for t in made.raw
    ]
    return made


SYSMON = [{"EventID": str(n), "source": "Sysmon", "a": "x"} for n in (1, 3, 10)]
SECURITY = [{"EventID": str(n), "source": "Security", "a": "y"} for n in (4624, 4688, 10)]


def list_scanned(search: str, catalog: RowsCatalog) -> set[str]:
    """The tables that a search reads once the catalog is observed."""
    engine = engine_over(catalog)
    compiled = compile_search(search, observe(catalog, engine), KNOWLEDGE, now=NOW, runner=engine)
    return {scan.schema.table for scan in compiled.scans}


@pytest.mark.parametrize(
    ("search", "tables"),
    [
        ("index=* EventCode=4688", {"security"}),
        ("index=* EventID=1", {"sysmon"}),
        ("index=* EventCode=10", {"sysmon", "security"}),
        ("index=* EventCode IN (3, 4624)", {"sysmon", "security"}),
        ("index=* source=sec*", {"security"}),
        ("index=* source!=Sysmon EventCode=10", {"security"}),
        ("index=* EventCode=7 OR a=y", {"sysmon", "security"}),
        ("index=* NOT EventCode=1", {"sysmon", "security"}),
    ],
)
def test_tables_that_hold_no_such_event_are_not_read(
    search: str, tables: set[str], tmp_path: Path
) -> None:
    catalog = make_catalog(tmp_path, {"sysmon": SYSMON, "security": SECURITY})
    assert list_scanned(search, catalog) == tables


def test_a_field_of_many_values_says_nothing(tmp_path: Path) -> None:
    rows = [{"EventID": str(n), "source": "s"} for n in range(MOST_VALUES + 1)]
    catalog = make_catalog(tmp_path, {"many": rows})
    (schema,) = observe(catalog, engine_over(catalog)).raw_tables()
    assert set(schema.values) >= {"source"}
    assert not {"EventID", "EventCode"} & set(schema.values)


_EVENT = st.fixed_dictionaries(
    {"EventID": st.sampled_from([None, "1", "10", "a"]), "source": st.sampled_from(["p", "Q"])}
)
_CONDITION = st.sampled_from(
    [
        "EventCode=1",
        "EventCode!=1",
        "NOT EventID=1",
        "source=q",
        "EventID=*",
        "NOT source=P",
        "EventCode>5",
        "source IN (p, q)",
        "EventID=1*",
        "NOT EventCode=*",
        "a",
    ]
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(_EVENT, min_size=1, max_size=4),
    st.lists(_EVENT, min_size=1, max_size=4),
    st.lists(_CONDITION, min_size=1, max_size=3),
    st.sampled_from([" ", " OR "]),
)
def test_the_rows_are_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    first: list[dict[str, Any]],
    second: list[dict[str, Any]],
    conditions: list[str],
    between: str,
) -> None:
    folder = tmp_path_factory.mktemp("observed")
    catalog = make_catalog(folder, {"one": first, "two": second})
    engine = engine_over(catalog)
    search = f"index=* ({between.join(conditions)}) | stats count BY source, EventCode"
    rows = [
        run_search(search, engine, c, KNOWLEDGE, now=NOW, within=ALL_TIME).table.to_pylist()
        for c in (catalog, observe(catalog, engine))
    ]
    assert rows[0] == rows[1]
