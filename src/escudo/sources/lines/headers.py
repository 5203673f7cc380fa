"""Lines under a header that names their values -> columns; ``reader`` calls it.

W3C's extended log format (``#Fields: date time``), Zeek's TSV (``#fields``), and rows under a row
of names. A header may come again in a file, with other names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.lines.delimited import DelimitedRule, count_values, read_delimited
from escudo.sources.lines.spans import Flags
from escudo.sources.lines.text_form import Header, TextForm

_NOT_A_NAME = re.compile(r"[^\w.@]+")
_FIELDS = re.compile(r"#fields:?[\s]+(.*)", re.IGNORECASE)
_PATH = re.compile(r"#path\s+(\S+)")
_SEPARATOR = re.compile(r"#separator \\x([0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that share a header: what is kept as their text, and their columns."""

    texts: pa.Array
    columns: dict[str, pa.Array]


@dataclass(frozen=True, slots=True)
class OddRows:
    """Lines, by their numbers, that are no rows: ``before`` a header, or ``alone``, without one."""

    texts: pa.Array
    numbers: np.ndarray
    before: bool = False
    alone: bool = False


@dataclass
class HeaderReader:
    """Reads the rows of one stream; remembers the header from one block to the next.

    >>> reader = HeaderReader(TextForm(header=Header.W3C))
    >>> [rows] = reader.read(pa.array(["#Fields: c-ip cs(User-Agent)", "10.0.0.1 -"]))
    >>> {name: values.to_pylist() for name, values in rows.columns.items()}
    {'c_ip': ['10.0.0.1'], 'cs_User_Agent': ['-']}
    """

    form: TextForm
    names: tuple[str, ...] = ()
    path: str | None = None
    _by: str = field(init=False)

    def __post_init__(self) -> None:
        default = {Header.W3C: " ", Header.ZEEK: "\t", Header.ROW: ","}
        assert self.form.header is not None
        self._by = self.form.by or default[self.form.header]

    def read(self, lines: pa.Array) -> Iterator[Rows | OddRows]:
        """The rows of some lines, in order."""
        if self.form.header is Header.ROW:
            heads = _contains_any(lines, self.form.contains)
        else:
            heads = pc.starts_with(lines, "#").to_numpy(zero_copy_only=False)
        at = 0
        for number in [*np.flatnonzero(heads).tolist(), len(lines)]:
            if number > at:
                rows = lines.slice(at, number - at)
                yield from self._read_rows(rows, at, any_head=bool(heads.any()))
            if number < len(lines):
                self._read_head(lines[number].as_py())
            at = number + 1

    def _read_head(self, line: str) -> None:
        if self.form.header is Header.ROW:
            self.names = tuple(_clean(name.strip().strip('"')) for name in line.split(self._by))
        elif match := _FIELDS.match(line):
            given = match[1].rstrip("\r\n")
            by = "\t" if "\t" in given else self._by
            parts = given.split(by) if by != " " else given.split()
            clean = self.form.header is Header.W3C
            self.names = tuple(_clean(part) if clean else part for part in parts if part)
            if self.form.header is Header.W3C:
                self._by = self.form.by or by
        elif match := _PATH.match(line):
            self.path = match[1]
        elif match := _SEPARATOR.match(line):
            self._by = chr(int(match[1], 16))

    def _read_rows(
        self, lines: pa.Array, first: int, *, any_head: bool
    ) -> Iterator[Rows | OddRows]:
        if not self.names:
            numbers = np.arange(first, first + len(lines))
            yield OddRows(lines, numbers, before=any_head, alone=not any_head)
            return
        quote = '"' if self.form.header is Header.ROW or self._by == "," else ""
        counts = count_values(lines, self._by, quote).to_numpy()
        sound: Flags = counts == len(self.names)
        if self.form.header is Header.ROW:
            sound = counts > 1
        if not sound.all():
            numbers = np.flatnonzero(~sound)
            yield OddRows(lines.take(pa.array(numbers)), numbers + first)
            lines = lines.filter(pa.array(sound))
        if len(lines):
            columns = read_delimited(lines, DelimitedRule(self._by, self.names, quote))
            if self.path is not None:
                columns["path"] = pa.repeat(pa.scalar(self.path), len(lines))
            yield Rows(lines, columns)


def _contains_any(lines: pa.Array, words: tuple[str, ...]) -> Flags:
    found = pa.repeat(pa.scalar(False), len(lines))
    for word in words:
        found = pc.or_(found, pc.match_substring(lines, word))
    flags: Flags = found.to_numpy(zero_copy_only=False)
    return flags


def _clean(name: str) -> str:
    """A name as Splunk cleans it: everything but letters, digits and points is one underscore.

    >>> _clean("cs(User-Agent)"), _clean("IP Address")
    ('cs_User_Agent', 'IP_Address')
    """
    return _NOT_A_NAME.sub("_", name).strip("_")
