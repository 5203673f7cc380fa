"""Rows on a terminal: columns that fit, events with their text, a field a line."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from escudo.cli.row_view import Layout, fit_columns, show_rows
from escudo.cli.terminal import SafeConsole

TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs", "Cc")), max_size=60)
ROWS = st.lists(st.dictionaries(st.sampled_from("abcdefgh"), TEXTS, max_size=8), max_size=5)


def shown(rows: list[dict[str, object]], layout: Layout = Layout.AUTO, width: int = 80) -> str:
    out = io.StringIO()
    fields = list(dict.fromkeys(name for row in rows for name in row))
    show_rows(rows, fields, SafeConsole(out, width=width), layout)
    return out.getvalue()


@pytest.mark.slow
@given(ROWS, st.sampled_from(list(Layout)), st.sampled_from([40, 80, 200]))
def test_no_line_is_longer_than_the_terminal(
    rows: list[dict[str, object]], layout: Layout, width: int
) -> None:
    text = shown(rows, layout, width)
    assert max(map(cell_len, text.splitlines()), default=0) <= width
    assert not {c for c in text if ord(c) < 32} - {"\n"}


def test_rows_that_fit_are_shown_whole() -> None:
    text = shown([{"host": "ws01", "count": 3}, {"host": "ws02", "count": 12}])
    assert [line.split() for line in text.splitlines()[3:5]] == [
        ["│ws01", "│", "3", "│"],
        ["│ws02", "│", "12", "│"],
    ]
    assert "left out" not in text


def test_columns_that_do_not_fit_are_named() -> None:
    row: dict[str, object] = {f"field{n}": "v" * 30 for n in range(9)}
    text = shown([row])
    # 80 = 4 columns of 14 and more + 5 borders + 6 blanks; a fifth would need 84
    assert (
        "5 of 9 columns do not fit 80 characters: field4, field5, field6, field7, field8;" in text
    )
    assert "| table FIELD ..." in text.replace("\n", " ")
    assert "--layout" in text
    wide = shown([row], width=400)
    assert "do not fit" not in wide
    assert "field8" in wide


def test_a_narrow_column_behind_wide_ones_stays() -> None:
    row: dict[str, object] = {f"field{n}": "v" * 30 for n in range(6)} | {"n": 7}
    assert list(fit_columns([row], list(row), 80).widths)[-1] == "n"


def test_a_time_is_not_folded() -> None:
    time = "2024-05-14T08:00:00.000+02:00"
    row: dict[str, object] = {"_time": time} | {f"field{n}": "v" * 60 for n in range(3)}
    assert f"│{time} │" in shown([row])


def test_columns_without_a_value_go_first() -> None:
    rows: list[dict[str, object]] = [{f"f{n}": "v" * 20 for n in range(4)}]
    fields = [f"e{n}" for n in range(40)] + list(rows[0])
    out = io.StringIO()
    show_rows(rows, fields, SafeConsole(out, width=80), Layout.TABLE)
    assert "40 columns without a value are left out" in out.getvalue()
    assert "do not fit" not in out.getvalue()


def test_an_event_has_a_line_of_its_own_and_its_text_below() -> None:
    event: dict[str, object] = {f"field{n}": "v" * 30 for n in range(20)} | {
        "_time": "2024-05-14T08:00:00.000Z",
        "host": "ws01",
        "source": "XmlWinEventLog:Security",
        "sourcetype": "XmlWinEventLog",
        "_raw": "<Event>" + "x" * 2000,
    }
    lines = shown([event]).splitlines()
    assert lines[0] == "2024-05-14T08:00:00.000Z  ws01  XmlWinEventLog:Security"
    assert lines[1].startswith("  <Event>xxx")
    assert lines[5].endswith("…")
    assert lines[6].startswith("20 more fields; --layout vertical shows them")


def test_a_record_has_a_field_a_line_and_values_whole() -> None:
    lines = shown(
        [{"a": "1", "longer": "x" * 100}, {"a": ["p", "q"]}], Layout.VERTICAL
    ).splitlines()
    assert lines[0].startswith("─── 1 ─")
    assert lines[1] == "a       1"
    assert lines[2] == "longer  " + "x" * 72
    assert lines[3] == "        " + "x" * 28
    assert lines[4].startswith("─── 2 ─")
    assert lines[5:] == ["a  p", "   q"]


def test_wide_characters_take_two_cells() -> None:
    text = shown([{"user": "山田太郎" * 20, "n": 1}], width=40)
    assert {cell_len(line) for line in text.splitlines() if line.startswith("│")} == {40}


@pytest.mark.parametrize("layout", list(Layout))
def test_what_a_terminal_obeys_is_shown(layout: Layout) -> None:
    hostile = "\x1b[2J\x1b]0;owned\x07[bold]\u202e"
    row: dict[str, object] = {"_time": hostile, "_raw": hostile, "host": hostile, hostile: hostile}
    text = shown([row], layout)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"\x1b[2J" in text.replace("\n", "")
    assert "[bold]" in text.replace("\n", "")


def test_a_long_value_of_a_table_is_cut_and_that_is_told() -> None:
    text = shown([{"a": "x" * 5000}])
    assert text.count("x") < 600
    assert "values with … are cut" in text
