"""Any text is a search or an error with a place in it; nothing else may come out of the parser."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from escudo.core.errors import EscudoError
from escudo.spl.commands import COMMANDS
from escudo.spl.commands.unsupported import UNSUPPORTED
from escudo.spl.macros import expand
from escudo.spl.parse import parse
from escudo.spl.syntax.ast import Pipeline
from escudo.spl.syntax.pretty_print import format_text
from tests.spl.knowledge import Book

BOOK = Book().define("m", "a | head").define("f", "$x$ =", ["x"])
_PIECES = """
| | | ( ) [ ] , = != < > AND OR NOT IN BY AS WHERE FROM OVER OUTPUT WITH
a b* 5 1h -x +y "q~s" 'f~n' count count(x) eval( span=1h limit=5 \\ \\" " `
`m` `f(1)` `f( ```c``` [search $t$ <<FIELD>> é
earliest=-1d CASE( TERM(x) mode=sed s/a/b/ datamodel=A.B x.y{}
"""
_WORDS = st.sampled_from(
    [*sorted(COMMANDS), "\n", "\t", *(piece.replace("~", " ") for piece in _PIECES.split())]
)


def _read(text: str) -> Pipeline | EscudoError:
    try:
        return parse(expand(text, BOOK))
    except EscudoError as error:
        return error


def _check(text: str) -> None:
    found = _read(text)
    if isinstance(found, Pipeline):
        assert parse(found.format()) == found
        return
    span = found.diagnostic.span
    assert span is not None
    assert 1 <= span.line <= text.count("\n") + 1
    assert (span.end_line, span.end_column) >= (span.line, span.column)
    assert found.diagnostic.render()


@settings(max_examples=300, deadline=None)
@given(st.lists(_WORDS, max_size=14), st.sampled_from([" ", ""]))
def test_words_of_the_language(words: list[str], separator: str) -> None:
    _check(separator.join(words))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(COMMANDS)), st.lists(_WORDS, max_size=8))
def test_arguments_of_a_command(command: str, words: list[str]) -> None:
    _check(f"| {command} {' '.join(words)}")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    _check(text)


@settings(max_examples=100, deadline=None)
@given(st.lists(_WORDS, max_size=14))
def test_layout_of_any_words(words: list[str]) -> None:
    text = " ".join(words)
    try:
        laid = format_text(text, width=30)
    except EscudoError:
        return
    assert format_text(laid, width=30) == laid


def test_a_command_is_supported_or_not() -> None:
    assert not COMMANDS.keys() & UNSUPPORTED.keys()
