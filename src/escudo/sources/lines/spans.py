"""An array of texts -> its bytes and where each text lies; ``pairs`` and ``delimited`` cut them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from escudo.sources.formats.bytesviews import Positions, cut_texts

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TextBytes:
    """The bytes of texts, one behind the other: text ``n`` is ``data[starts[n]:ends[n]]``.

    A null lies there as an empty text.
    """

    buffer: pa.Buffer
    data: npt.NDArray[np.uint8]
    starts: Positions
    ends: Positions

    @classmethod
    def of(cls, texts: pa.Array) -> TextBytes:
        """The bytes of an array of strings.

        >>> TextBytes.of(pa.array(["ab", "c"])).ends.tolist()
        [2, 3]
        """
        if len(texts) == 0:
            nothing = np.empty(0, dtype=np.int64)
            return cls(pa.py_buffer(b""), np.empty(0, np.uint8), nothing, nothing)
        _, offsets, values = texts.buffers()
        every = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
        first, last = int(every[0]), int(every[-1])
        edges = every.astype(np.int64) - first
        if values is None or last == first:
            return cls(pa.py_buffer(b""), np.empty(0, np.uint8), edges[:-1], edges[1:])
        inner = values.slice(first, last - first)
        return cls(inner, np.frombuffer(inner, np.uint8), edges[:-1], edges[1:])

    def find(self, wanted: bytes) -> Positions:
        """Where one of some bytes stands."""
        if len(wanted) == 1:
            return np.flatnonzero(self.data == wanted[0])
        table = np.zeros(256, dtype=bool)
        table[list(wanted)] = True
        return np.flatnonzero(table[self.data])

    def rows(self, places: Positions) -> Positions:
        """The number of the text that each place is in; places ascend."""
        behind = np.searchsorted(places, self.ends)
        return np.repeat(np.arange(len(self.ends)), np.diff(behind, prepend=0))

    def cut(self, starts: Positions, ends: Positions) -> pa.Array:
        """The texts between places, which ascend and do not overlap; an empty one is null."""
        return cut_texts(self.buffer, starts, np.maximum(ends - starts, 0))


@dataclass(frozen=True, slots=True)
class Quotes:
    """Where the quotes of texts stand, two by two.

    A text with an odd number of quotes is taken as one without: nothing in it is inside.
    """

    places: Positions

    @classmethod
    def of(cls, texts: TextBytes, quote: int) -> Quotes:
        """The quotes of texts; one behind a backslash is no quote.

        >>> texts = TextBytes.of(pa.array(['a="b c"', 'd="']))
        >>> quotes = Quotes.of(texts, ord('"'))
        >>> quotes.places.tolist()
        [2, 6]
        """
        places = np.flatnonzero(texts.data == quote)
        if len(places) and np.any(texts.data == _BACKSLASH):
            places = places[~find_escaped(texts.data, places)]
        counts = np.diff(np.searchsorted(places, np.append(texts.starts, texts.ends[-1:])))
        odd = counts % 2 == 1
        return cls(places[~np.repeat(odd, counts)] if odd.any() else places)

    def inside(self, places: Positions) -> Flags:
        """Which places are between two quotes. Places ascend, and no quote is among them.

        >>> texts = TextBytes.of(pa.array(['a,"b,c"', 'd",']))
        >>> Quotes.of(texts, ord('"')).inside(texts.find(b",")).tolist()
        [False, True, False]
        """
        # There are fewer quotes than places: each is looked for among these. It turns round what is
        # behind it, and as every text has an even number, a text begins outside.
        turns = np.bincount(np.searchsorted(places, self.places), minlength=len(places))
        inside: Flags = (np.cumsum(turns[: len(places)]) & 1).astype(bool)
        return inside


_BACKSLASH = ord("\\")


def find_escaped(data: npt.NDArray[np.uint8], places: Positions) -> Flags:
    """Which places have an odd number of backslashes before them (up to eight are looked at)."""
    escaped = np.zeros(len(places), dtype=bool)
    going = np.ones(len(places), dtype=bool)
    for back in range(1, 9):
        going &= (places >= back) & (data[np.maximum(places - back, 0)] == _BACKSLASH)
        if not going.any():
            break
        escaped ^= going
    return escaped


def scatter(values: pa.Array, rows: Positions, size: int) -> pa.Array:
    """Values of some rows as a column of all rows, null elsewhere; rows ascend, none twice.

    >>> scatter(pa.array(["a", "b"]), np.array([0, 2]), 3).to_pylist()
    ['a', None, 'b']
    """
    if len(values) == size:
        return values
    place = np.zeros(size, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    missing = np.ones(size, dtype=bool)
    missing[rows] = False
    return values.take(pa.array(place, mask=missing))
