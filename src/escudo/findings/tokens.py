"""``$field$`` tokens: in messages (any text) and in searches (where no value may change anything).

In a search a value is always inside double quotes, with backslashes and quotes escaped, so that it
is one value whatever it holds: pipes, brackets, backquotes, quotes, other tokens. A ``*`` stays a
wildcard, since SPL's search language has no way to escape it; the result can only be wider.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

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
_IN_LIST = re.compile(r"\bIN\s*\((?:[^()\"]|\"(?:[^\"\\]|\\.)*\")*$", re.IGNORECASE)

Values = Sequence[str]
"""The values of a field in one row; none where it is null."""


def message_fields(template: str) -> list[str]:
    """The fields that a message names; a token with one dollar sign only counts, too.

    >>> message_fields("$user$ ran $process_name$ on $dest")
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
        parts.append(joined(rows, name))
        end = match.end()
    parts.append(pa.scalar(template[end:]))
    if all(isinstance(p, pa.Scalar) for p in parts):
        return pa.array([template] * rows.num_rows, pa.string())
    return pc.binary_join_element_wise(*parts, "")


def joined(rows: pa.Table, name: str) -> pa.Array:
    """A field as one text a row; ``unknown`` where it is null, empty or not there."""
    if name not in rows.column_names:
        return pa.array([UNKNOWN] * rows.num_rows, pa.string())
    column = rows[name].combine_chunks()
    if pa.types.is_list(column.type):
        column = pc.binary_join(column.cast(pa.list_(pa.string())), VALUE_SEPARATOR)
    text = as_text(column)
    return pc.if_else(pc.fill_null(pc.equal(text, ""), True), UNKNOWN, text)


def as_text(column: pa.Array) -> pa.Array:
    """Values as SPL prints them: a whole number has no fraction.

    >>> as_text(pa.array([5.0, 0.25, None])).to_pylist()
    ['5', '0.25', None]
    """
    if pa.types.is_floating(column.type):
        text = pc.cast(column, pa.string())
        return pc.replace_substring_regex(text, r"\.0$", "")
    return pc.cast(column, pa.string())


def values_of(row: Mapping[str, object], name: str) -> Values:
    """The values of a field of one row (as ``pa.Table.to_pylist`` gives it), as text."""
    value = row.get(name)
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


def fill_text(template: str, lookup: Callable[[str], Values]) -> str:
    """Tokens in a text that is only shown (a drilldown's name)."""
    return _TOKEN.sub(lambda m: VALUE_SEPARATOR.join(lookup(m[1])), template)


def escape(value: str) -> str:
    """A value for the inside of double quotes in SPL.

    >>> escape('C:\\\\dir "x"')
    'C:\\\\\\\\dir \\\\"x\\\\"'
    """
    return value.replace("\\", "\\\\").replace('"', '\\"')


def fill_search(template: str, lookup: Callable[[str], Values], original: str) -> str:
    """Tokens in a search, and ``%original_detection_search%``.

    A token within quotes is filled in there, a bare one gets quotes. Of several values the first
    is used, except that a token which is a member of an ``IN (...)`` list becomes a member for
    each value. The original search is put in as it stands: dollar signs in it are not tokens.

    >>> row = {"dest": ["a"], "user": ['x" OR *', "y"]}
    >>> print(fill_search('search dest=$dest$ user IN ("$user$")', row.__getitem__, ""))
    search dest="a" user IN ("x\\" OR *", "y")
    """
    out: list[str] = []
    end = 0
    for match in _SEARCH_TOKEN.finditer(template):
        out.append(template[end : match.start()])
        end = match.end()
        if match["original"]:
            out.append(original)
        elif match["bare"] is not None:
            out.append(_members(template[: match.start()], lookup(match["bare"])))
        else:
            out.append(_quoted(template[: match.start()], match["quoted"], lookup))
    out.append(template[end:])
    return "".join(out)


def _members(before: str, values: Values) -> str:
    chosen = values if _IN_LIST.search(before) else values[:1]
    return ", ".join(f'"{escape(v)}"' for v in chosen) or '""'


def _quoted(before: str, text: str, lookup: Callable[[str], Values]) -> str:
    whole = _TOKEN.fullmatch(text[1:-1])
    if whole is not None:
        return _members(before, lookup(whole[1]))
    return _TOKEN.sub(lambda m: escape(next(iter(lookup(m[1])), "")), text)
