"""Texts with ``name=value`` pairs -> a column for each name; ``extraction`` calls it.

Pairs are found by their bytes, all texts at once: an assignment sign outside of quotes, the word
before it, the value behind it. Names are put together by their text, so a name that stands in no
declaration is found as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.formats.bytesviews import Positions
from escudo.sources.lines.spans import Flags, TextBytes, find_escaped, scatter

MOST_NAMES = 1_000
"""Names of a block that become fields, the most frequent first: a name that never comes again is
mostly part of a value (2026-11)."""
_BACKSLASH = ord("\\")
_NAME = re.compile(r"[A-Za-z_@][\w.:@\[\]{}/-]{0,127}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PairRule:
    """How pairs are written.

    Attributes:
        assign: the sign between name and value.
        between: bytes that end a name or a bare value.
        quote: what a value may stand in.
        spaced: a bare value goes on to the next name (CEF's extension).
    """

    assign: str = "="
    between: str = " \t\r\n"
    quote: str = '"'
    spaced: bool = False


@dataclass(frozen=True, slots=True)
class PairColumn:
    """A name's values: null where a text lacks it; ``bare`` says which stood in no quotes."""

    values: pa.Array
    bare: Flags


def read_pairs(texts: pa.Array, rule: PairRule) -> dict[str, PairColumn]:
    """The pairs of texts by name. Of a name that a text has twice, the first counts.

    >>> read = read_pairs(pa.array(['a=1 b="x y" c=', 'b=2 d="e=f"']), PairRule())
    >>> {name: column.values.to_pylist() for name, column in read.items()}
    {'a': ['1', None], 'b': ['x y', '2'], 'd': [None, 'e=f']}
    """
    size = len(texts)
    where = TextBytes.of(texts)
    found = _find_pairs(where, rule)
    if not len(found.signs):
        return {}
    filled = found.value_ends > found.value_starts
    found = found.choose(filled)
    names = where.cut(found.name_starts, found.signs).dictionary_encode()
    values = where.cut(found.value_starts, found.value_ends)
    codes = names.indices.to_numpy(zero_copy_only=False)
    out: dict[str, PairColumn] = {}
    for name, numbers in _group(codes, names.dictionary.to_pylist()):
        rows = found.rows[numbers]
        first = np.append(True, rows[1:] != rows[:-1])
        if not first.all():
            numbers, rows = numbers[first], rows[first]
        chosen = values.take(pa.array(numbers))
        quoted = found.quoted[numbers]
        if quoted.any() and pc.any(pc.match_substring(chosen, "\\")).as_py():
            chosen = _unescape(chosen, quoted, rule.quote)
        bare = np.zeros(size, dtype=bool)
        bare[rows] = ~quoted
        out[name] = PairColumn(scatter(chosen, rows, size), bare)
    return out


@dataclass(frozen=True, slots=True)
class _Found:
    """Pairs by their places, in order: the text that each is in, and where its parts lie."""

    rows: Positions
    signs: Positions
    name_starts: Positions
    value_starts: Positions
    value_ends: Positions
    quoted: Flags

    def choose(self, which: Flags) -> _Found:
        if which.all():
            return self
        return _Found(*(getattr(self, name)[which] for name in self.__slots__))


_BETWEEN, _SIGN, _QUOTE = 1, 2, 3


def _find_pairs(where: TextBytes, rule: PairRule) -> _Found:
    """The pairs of texts: of the bytes that matter, in one list, each knows those beside it."""
    places, kinds = _find_marks(where, rule)
    rows = where.rows(places)
    inside = _find_inside(where, places, kinds == _QUOTE)
    count = len(places)
    # The first sign of a word is the pair's; others belong to its value.
    first = np.ones(count, dtype=bool)
    first[1:] = (kinds[:-1] != _SIGN) | (rows[1:] != rows[:-1])
    signs = np.flatnonzero((kinds == _SIGN) & ~inside & first)
    last = np.where(signs > 0, places[signs - 1], -1)
    found_rows = rows[signs]
    name_starts = np.maximum(last + 1, where.starts[found_rows])
    sound = name_starts < places[signs]
    signs, found_rows, name_starts = signs[sound], found_rows[sound], name_starts[sound]
    ends = where.ends[found_rows]
    starts = places[signs] + 1
    following = np.minimum(signs + 1, count - 1)
    quoted = (places[following] == starts) & (kinds[following] == _QUOTE) & (starts < ends)
    closing = _next_of(places, kinds == _QUOTE, signs + 2, len(where.data))
    bare_ends = np.minimum(_next_of(places, kinds == _BETWEEN, signs + 1, len(where.data)), ends)
    if rule.spaced:
        bare_ends = _spaced_ends(found_rows, name_starts, ends)
        bare_ends = _trim(where, rule.between.encode(), starts, bare_ends)
    return _Found(
        rows=found_rows,
        signs=places[signs],
        name_starts=name_starts,
        value_starts=starts + quoted,
        value_ends=np.where(quoted, np.minimum(closing, ends), bare_ends),
        quoted=quoted,
    )


def _find_marks(where: TextBytes, rule: PairRule) -> tuple[Positions, npt.NDArray[np.int8]]:
    """The places of signs, quotes and what is between pairs, and the kind of each."""
    table = np.zeros(256, dtype=np.int8)
    table[list(rule.between.encode())] = _BETWEEN
    table[ord(rule.quote)] = _QUOTE
    table[ord(rule.assign)] = _SIGN
    every = table[where.data]
    places = np.flatnonzero(every)
    kinds = every[places]
    if np.any(where.data == _BACKSLASH):
        escaped = (kinds == _QUOTE) & find_escaped(where.data, places)
        if escaped.any():
            places, kinds = places[~escaped], kinds[~escaped]
    return places, kinds


def _find_inside(where: TextBytes, places: Positions, quotes: Flags) -> Flags:
    """Which places are between two quotes of their text; none of a text with an odd number."""
    behind = np.cumsum(quotes)
    edges = np.searchsorted(places, np.append(where.starts, where.ends[-1:]))
    upto = np.append(0, behind)[edges]
    counts = np.diff(edges)
    odd = (np.diff(upto) % 2).astype(bool)
    inside: Flags = (behind - np.repeat(upto[:-1], counts)) % 2 == 1
    inside &= ~np.repeat(odd, counts)
    return inside


def _next_of(places: Positions, wanted: Flags, numbers: Positions, whole: int) -> Positions:
    """The place of the first wanted mark from each number on; the end of all without one."""
    every = np.append(np.where(wanted, places, whole), whole)
    nearest = np.minimum.accumulate(every[::-1])[::-1]
    return nearest[np.minimum(numbers, len(places))]


def _spaced_ends(rows: Positions, name_starts: Positions, ends: Positions) -> Positions:
    """Where the next name of the same text begins; the text's end behind its last one."""
    following = np.append(name_starts[1:], 0)
    same = np.append(rows[1:] == rows[:-1], False)
    return np.where(same, following, ends)


def _trim(where: TextBytes, between: bytes, starts: Positions, ends: Positions) -> Positions:
    """Ends without the separators before them."""
    table = np.zeros(256, dtype=bool)
    table[list(between)] = True
    for _ in range(64):
        blank = (ends > starts) & table[where.data[np.maximum(ends - 1, 0)]]
        if not blank.any():
            break
        ends = ends - blank
    return ends


def _group(codes: Positions, names: list[str]) -> Iterator[tuple[str, Positions]]:
    """The numbers of each name's pairs, in order, of the names that can be fields."""
    order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes, minlength=len(names))
    ends = np.cumsum(counts)
    fitting = [n for n, name in enumerate(names) if _NAME.fullmatch(name)]
    if len(fitting) > MOST_NAMES:
        frequent = sorted(fitting, key=lambda n: -counts[n])[:MOST_NAMES]
        fitting = sorted(frequent)
    for number in fitting:
        yield names[number], order[ends[number] - counts[number] : ends[number]]


def _unescape(values: pa.Array, quoted: Flags, quote: str) -> pa.Array:
    plain = pc.replace_substring(values, "\\" + quote, quote)
    return pc.if_else(pa.array(quoted), plain, values)
