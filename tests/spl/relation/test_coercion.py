"""Values as SQL of another type: against plain Python, and the form of the SQL."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.engines.duckdb import connect
from escudo.spl.relation.coercion import convert_to
from escudo.spl.relation.sql import literal_number, literal_text, prelude_call
from escudo.spl.relation.values import (
    Typed,
    is_numeric_text,
    null_value,
    number_text,
    number_value,
    text_value,
)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return connect(threads=1)


def value(connection: duckdb.DuckDBPyConnection, sql: exp.Expression) -> object:
    row = connection.execute(exp.Select(expressions=[sql]).sql("duckdb")).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(number=st.floats(allow_nan=False, allow_infinity=False, min_value=-1e30, max_value=1e30))
def test_numbers_print_alike_in_python_and_sql(
    connection: duckdb.DuckDBPyConnection, number: float
) -> None:
    sql = prelude_call("spl_text", exp.cast(literal_number(number), "double"))
    assert value(connection, sql) == number_text(number).replace("-0", "0", number == 0)


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet="0123456789.+-eE_x ", max_size=7))
def test_text_is_a_number_alike_in_python_and_sql(
    connection: duckdb.DuckDBPyConnection, text: str
) -> None:
    found = value(connection, prelude_call("spl_num", literal_text(text)))
    assert (found is not None) is is_numeric_text(text)


S = Typed(exp.column("s"), FieldType.STRING)
N = Typed(exp.column("n"), FieldType.NUMBER)
I = Typed(exp.column("i"), FieldType.INTEGER)  # noqa: E741
B = Typed(exp.column("b"), FieldType.BOOLEAN)
M = Typed(exp.column("m"), FieldType.MULTIVALUE)


@pytest.mark.parametrize(
    ("source", "kind", "sql"),
    [
        (S, FieldType.STRING, "s"),
        (N, FieldType.STRING, "SPL_TEXT(n)"),
        (I, FieldType.STRING, "CAST(i AS TEXT)"),
        (B, FieldType.STRING, "SPL_BOOL_TEXT(b)"),
        (M, FieldType.STRING, "SPL_SINGLE(m)"),
        (S, FieldType.NUMBER, "SPL_NUM(s)"),
        (N, FieldType.NUMBER, "n"),
        (I, FieldType.NUMBER, "CAST(i AS DOUBLE)"),
        (M, FieldType.NUMBER, "SPL_NUM(SPL_SINGLE(m))"),
        (S, FieldType.INTEGER, "SPL_INT(SPL_NUM(s))"),
        (S, FieldType.BOOLEAN, "SPL_BOOL(s)"),
        (N, FieldType.BOOLEAN, "n <> 0e0"),
        (S, FieldType.MULTIVALUE, "SPL_LIST(s)"),
        (M, FieldType.MULTIVALUE, "m"),
        (number_value(5), FieldType.STRING, "'5'"),
        (text_value("5"), FieldType.NUMBER, "5e0"),
        (text_value("x"), FieldType.NUMBER, "CAST(NULL AS DOUBLE)"),
        (null_value(), FieldType.MULTIVALUE, "CAST(NULL AS TEXT[])"),
    ],
)
def test_conversions(source: Typed, kind: FieldType, sql: str) -> None:
    assert convert_to(source, kind).sql("duckdb") == sql
