"""Places in a search -> places in the YAML or .conf file that holds it; what shows them calls it.

A search is often folded over several lines or quoted with escapes, so line 1, column 700 of the
search is somewhere else in the file. The file is read again when such a place is asked for, which
is only when there is something to report.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import yaml

from escudo.content.apps.conf import read_conf
from escudo.content.loading import read_text
from escudo.content.reading import read_document
from escudo.core.errors import Diagnostic, Span

_BLANK = " \t\r\n\ufeff"
_ESCAPE_DIGITS = {"x": 2, "u": 4, "U": 8}


def relocate(diagnostic: Diagnostic, text: str) -> Diagnostic:
    """A diagnostic about a search, pointing into the file that its span names.

    ``text`` is the search, as the element has it. The diagnostic stays as it is where it has no
    place, or where the file does not have the text (an overlay changed it).
    """
    span = diagnostic.span
    if span is None or span.file is None:
        return diagnostic
    source, unreadable = read_text(Path(span.file))
    if unreadable is not None:
        return diagnostic
    in_file = _in_conf if span.file.endswith(".conf") else _in_yaml
    places = in_file(span.file, source, text)
    start = _offset(text, span.line, span.column)
    end = _offset(text, span.end_line, span.end_column)
    if not places or start >= len(places):
        return diagnostic
    first, last = places[start], places[max(start, min(end, len(places)) - 1)] + 1
    starts = _line_starts(source)
    line, column = _place(starts, first)
    end_line, end_column = _place(starts, last)
    where = Span(span.file, line, column, end_line, end_column)
    return replace(diagnostic, span=where, source=source)


def _in_yaml(file: str, source: str, text: str) -> list[int]:
    """For each character of a search, where it stands in a YAML file; empty where it does not."""
    node = read_document(file, source)[0]
    scalar = next((s for s in _scalars(node) if s.value.strip() == text), None)
    if scalar is None:
        return []
    begin = len(scalar.value) - len(scalar.value.lstrip())
    return align_scalar(source, scalar)[begin : begin + len(text)]


def _in_conf(file: str, source: str, text: str) -> list[int]:
    """The same in a .conf file, where a backslash at the end of a line goes on with the next."""
    settings = (s for stanza in read_conf(file, source).stanzas.values() for s in stanza.values())
    line = next((s.span.line for s in settings if s.value == text), None)
    if line is None:
        return []
    lines = source.splitlines(keepends=True)
    at = sum(map(len, lines[: line - 1]))
    places: list[int] = []
    for shown in lines[line - 1 :]:
        bare = shown.rstrip("\r\n")
        goes_on = bare.endswith("\\")
        kept = len(bare) - goes_on
        places += range(at, at + kept + goes_on)
        at += len(shown)
        if not goes_on:
            break
    value = next((i for i, place in enumerate(places) if source[place] == "="), -1) + 1
    while value < len(places) and source[places[value]] in _BLANK:
        value += 1
    return places[value : value + len(text)]


def _scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for member in node.value:
            yield from _scalars(member)
    elif isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            yield from _scalars(value)


def _offset(text: str, line: int, column: int) -> int:
    """The offset of a line and column (from 1) in a text."""
    starts = _line_starts(text)
    return min(len(text), starts[min(line, len(starts)) - 1] + column - 1)


def _line_starts(text: str) -> list[int]:
    starts = [0]
    starts += [i + 1 for i, c in enumerate(text) if c == "\n"]
    return starts


def _place(starts: list[int], offset: int) -> tuple[int, int]:
    line = bisect_right(starts, offset)
    return line, offset - starts[line - 1] + 1


def find_in_scalar(file: str, source: str, node: yaml.ScalarNode, part: str) -> Span | None:
    """Where a part of a scalar's value stands in its file, the first time; None if it does not."""
    at = node.value.find(part)
    if at < 0 or not part:
        return None
    places = align_scalar(source, node)
    starts = _line_starts(source)
    line, column = _place(starts, places[at])
    end_line, end_column = _place(starts, places[at + len(part) - 1] + 1)
    return Span(file, line, column, end_line, end_column)


def align_scalar(source: str, node: yaml.ScalarNode) -> list[int]:
    """For each character of a scalar's value, where it stands in the file."""
    at = _line_starts(source)[node.start_mark.line] + node.start_mark.column
    style = node.style
    if style in ("'", '"'):
        at += 1
    elif style in ("|", ">"):
        at = source.find("\n", at) + 1
    out: list[int] = []
    for character in node.value:
        at = _skip(source, at, character, style)
        out.append(min(at, len(source) - 1))
        at = _after(source, at, character, style)
    return out


def _skip(source: str, at: int, character: str, style: str | None) -> int:
    """Go to where a character can stand: indents and line ends before it do not count."""
    while style == '"' and source[at : at + 2] in ("\\\n", "\\\r"):
        at = _past(source, at + 1, "\r\n")
        at = _past(source, at, " \t")
    return at if character in _BLANK else _past(source, at, _BLANK)


def _past(source: str, at: int, characters: str) -> int:
    while at < len(source) and source[at] in characters:
        at += 1
    return at


def _after(source: str, at: int, character: str, style: str | None) -> int:
    if at >= len(source):
        return at
    there = source[at]
    if style == "'" and source[at : at + 2] == "''" and character == "'":
        return at + 2
    if style == '"' and there == "\\":
        return at + 2 + _ESCAPE_DIGITS.get(source[at + 1 : at + 2], 0)
    if character in _BLANK and there not in _BLANK:
        return at
    if character in _BLANK and there in "\r\n":
        return _past(source, at, _BLANK)
    return at + 1
