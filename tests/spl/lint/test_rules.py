"""Lint: cases of what it finds and of what it must not find; every rule has a case and a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from escudo.core.schema import RAW_COLUMNS, RAW_REST, Column, TableSchema
from escudo.core.timerange import TimeRange
from escudo.spl.lint import RULES, lint_search
from escudo.spl.syntax.codes import CODES
from tests.spl.knowledge import Book
from tests.yaml_file import read_yaml

_NAMES = ("dest", "user", "process", "process_name", "parent_process_name", "action")
PROCESSES = TableSchema(
    "processes",
    (*RAW_COLUMNS[:7], *(Column(n, physical=n) for n in _NAMES)),
    values={"action": frozenset({"allowed"})},
)
RAW = TableSchema(
    "raw_any",
    (*RAW_COLUMNS, *(Column(n, physical=n) for n in ("EventCode", "user"))),
    rest=RAW_REST,
)


ORIGINS = {"sourcetype": frozenset({"x"}), "index": frozenset({"main"})}


@dataclass(frozen=True)
class Shelf:
    """A catalog of one data model and one raw table, without files. ``values`` bounds the fields of
    the raw table; without it a source type x and the index main are all there is."""

    values: Mapping[str, frozenset[str]] = field(default_factory=lambda: ORIGINS)

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None:
        known = model.lower() == "endpoint" and (dataset or "processes").lower() == "processes"
        return PROCESSES if known else None

    def datasets(self) -> Sequence[tuple[str, str]]:
        return (("Endpoint", "Processes"),)

    def raw_tables(self) -> Sequence[TableSchema]:
        return (replace(RAW, values=self.values),)

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        return ()


BOOK = Book().define("sysmon", "sourcetype=x")
CASES = read_yaml(Path(__file__).with_name("rules.yml"))


def _shown(expected: dict[str, Any]) -> tuple[str, ...]:
    severity = expected.get("severity", "warning")
    return (expected["code"], expected["at"], severity, expected["message"], expected.get("hint"))


def _values(case: dict[str, Any]) -> Mapping[str, frozenset[str]]:
    return {n: frozenset(values) for n, values in case.get("table", ORIGINS).items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_findings(case: dict[str, Any]) -> None:
    found = [
        (d.code, str(d.span), str(d.severity), d.message, d.hint)
        for d in lint_search(case["spl"], Shelf(_values(case)), BOOK)
    ]
    assert sorted(found) == sorted(_shown(f) for f in case["findings"])


def test_findings_come_in_the_order_of_the_text() -> None:
    found = lint_search("EventCode=1 or EventCode=2", Shelf(), BOOK)
    assert [d.span.column for d in found if d.span] == [13, 16]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_rule_has_a_code_a_page_and_a_case(rule: Any) -> None:
    assert rule.row is CODES[rule.code]
    assert len(rule.doc.split()) > 10
    assert any(f["code"] == rule.code for case in CASES for f in case["findings"])
