"""Text -> the commands of its pipelines, and the tokens of a command's arguments.

SPL has no single token grammar: search terms, eval expressions and plain arguments split text
differently. This file has what they share: quoted strings, brackets, pipes, and the tokens of plain
arguments. ``parse_eval`` and ``parse_search`` have their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from escudo.spl.syntax.source import Expanded

DOUBLE_QUOTED = r'"(?:[^"\\]|\\.)*"'
SINGLE_QUOTED = r"'(?:[^'\\]|\\.)*'"

FIELD_QUOTED = rf"(?<![\w*\\]){SINGLE_QUOTED}"
"""A field in single quotes where any text may stand: not an apostrophe inside a word."""

_STRUCTURE = re.compile(
    rf"""(?P<string>{DOUBLE_QUOTED}) | (?P<quote>") | (?P<field>{FIELD_QUOTED})
    | (?P<escaped>\\.) | (?P<open>\[) | (?P<close>\]) | (?P<pipe>\|)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Segment:
    """One command's text ``[start, end)``; ``piped`` tells whether a ``|`` stands before it."""

    start: int
    end: int
    piped: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the commands of a text are.

    ``pipelines`` maps the offset at which a pipeline begins (0, or just after a ``[``) to its
    commands; ``closing`` maps the offset of each ``[`` to that of its ``]``.
    """

    pipelines: Mapping[int, tuple[Segment, ...]]
    closing: Mapping[int, int]


def read_layout(source: Expanded) -> Layout:
    """Find pipes and brackets outside quotes.

    >>> from escudo.spl.syntax.source import plain
    >>> found = read_layout(plain('a | append [search "|" | head 1] | stats count'))
    >>> len(found.pipelines[0]), len(found.pipelines[12])
    (3, 2)
    """
    text = source.text
    pipelines: dict[int, tuple[Segment, ...]] = {}
    closing: dict[int, int] = {}
    stack: list[tuple[int, list[Segment], int, bool]] = []
    begin, segments, start, piped = 0, list[Segment](), 0, False
    for match in _STRUCTURE.finditer(text):
        kind, at = match.lastgroup, match.start()
        if kind == "pipe":
            if piped or text[start:at].strip():
                segments.append(Segment(start, at, piped))
            start, piped = at + 1, True
        elif kind == "open":
            stack.append((begin, segments, start, piped))
            begin, segments, start, piped = at + 1, [], at + 1, False
        elif kind == "close":
            if not stack:
                source.fail("SPL102", "']' without a '[' before it", at)
            segments.append(Segment(start, at, piped))
            pipelines[begin] = tuple(segments)
            closing[begin - 1] = at
            begin, segments, start, piped = stack.pop()
        elif kind == "quote":
            source.fail("SPL102", "this quote is never closed", at, hint='write \\" for a literal')
    if stack:
        source.fail("SPL102", "this '[' is never closed", begin - 1)
    segments.append(Segment(start, len(text), piped))
    pipelines[0] = tuple(segments)
    return Layout(pipelines, closing)


class Kind(Enum):
    """The kinds of tokens of plain arguments."""

    WORD = auto()
    STRING = auto()
    FIELD = auto()
    OP = auto()
    END = auto()


class Token(NamedTuple):
    """A token: ``text`` is its value (quotes removed, escapes resolved), ``start``/``end`` its
    offsets in the expanded text."""

    kind: Kind
    text: str
    start: int
    end: int


_ARGUMENT = re.compile(
    rf"""\s*(?: ({DOUBLE_QUOTED}) | ({SINGLE_QUOTED}) |
    ((?:[^\s"',=()\[\]|<>!\\]|\\\S?|<<\w+>>|!(?!=)|(?<=\w)')+) |
    ([<>!]=|==|[=,()<>']|\[|\]|\|) )""",
    re.VERBOSE | re.DOTALL,
)


def read_argument(source: Expanded, position: int, end: int) -> Token:
    """The next token of plain arguments at or after ``position``."""
    match = _ARGUMENT.match(source.text, position, end)
    if match is None:
        rest = source.text[position:end]
        at = position + len(rest) - len(rest.lstrip())
        if at >= end:
            return Token(Kind.END, "", end, end)
        source.fail("SPL100", f"unexpected {source.text[at]!r}", at)
    group = match.lastindex or 0
    start, stop = match.span(group)
    text = match[group]
    if group == 1:
        return Token(Kind.STRING, unescape(text[1:-1]), start, stop)
    if group == 2:
        return Token(Kind.FIELD, unescape_single(text[1:-1]), start, stop)
    return Token(Kind.WORD if group == 3 else Kind.OP, text, start, stop)


_RUN = re.compile(rf"({DOUBLE_QUOTED}|{FIELD_QUOTED})|\s+", re.DOTALL)


def squeeze_blanks(text: str) -> str:
    """Text kept as it stands, but white space outside quotes is one blank.

    >>> squeeze_blanks('  eval  x="a  b" ')
    'eval x="a  b"'
    """
    return _RUN.sub(lambda m: m[1] or " ", text).strip()


_ESCAPE = re.compile(r'\\(["\\])')


def unescape(text: str) -> str:
    r"""Resolve the escapes of a quoted argument: ``\"`` and ``\\``; others stand for themselves.

    >>> print(unescape(r'c:\\a\d \"x\"'))
    c:\a\d "x"
    """
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text


_SINGLE_ESCAPE = re.compile(r"\\(['\\])")


def unescape_single(text: str) -> str:
    r"""The same between single quotes: ``\'`` and ``\\``."""
    return _SINGLE_ESCAPE.sub(r"\1", text) if "\\" in text else text
