"""Values of a report -> text for people; the templates call these as filters.

Data is an attacker's. ``escape_controls`` is asked for everything that a template writes
(``finalize``); what a format itself would obey is the format's to escape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from escudo.actions.shown_rows import show_value
from escudo.cli.json_text import dump_json
from escudo.cli.report.charts import show_second
from escudo.cli.terminal import escape_line
from escudo.core.timerange import TimeRange
from escudo.findings.tree import Node, Process, Tree

_UNKNOWN = frozenset({"", "unknown", "-"})
_COMMAND_WIDTH = 400
_VALUE_WIDTH = 2_000
_NAME_WIDTH = 150
_FIELDS_WIDTH = 20_000
_MOST_FIELDS = 150
"""Characters of a process, a value, a name, all values of a row; fields of a row."""


@dataclass(frozen=True, slots=True)
class TreeLine:
    """A process of a tree: the branches before it, its text, whether it is what was found."""

    prefix: str
    text: str
    hit: bool


def show_text(value: object) -> str:
    r"""A value as text: of a list a line for each, of what else is nested JSON.

    >>> show_text(["a", None, 2]), show_text(None), show_text({"a": 1})
    ('a\n2', '', '{"a":1}')
    """
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return "\n".join(show_text(v) for v in value if v is not None)
    if isinstance(value, dict):
        return dump_json(value)
    return str(value)


def show_field(value: object, name: str) -> str:
    """The value of a field of a row, times in ISO-8601."""
    return show_text(show_value(name, value))


def show_line(value: object) -> str:
    """A value in one line that cannot pretend to be another."""
    return escape_line(show_text(value))


def cut(text: str, most: int) -> str:
    """A text of at most so many characters, and how many it had more.

    >>> cut("abcdef", 4), cut("abc", 4)
    ('abcd … (2 more characters)', 'abc')
    """
    if len(text) <= most:
        return text
    return f"{text[:most]} … ({len(text) - most:,} more characters)"


def show_count(number: int) -> str:
    return f"{number:,}"


def show_number(number: float) -> str:
    """
    >>> show_number(1234.0), show_number(0.25)
    ('1,234', '0.25')
    """
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,g}"


def show_range(within: TimeRange) -> str:
    """
    >>> show_range(TimeRange(0.0, None)), show_range(TimeRange())
    ('from 1970-01-01 00:00:00', 'all time')
    """
    parts = []
    if within.earliest is not None:
        parts.append(f"from {show_second(within.earliest)}")
    if within.latest is not None:
        parts.append(f"until {show_second(within.latest)}")
    return " ".join(parts) or "all time"


def rank_counts(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Names and counts, the largest first."""
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))


def list_tree_lines(tree: Tree) -> list[TreeLine]:
    """A line for each process, the highest ancestor first."""
    return list(_walk(tree.root, "", ""))


def show_tree(tree: Tree) -> str:
    """A tree as text, what was found marked with ``*``."""
    return "\n".join(f"{t.prefix}{'* ' if t.hit else ''}{t.text}" for t in list_tree_lines(tree))


@dataclass(frozen=True, slots=True)
class ShownFields:
    """Names and values of fields as text, and how many there are more."""

    values: tuple[tuple[str, str], ...]
    left_out: int


def list_fields(fields: Mapping[str, object], most: int = _MOST_FIELDS) -> ShownFields:
    """The first fields of a row: at most so many, as long as their text has room."""
    shown: list[tuple[str, str]] = []
    room = _FIELDS_WIDTH
    for name, value in fields.items():
        text = cut(show_field(value, name), _VALUE_WIDTH)
        room -= len(text)
        if len(shown) == most or room < 0:
            break
        shown.append((cut(show_line(name), _NAME_WIDTH), text))
    return ShownFields(tuple(shown), len(fields) - len(shown))


def show_fields(fields: Mapping[str, object], most: int = _MOST_FIELDS) -> str:
    r"""The fields of a row, a line each.

    >>> print(show_fields({"dest": "pc1", "users": ["a", "b"]}))
    dest: pc1
    users: a\nb
    """
    shown = list_fields(fields, most)
    lines = [f"{name}: {show_line(text)}" for name, text in shown.values]
    if shown.left_out:
        lines.append(f"({shown.left_out:,} more fields)")
    return "\n".join(lines)


def show_rows(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows, their fields a line each, a blank line between them."""
    return "\n\n".join(show_fields(row, 12) for row in rows)


def _walk(node: Node, prefix: str, head: str) -> Iterator[TreeLine]:
    yield TreeLine(prefix + head, _show_process(node.process), node.hit)
    below = prefix + ("" if not head else "│  " if head == "├─ " else "   ")
    for place, child in enumerate(node.children, 1):
        last = place == len(node.children)
        yield from _walk(child, below, "└─ " if last else "├─ ")


def _show_process(process: Process) -> str:
    parts = [process.name or "?"]
    if process.pid is not None:
        parts.append(f"[{process.pid}]")
    if process.recorded:
        parts.append(show_second(process.time))
    if process.user.lower() not in _UNKNOWN:
        parts.append(process.user)
    if process.command.lower() not in _UNKNOWN:
        parts.append(f" {process.command}")
    else:
        parts.append("(known from its child)" if not process.recorded else "")
    return cut(escape_line(" ".join(parts).strip()), _COMMAND_WIDTH)
