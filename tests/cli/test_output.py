"""Rows as the commands write them."""

from __future__ import annotations

import io
import json

import orjson
from hypothesis import given
from hypothesis import strategies as st

from escudo.cli.output import write_rows

VALUES = st.none() | st.text() | st.integers(-(2**53), 2**53) | st.lists(st.text(), max_size=3)
ROWS = st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=4)


@given(ROWS)
def test_an_array_written_row_by_row_is_the_array(rows: list[dict[str, object]]) -> None:
    out = io.StringIO()
    assert write_rows(iter(rows), (), "json", out=out) == len(rows)
    assert out.getvalue() == orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode() + "\n"


@given(ROWS)
def test_each_line_is_a_row(rows: list[dict[str, object]]) -> None:
    out = io.StringIO()
    assert write_rows(iter(rows), (), "jsonl", out=out) == len(rows)
    assert [json.loads(line) for line in out.getvalue().split("\n")[:-1]] == rows
