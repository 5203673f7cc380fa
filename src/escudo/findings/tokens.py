"""Texts with ``$field$`` tokens, a row -> messages, and searches that no value changes;
called by ``risk``, ``notable`` and ``drilldown``.

In a search a value is always inside double quotes, with backslashes and quotes escaped, so that it
is one value whatever it holds: pipes, brackets, backquotes, quotes, other tokens. A ``*`` stays a
wildcard, since SPL's search language has no way to escape it; the result can only be wider.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from escudo.lake.table_rows import format_values

UNKNOWN = "unknown"
VALUE_SEPARATOR = ", "
"""Between the values of a multivalue field in a message."""

ORIGINAL_SEARCH = "%original_detection_search%"

_NAME = r"[A-Za-z_][\w.{}:-]*"
_MESSAGE_TOKEN = re.compile(rf"\$([^$\s]+)\$|\$({_NAME})|({_NAME})\$")
_SEARCH_TOKEN = re.compile(
    r'(?P<original>%original_detection_search%)|(?P<quoted>"(?:[^"\\]|\\.)*")|\$(?P<bare>[^$\s"]+)\$'
)
_TOKEN = re.compile(r"\$([^$\s\"]+)\$")
_FILTER = re.compile(r"\|[shun]$")
_IN_LIST = re.compile(r"\bIN\s*\((?:[^()\"]|\"(?:[^\"\\]|\\.)*\")*$", re.IGNORECASE)

Values = Sequence[str]
"""The values of a field in one row; none where it is null."""


def list_message_fields(template: str) -> list[str]:
    """The fields that a message names; a token with one dollar sign only counts, too.

    >>> list_message_fields("$user$ ran $process_name$ on $dest")
    ['user', 'process_name', 'dest']
    """
    names = (next(g for g in m.groups() if g) for m in _MESSAGE_TOKEN.finditer(template))
    return list(dict.fromkeys(n.removeprefix("result.") for n in names))


def fill_messages(template: str, rows: pa.Table) -> pa.Array:
    """A message for each row; a field that is null or unknown to the rows becomes ``unknown``.

    >>> fill_messages("on $dest$", pa.table({"dest": ["a", None]})).to_pylist()
    ['on a', 'on unknown']
    """
    parts: list[pa.Array] = []
    end = 0
    for match in _MESSAGE_TOKEN.finditer(template):
        closed, left, right = match.groups()
        name = (closed or left or right).removeprefix("result.")
        if closed is None and name not in rows.column_names:
            continue
        parts.append(pa.scalar(template[end : match.start()]))
        parts.append(join_values(rows, name))
        end = match.end()
    parts.append(pa.scalar(template[end:]))
    if all(isinstance(p, pa.Scalar) for p in parts):
        return pa.array([template] * rows.num_rows, pa.string())
    return pc.binary_join_element_wise(*parts, "")


def join_values(rows: pa.Table, name: str) -> pa.Array:
    """A field as one text a row; ``unknown`` where it is null, empty or not there."""
    if name not in rows.column_names:
        return pa.array([UNKNOWN] * rows.num_rows, pa.string())
    column = rows[name].combine_chunks()
    if pa.types.is_list(column.type):
        column = pc.binary_join(column.cast(pa.list_(pa.string())), VALUE_SEPARATOR)
    text = format_values(column)
    return pc.if_else(pc.fill_null(pc.equal(text, ""), True), UNKNOWN, text)


def list_members(value: object) -> Values:
    """The values of a field of one row (as ``pa.Table.to_pylist`` gives it), as text."""
    if value is None:
        return ()
    members = value if isinstance(value, list) else [value]
    return tuple(_plain(m) for m in members if m is not None)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def escape_value(value: str) -> str:
    """A value for the inside of double quotes in SPL.

    >>> escape_value('C:\\\\dir "x"')
    'C:\\\\\\\\dir \\\\"x\\\\"'
    """
    return value.replace("\\", "\\\\").replace('"', '\\"')


Render = Callable[[Values], str]


@dataclass(frozen=True, slots=True)
class Template:
    """A text with tokens, taken apart once to be filled in many times.

    ``parts`` are texts (with None) and names of fields with what makes text of their values.
    """

    parts: tuple[tuple[str, Render | None], ...]

    def fill(self, lookup: Callable[[str], Values], original: str = "") -> str:
        """The text with the values that ``lookup`` gives, and the original search put in as it
        stands: dollar signs in it are not tokens."""
        return "".join(
            text
            if render is None
            else original
            if text == ORIGINAL_SEARCH
            else render(lookup(text))
            for text, render in self.parts
        )


def parse_text_template(template: str) -> Template:
    """A text that is only shown (a drilldown's name): values as they are.

    >>> parse_text_template("of $user$").fill({"user": ["a", "b"]}.__getitem__)
    'of a, b'
    """
    return Template(tuple(_split(template, _TOKEN, _shown)))


def parse_search_template(template: str) -> Template:
    """A search. A token within quotes is filled in there, a bare one gets quotes.

    Of several values the first is used, except that a token which is a member of an ``IN (...)``
    list becomes a member for each value.

    >>> row = {"dest": ["a"], "user": ['x" OR *', "y"]}
    >>> template = parse_search_template('search dest=$dest$ user IN ("$user$")')
    >>> print(template.fill(row.__getitem__))
    search dest="a" user IN ("x\\" OR *", "y")
    """
    parts: list[tuple[str, Render | None]] = []
    end = 0
    for match in _SEARCH_TOKEN.finditer(template):
        before = template[: match.start()]
        parts.append((template[end : match.start()], None))
        end = match.end()
        whole = _TOKEN.fullmatch(match["quoted"][1:-1]) if match["quoted"] else None
        name = match["bare"] or (whole[1] if whole else None)
        if match["original"]:
            parts.append((ORIGINAL_SEARCH, _shown))
        elif name is not None:
            parts.append((drop_filter(name), _members if _IN_LIST.search(before) else _value))
        else:
            parts += _split(match["quoted"], _TOKEN, _inside)
    parts.append((template[end:], None))
    return Template(tuple(p for p in parts if p[0]))


def fill_search(template: str, lookup: Callable[[str], Values], original: str) -> str:
    """``parse_search_template`` filled once."""
    return parse_search_template(template).fill(lookup, original)


def _split(
    template: str, token: re.Pattern[str], render: Render
) -> Iterator[tuple[str, Render | None]]:
    end = 0
    for match in token.finditer(template):
        yield template[end : match.start()], None
        yield drop_filter(match[1]), render
        end = match.end()
    yield template[end:], None


def drop_filter(name: str) -> str:
    """The field of a token: what follows a bar (``$user|s$``) says how its value is escaped, which
    is done as the place asks, whatever it says (Splunk's token filters: s, h, u, n).

    >>> drop_filter("user|s"), drop_filter("user")
    ('user', 'user')
    """
    return _FILTER.sub("", name)


def _shown(values: Values) -> str:
    return VALUE_SEPARATOR.join(values)


def _members(values: Values) -> str:
    return ", ".join(f'"{escape_value(v)}"' for v in values) or '""'


def _value(values: Values) -> str:
    return _members(values[:1])


def _inside(values: Values) -> str:
    return escape_value(values[0]) if values else ""
