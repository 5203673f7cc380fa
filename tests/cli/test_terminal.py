"""Text that a terminal would obey is shown instead, and markup in it stays text."""

from __future__ import annotations

import io
import sys
import unicodedata

import pytest
import regex as re
from hypothesis import given
from hypothesis import strategies as st

from escudo.cli.output import write_rows
from escudo.cli.terminal import SafeConsole, escape_controls, escape_line, plain

HOSTILE = {
    "escape": ("\x1b[2J", r"\x1b[2J"),
    "title": ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
    "c1": ("\x9b31m", r"\x9b31m"),
    "return": ("harmless\rforged", r"harmless\x0dforged"),
    "right to left": ("cod\u202eexe.gpj", r"cod\u202eexe.gpj"),
    "isolate": ("\u2066a\u2069", r"\u2066a\u2069"),
    "bytes of a name": ("\udcff.xml", r"\udcff.xml"),
    "zero width": ("pc\u200b1\ufeff", r"pc\u200b1\ufeff"),
    "joiners in a name": ("p\u200cc\u200d1\ufe0f", r"p\u200cc\u200d1\ufe0f"),
    "soft hyphen": ("ad\xadmin", r"ad\xadmin"),
    "filler": ("a\u3164b", r"a\u3164b"),
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_what_a_terminal_obeys_is_shown(text: str, shown: str) -> None:
    assert escape_controls(text) == shown


def test_what_nothing_shows_is_shown() -> None:
    """Unicode's property for it (Unicode Standard, 5.21), as ``regex`` knows it."""
    ignorable = re.compile(r"\p{Default_Ignorable_Code_Point}")
    codes = [code for code in range(sys.maxunicode + 1) if ignorable.match(chr(code))]
    assert len(codes) > 4_000
    assert [code for code in codes if chr(code) in escape_controls(f"a{chr(code)}b")] == []


@pytest.mark.parametrize(
    "text",
    ["Grüße 日本語 עברית", "a\tb\nc", "👩‍👩‍👧", "❤️ ⚠️", "می\u200cخواهم", "क\u094d\u200dष"],
)
def test_text_of_people_stays(text: str) -> None:
    assert escape_controls(text) == text


def test_a_line_stays_one_line() -> None:
    assert escape_line("a\nerror[LAK001]: forged") == r"a\nerror[LAK001]: forged"


@given(st.text())
def test_no_console_passes_on_a_control_character(text: str) -> None:
    out = io.StringIO()
    SafeConsole(out, width=1000).print(text, plain(text))
    left = {c for c in out.getvalue() if unicodedata.category(c) == "Cc"} - {"\n", "\t"}
    assert not left


@pytest.mark.parametrize("name", ["[/x]", "[bold]x", "[link=http://a]b[/link]", ":smile:", "\\["])
def test_markup_in_a_field_name_and_its_values_is_text(name: str) -> None:
    out = io.StringIO()
    write_rows([{name: name}], [name], "table", out=out, title=name)
    assert out.getvalue().count(name) == 3


def test_hostile_names_and_values_in_a_table_are_escaped() -> None:
    out = io.StringIO()
    write_rows([{"a\x1b[1m": "b\x1b]8;;x\x07"}], ["a\x1b[1m"], "table", out=out)
    assert "\x1b" not in out.getvalue()
    assert r"a\x1b[1m" in out.getvalue()
    assert r"b\x1b]8;;x\x07" in out.getvalue()


def test_formats_for_machines_have_the_value_itself() -> None:
    out = io.StringIO()
    write_rows([{"a": "\x1b[1m\u202e"}], ["a"], "csv", out=out)
    assert out.getvalue() == "a\n\x1b[1m\u202e\n"
