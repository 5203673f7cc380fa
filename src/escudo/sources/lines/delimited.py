"""Texts of values between delimiters -> a column for each name; ``extraction`` calls it.

Rows may have fewer values than names (newer versions of a product add some at the end) or more; a
delimiter between quotes is part of a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.formats.bytesviews import Positions
from escudo.sources.lines.spans import Quotes, TextBytes


@dataclass(frozen=True, slots=True)
class DelimitedRule:
    """How values are written: between ``by``, perhaps in quotes (an empty ``quote``: in none).

    ``names`` are those of the values in order; one that is empty is left out.
    """

    by: str = ","
    names: tuple[str, ...] = ()
    quote: str = '"'


def read_delimited(texts: pa.Array, rule: DelimitedRule) -> dict[str, pa.Array]:
    """The values of texts by name; null where a text has none there.

    >>> texts = pa.array(['1,"a, ""b"" c",x', '2'])
    >>> read = read_delimited(texts, DelimitedRule(names=("n", "text", "end")))
    >>> {name: values.to_pylist() for name, values in read.items()}
    {'n': ['1', '2'], 'text': ['a, "b" c', None], 'end': ['x', None]}
    """
    where = TextBytes.of(texts)
    places = where.find(rule.by.encode())
    rows = where.rows(places)
    quotes = Quotes.of(where, ord(rule.quote)) if rule.quote else None
    if quotes is not None and len(quotes.places):
        outside = ~quotes.inside(places)
        places, rows = places[outside], rows[outside]
    counts = np.bincount(rows, minlength=len(where.ends))
    quoted = _find_quoted(where, rule, places, counts)
    out: dict[str, pa.Array] = {}
    for number, starts, ends in _find_values(where, places, counts, len(rule.names)):
        name = rule.names[number]
        if not name or not np.any(ends > starts):
            continue
        values = where.cut(starts, ends)
        if number in quoted:
            values = _unquote(values, rule.quote)
        if values.null_count < len(values):
            out[name] = values
    return out


def _find_values(
    where: TextBytes, places: Positions, counts: Positions, most: int
) -> Iterator[tuple[int, Positions, Positions]]:
    """Where the values of each number begin and end in every text; nothing where there is none.

    ``counts`` are the places that each text has.
    """
    size = len(where.ends)
    low, high = (int(counts.min()), int(counts.max())) if size else (0, -1)
    before = np.cumsum(counts) - counts
    edges = np.append(places, len(where.data))
    starts = where.starts
    for number in range(min(most, high + 1)):
        if number < low:  # all texts go on
            ends = edges[before + number]
            yield number, starts, ends
            starts = ends + 1
            continue
        more, last = counts > number, counts == number
        ends = np.where(last, where.ends, edges[np.where(more, before + number, -1)])
        there = counts >= number
        yield number, np.where(there, starts, where.ends), np.where(there, ends, where.ends)
        starts = np.minimum(ends + 1, where.ends)


def _find_quoted(
    where: TextBytes, rule: DelimitedRule, places: Positions, counts: Positions
) -> set[int]:
    """The numbers of the values that begin with a quote in some text."""
    if not rule.quote:
        return set()
    quotes = np.flatnonzero(where.data == ord(rule.quote))
    row = np.searchsorted(where.ends, quotes, side="right")
    first = quotes == where.starts[row]
    begins = first | np.isin(where.data[np.maximum(quotes - 1, 0)], list(rule.by.encode()))
    before = np.cumsum(counts) - counts
    number = np.searchsorted(places, quotes) - before[row]
    return set(np.unique(number[begins]).tolist())


def count_values(texts: pa.Array, by: str, quote: str) -> pa.Array:
    """How many values each text has.

    >>> count_values(pa.array(["a,b", '"a,b"']), ",", '"').to_pylist()
    [2, 1]
    """
    where = TextBytes.of(texts)
    places = where.find(by.encode())
    rows = where.rows(places)
    if quote:
        rows = rows[~Quotes.of(where, ord(quote)).inside(places)]
    return pa.array(np.bincount(rows, minlength=len(texts)) + 1)


def _unquote(values: pa.Array, quote: str) -> pa.Array:
    """Values without the quotes around them; a doubled one within is one."""
    quoted = pc.and_(pc.starts_with(values, quote), pc.ends_with(values, quote))
    quoted = pc.and_(quoted, pc.greater_equal(pc.binary_length(values), 2))
    if not pc.any(quoted).as_py():
        return values
    inner = pc.utf8_slice_codeunits(values, 1, -1)
    inner = pc.replace_substring(inner, quote * 2, quote)
    inner = pc.if_else(pc.equal(inner, ""), pa.scalar(None, pa.string()), inner)
    return pc.if_else(quoted, inner, values)
