"""Search expressions as SQL, against a plain evaluator of SPL's matching rules."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from escudo.core.errors import Span
from escudo.core.schema import FieldType
from escudo.engines.duckdb import connect
from escudo.spl.lowering.lower_search import SEARCH, TSTATS, Rules, lower_search, matches
from escudo.spl.relation.sql import all_hold, any_holds, is_false, is_true, negate
from escudo.spl.relation.values import Bound, Typed
from escudo.spl.syntax.ast import (
    And,
    Compare,
    InList,
    Not,
    Or,
    SearchExpr,
    SubsearchTerm,
    Term,
    Value,
)
from escudo.spl.syntax.parse_search import parse_search

FIELDS = {"a": FieldType.STRING, "b": FieldType.STRING, "n": FieldType.NUMBER}
Row = dict[str, str | float | list[str] | None]


@dataclass
class Fields:
    """Columns of a table made by hand; ``a`` has a lower-cased copy."""

    kinds: dict[str, FieldType] = field(
        default_factory=lambda: {**FIELDS, "m": FieldType.MULTIVALUE, "_raw": FieldType.STRING}
    )
    values: dict[str, frozenset[str]] = field(default_factory=dict)
    now: float = 0.0
    zone: tzinfo = UTC

    def bound(self, name: str) -> Bound | None:
        if name not in self.kinds:
            return None
        return Bound(name, self.kinds[name], lower="a_lower" if name == "a" else None)

    def field(self, name: str) -> Typed | None:
        found = self.bound(name)
        return found.typed() if found else None

    def possible(self, name: str) -> frozenset[str] | None:
        return self.values.get(name)

    def subsearch(self, term: SubsearchTerm) -> SearchExpr | None:
        return None

    def warn(self, code: str, message: str, span: Span | None) -> None:
        raise AssertionError(message)


def sql_of(text: str, rules: Rules = SEARCH, **values: frozenset[str]) -> str:
    return lower_search(parse_search(text), Fields(values=values), rules).sql("duckdb")


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("a=Cmd.exe", "\"a_lower\" = 'cmd.exe'"),
        ("b=Cmd.exe", "LOWER(\"b\") = 'cmd.exe'"),
        ("b=4688", "\"b\" = '4688'"),
        ("b=CASE(Cmd)", "\"b\" = 'Cmd'"),
        ("n=5", '"n" = 5e0'),
        ("n=abc", "FALSE"),
        ("n=5.0", "FALSE"),
        ("a IN (x, Y, x)", "\"a_lower\" IN ('x', 'y')"),
        ('a="*X*"', "CONTAINS(\"a_lower\", 'x')"),
        ("a=*", 'NOT "a" IS NULL'),
        ("a!=*", "FALSE"),
        ("nosuch=1", "FALSE"),
        ("NOT nosuch=1", "TRUE"),
        ("nosuch=1 OR a=x", "\"a_lower\" = 'x'"),
        ("nosuch=1 a=x", "FALSE"),
        ("NOT a=x", "NOT COALESCE(\"a_lower\" = 'x', FALSE)"),
        ("index=*", "TRUE"),
        ("*", "TRUE"),
    ],
)
def test_sql(text: str, sql: str) -> None:
    assert sql_of(text) == sql


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("b=x", "FALSE"),
        ("b=Sysmon", 'NOT "b" IS NULL'),
        ('b="sys*"', 'NOT "b" IS NULL'),
        ("b!=sysmon", "FALSE"),
        ("NOT b=x", "TRUE"),
        ("b=x OR a=y", "\"a_lower\" = 'y'"),
    ],
)
def test_what_a_table_cannot_hold_folds(text: str, sql: str) -> None:
    assert sql_of(text, b=frozenset({"Sysmon"})) == sql


def test_addresses_match_networks_in_search_only() -> None:
    assert "IPV4" in sql_of('b="10.0.0.0/8"').upper()
    assert sql_of('b="10.0.0.0/8"', TSTATS) == "\"b\" = '10.0.0.0/8'"


# --- against a plain evaluator ----------------------------------------------------------------

_TEXTS = st.sampled_from(["", "a", "A", "ab", "Ab", "b*", "a.b", "1", "01", "1.0", "10", "9", "%"])
_PATTERNS = st.sampled_from(["a", "A*", "*b", "a*b", "*", "1", "10", "*.*", "%", "_", "b\\", ""])


def _leaf() -> st.SearchStrategy[SearchExpr]:
    name = st.sampled_from(["a", "b", "m", "nosuch"])
    value = st.builds(Value, _PATTERNS, exact_case=st.booleans())
    compare = st.builds(Compare, name, st.sampled_from(["=", "!="]), value)
    order = st.builds(
        Compare, name, st.sampled_from(["<", "<=", ">", ">="]), st.builds(Value, _TEXTS)
    )
    listed = st.builds(InList, name, st.lists(value, min_size=1, max_size=3).map(tuple))
    return st.one_of(compare, order, listed)


def _trees() -> st.SearchStrategy[SearchExpr]:
    return st.recursive(
        _leaf(),
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.builds(And, st.lists(inner, min_size=1, max_size=3).map(tuple)),
            st.builds(Or, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        ),
        max_leaves=6,
    )


_ROWS = st.fixed_dictionaries(
    {
        "a": st.none() | _TEXTS,
        "b": st.none() | _TEXTS,
        "m": st.none() | st.lists(_TEXTS, min_size=1, max_size=3),
    }
)


def holds(expr: SearchExpr, row: Row) -> bool:
    match expr:
        case And(operands):
            return all(holds(o, row) for o in operands)
        case Or(operands):
            return any(holds(o, row) for o in operands)
        case Not(operand):
            return not holds(operand, row)
        case InList(name, values):
            return any(holds(Compare(name, "=", v), row) for v in values)
        case Compare(name, op, value):
            cell = row.get(name)
            cells = cell if isinstance(cell, list) else [] if cell is None else [str(cell)]
            if set(value.text) == {"*"}:
                return bool(cells) and op == "="
            return any(_compare(c, op, value) for c in cells)
        case _:
            raise AssertionError(expr)


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def _compare(cell: str, op: str, value: Value) -> bool:
    if op in ("=", "!="):
        return match_text(value, cell) == (op == "=")
    left: float | str
    right: float | str
    if _NUMBER.fullmatch(cell) and _NUMBER.fullmatch(value.text):
        left, right = float(cell), float(value.text)
        signs = (left > right) - (left < right)
    else:
        fold = any(c.isalpha() for c in value.text)
        left, right = (cell.lower(), value.text.lower()) if fold else (cell, value.text)
        signs = (left > right) - (left < right)
    return {"<": signs < 0, "<=": signs <= 0, ">": signs > 0, ">=": signs >= 0}[op]


def match_text(value: Value, cell: str) -> bool:
    flags = re.DOTALL if value.exact_case else re.DOTALL | re.IGNORECASE
    pattern = ".*".join(re.escape(p) for p in value.text.split("*"))
    return re.fullmatch(pattern, cell, flags) is not None


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return connect(threads=1)


@pytest.mark.slow
@given(_trees(), st.lists(_ROWS, min_size=1, max_size=4))
@settings(max_examples=250, deadline=None)
def test_trees_hold_as_a_plain_evaluator_says(
    connection: duckdb.DuckDBPyConnection, tree: SearchExpr, rows: list[Row]
) -> None:
    condition = lower_search(tree, Fields())
    values = []
    for i, row in enumerate(rows):
        a, b, m = row["a"], row["b"], row["m"]
        lowered = a.lower() if isinstance(a, str) else None
        values.append((i, a, lowered, b, m))
    columns = '(i, "a", "a_lower", "b", "m")'
    types = ["INT", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR[]"]
    cells = ", ".join(f"CAST(? AS {t})" for t in types)
    table = ", ".join(f"({cells})" for _ in values)
    query = f"SELECT i FROM (VALUES {table}) AS t {columns} WHERE {condition.sql('duckdb')}"
    found = connection.execute(query, [c for v in values for c in v]).fetchall()
    assert sorted(i for (i,) in found) == [i for i, r in enumerate(rows) if holds(tree, r)]


@given(_PATTERNS, _TEXTS, st.booleans())
def test_reference_of_wildcards(pattern: str, text: str, exact: bool) -> None:
    value = Value(pattern, exact_case=exact)
    assert matches(value, text) == match_text(value, text)


@pytest.mark.parametrize(
    ("term", "raw", "found"),
    [
        ("failed", "Login FAILED.", True),
        ("fail", "login failed", False),
        ("fail*", "login failed", True),
        ("*ailed", "login failed", True),
        ("10.0.0.1", "src=10.0.0.1 x", True),
        ("0.0.1", "src=10.0.0.1", True),
        ("0.0.0.1", "src=10.0.0.1", False),
        ('"user x"', "user  x", False),
        ('"user x"', "the user x.", True),
        ("TERM(10.0.0.1)", "src=10.0.0.1", False),
        ("TERM(10.0.0.1)", "src 10.0.0.1 x", True),
        ("CASE(Failed)", "failed", False),
        ("f*d", "foo bad", False),
        ("f*d", "faced", True),
    ],
)
def test_terms(connection: duckdb.DuckDBPyConnection, term: str, raw: str, found: bool) -> None:
    expr = parse_search(term)
    assert isinstance(expr, Term)
    condition = lower_search(expr, Fields()).sql("duckdb")
    query = f'SELECT count(*) FROM (SELECT CAST(? AS VARCHAR) AS "_raw") WHERE {condition}'
    assert connection.execute(query, [raw]).fetchone() == (int(found),)


def test_three_valued_connectives_fold() -> None:
    a = exp.column("a")
    assert is_true(any_holds([a, exp.true()]))
    assert is_false(all_hold([a, exp.false()]))
    assert all_hold([a, exp.true()]) is a
    assert is_true(negate(exp.false()))
