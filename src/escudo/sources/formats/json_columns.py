"""JSON lines -> columns by path, by DuckDB and a count of keys; ``json_events`` calls it.

DuckDB's ``from_json`` is the fastest parser at hand, and it ignores what it is not told of. So the
keys in the text are counted too: every key that it found is one of them, hence equal numbers mean
that nothing was missed, first of all lines together. Where they differ, lines with more keys than
were found teach the reader new paths, some of them at a time; lines that then do not add up (mixed
types, keys given twice) are read one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import duckdb
import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from escudo.sources.formats.bytesviews import Positions
from escudo.sources.formats.json_found import Found
from escudo.sources.formats.json_leaves import Path, read_by_line, walk_leaves

Bytes: TypeAlias = npt.NDArray[np.uint8]
Counts: TypeAlias = npt.NDArray[np.int64]

_COLON, _QUOTE, _BLANK, _TAB, _NULL, _OBJECT, _ARRAY, _BACKSLASH, _COMMA = b':" \tn{[\\,'
_OBJECT_END = ord("}")
_VALUE = np.frombuffer(b'":"', np.uint8)
"""What stands before a text that is a value."""
_NO_KEY_END = [_OBJECT, _COMMA, _BACKSLASH]
_PIECE = 1 << 20
"""Bytes that are looked at together: what is between two loops stays in the cache."""
_SMALL_PIECE = 1 << 18
"""Bytes that are looked at together where nothing but bytes are looked at."""
_LINES_AT_ONCE = 512
"""Lines that DuckDB parses together: 12 % faster than all of a block (2026-11-24, 2 cores)."""
_NO_LINES = pa.table({"line": pa.array([], pa.string())})
_LEARN_LINES = 200
"""Lines, from all over a block, that teach new paths in one round."""
_MOST_PATHS = 3000
"""Paths that are known at once; lines with more are read one by one."""


@dataclass
class JsonLines:
    """Reads lines of JSON objects; remembers the paths it has met.

    At most ``few`` lines are read one by one: a database costs more.
    """

    few: int = 200
    _scalars: dict[Path, None] = field(default_factory=dict)
    _lists: dict[Path, None] = field(default_factory=dict)
    """Those with an array in their path, or at its end."""
    _taken: set[Path] = field(default_factory=set)
    """The paths of both without the braces at their ends: a text and texts exclude each other."""
    _parser: _Parser | None = None
    _only_texts: bool = True
    """So far a check that is twice as fast, but knows texts only, was as good as the full one."""

    @property
    def known_paths(self) -> int:
        """How many paths it looks for in every line."""
        return len(self._scalars) + len(self._lists)

    def count(self, text: Bytes) -> int | None:
        """What ``columns`` wants to know of the text of whole lines; counts are added up.

        None: it must find out itself, also where it is so for a part of the lines only.
        """
        return _keys_of_texts(text) if self._only_texts else None

    def columns(
        self, lines: pa.Array, count: int | None
    ) -> Iterator[tuple[npt.NDArray[np.intp], dict[Path, pa.Array]]]:
        """Groups of lines (their numbers) with their values. Every line is in one group.

        Raises ValueError where a line is not a JSON object.
        """
        everything = np.arange(len(lines))
        if len(lines) <= self.few:
            yield everything, read_by_line(_loaded(lines, everything))
            return
        if not self._scalars:
            self._learn(_loaded(lines, _some(everything)))
        found = self._parse(lines)
        if self._nothing_missed(lines, count, found):
            yield everything, self._columns(found)
            return
        keys = _Keys.of(lines)
        fits = keys.add_up(found)
        if self._learn_from(lines, keys, np.flatnonzero(~fits)):
            found = self._parse(lines)
            fits = keys.add_up(found)
        strange = np.flatnonzero(~fits)
        if len(strange) == 0:
            yield everything, self._columns(found)
            return
        good = pa.array(fits)
        paths = self._columns(found)
        yield np.flatnonzero(fits), {path: v.filter(good) for path, v in paths.items()}
        yield strange, read_by_line(_loaded(lines, strange))

    def _nothing_missed(self, lines: pa.Array, count: int | None, found: Found) -> bool:
        """Whether the keys of all lines together are as many as the values that were found."""
        if count is not None and count == found.count_values():
            return True
        complete = bool(_Keys.of(lines, together=True).add_up(found).all())
        self._only_texts &= count is not None and not complete
        return complete

    def _learn_from(self, lines: pa.Array, keys: _Keys, strange: npt.NDArray[np.intp]) -> bool:
        """Learns the paths of lines that do not add up, from some of them at a time."""
        learned = False
        while len(strange):
            if not self._learn(_loaded(lines, _some(strange))):
                break
            learned = True
            found = self._parse(lines.take(pa.array(strange)))
            strange = strange[~keys.take(strange).add_up(found)]
        return learned

    def _learn(self, events: Sequence[Mapping[str, Any]]) -> bool:
        """Takes note of the paths of some events; whether there was a new one."""
        before = self.known_paths
        for event in events:
            if not isinstance(event, dict) or self.known_paths > _MOST_PATHS:
                continue
            for path, value in walk_leaves(event):
                listed = isinstance(value, list)
                plain = (*path[:-1], path[-1].removesuffix("{}"))
                # A key that ends like an array's, above a value that is none. And DuckDB's structs
                # have no field without a name.
                foreign = not listed and any(part.endswith("{}") for part in path[:-1])
                if not foreign and plain not in self._taken and not _has_unnamed(plain):
                    self._taken.add(plain)
                    known = self._lists if listed else self._scalars
                    known[path if listed else plain] = None
        if self.known_paths == before:
            return False
        self._parser = None
        return True

    def _parse(self, lines: pa.Array) -> Found:
        if not self.known_paths:
            return Found(len(lines))
        parser = self._parser
        if parser is None:
            parser = self._parser = _Parser([*self._scalars, *self._lists])
        table = parser.parse(lines)
        found = Found(len(lines))
        for column in table.columns:
            # Arrow would copy a chunk that is alone.
            whole = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
            found.add(whole)
        return found

    def _columns(self, found: Found) -> dict[Path, pa.Array]:
        """The values by path, in the order in which the paths were met."""
        out = found.columns()
        return {path: out[path] for path in (*self._scalars, *self._lists) if path in out}


class _Parser:
    """A query that takes lines apart into a struct a layer.

    It is planned anew for each block. That costs less than a prepared statement, whose rows DuckDB
    copies twice before they are Arrow's: 3.0 against 3.7 us an event of fifty fields.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        columns = [
            f"from_json(line, {_quoted(_structure(layer))}) AS j{number}"
            for number, layer in enumerate(_layers(_without_texts_above(paths)))
        ]
        self._input = _Input(_NO_LINES)
        # One of its own: a shared one held 180 MB more after a hundred files, and was no faster.
        connection = duckdb.connect(config={"threads": 1})
        connection.register("lines", self._input)
        self._parsed = connection.sql(f"SELECT {', '.join(columns)} FROM lines")

    def parse(self, lines: pa.Array) -> pa.Table:
        """A struct column a layer; ValueError where a line is not a JSON object."""
        some = [lines.slice(at, _LINES_AT_ONCE) for at in range(0, len(lines), _LINES_AT_ONCE)]
        self._input.table = pa.table({"line": pa.chunked_array(some, pa.string())})
        try:
            return self._parsed.to_arrow_table()
        except duckdb.Error as error:
            raise ValueError(str(error)) from None
        finally:
            self._input.table = _NO_LINES


class _Input:
    """The table that a query reads; it changes under the query."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


def _some(numbers: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Some lines from all over."""
    return numbers[:: -(-len(numbers) // _LEARN_LINES)]


def _loaded(lines: pa.Array, numbers: npt.NDArray[np.intp]) -> list[Any]:
    return [orjson.loads(text) for text in lines.take(pa.array(numbers)).to_pylist()]


@dataclass(frozen=True)
class _Keys:
    """What the text of each line says, or that of all together: its keys, what is behind them."""

    keys: Counts
    nulls: Counts
    objects: Counts
    arrays: Counts
    doubtful: Counts
    """A quote and a colon inside a text look like a key."""

    @classmethod
    def of(cls, lines: pa.Array, *, together: bool = False) -> _Keys:
        """Counts for each line; ``together``, one count for all lines, which takes a fraction."""
        offsets = _offsets(lines)
        data = view_bytes(lines)
        size = 1 if together else len(lines)
        counts = np.zeros((5, size), np.int64)
        for start in range(0, len(data), _PIECE):
            colons = np.flatnonzero(data[start : start + _PIECE] == _COLON)
            colons += start
            looks = _looks(data, colons)
            if together:
                counts += [[np.count_nonzero(which)] for which in looks]
                continue
            line = np.searchsorted(offsets[1:], colons, side="right")
            for number, which in enumerate(looks):
                if which.any():
                    counts[number] += np.bincount(line[which], minlength=size)
        return cls(*counts)

    def take(self, numbers: npt.NDArray[np.intp]) -> _Keys:
        """What some of the lines say."""
        counts = (self.keys, self.nulls, self.objects, self.arrays, self.doubtful)
        return _Keys(*(count[numbers] for count in counts))

    def add_up(self, found: Found) -> npt.NDArray[np.bool_]:
        """Whether each line has just the keys that were found, objects and arrays where known.

        One answer for all lines if their keys were counted together. An object of which no value
        was found has none, if all that have one were found and no object was taken for a text.
        """
        together = len(self.keys) == 1
        values, objects, arrays, unsure = found.tally(together=together)
        fits = (
            (self.keys - self.nulls - self.objects == values)
            & (self.arrays == arrays)
            & (self.doubtful + unsure == 0)
        )
        hollow = fits & (self.objects != objects)
        if hollow.any():
            fits &= ~hollow | (found.like_objects(together=together) == 0)
        return np.asarray(fits)


def _offsets(lines: pa.Array) -> npt.NDArray[np.int32]:
    return np.frombuffer(lines.buffers()[1], np.int32)[: len(lines) + 1]


def view_bytes(lines: pa.Array) -> Bytes:
    """The text of an array's lines, one behind the other; the array begins with its buffers."""
    return np.frombuffer(lines.buffers()[2], np.uint8)[: _offsets(lines)[-1]]


def _keys_of_texts(data: Bytes) -> int | None:
    """At least as many as there are keys, if all have texts right behind them; None if not.

    A key's colon has a quote or a blank before it. So has the colon that a value begins with, and
    is left out; and others may have, in texts, that are not. If there are only as many as values
    that were found, there were no more keys.

    >>> [_keys_of_texts(np.frombuffer(text, np.uint8)) for text in
    ...  (b'{"a":"::1","b" :"y:z"}', b'{"a":"x :","b":"y"}', b'{"a":1}', b'{"a": "x"}')]
    [2, 3, None, None]
    """
    total = 0
    for start in range(1, len(data) - 1, _SMALL_PIECE):
        stop = min(start + _SMALL_PIECE, len(data) - 1)
        looks = data[start:stop] == _COLON
        looks &= data[start - 1 : stop - 1] <= _QUOTE
        keys = looks & (data[start + 1 : stop + 1] == _QUOTE)
        total += int(np.count_nonzero(keys))
        looks ^= keys
        if looks.any() and not _begin_values(data, np.flatnonzero(looks) + start):
            return None
    return total


def _begin_values(data: Bytes, colons: Positions) -> bool:
    """Whether colons are the first bytes of values, and surely not behind keys that end alike."""
    before = data[np.maximum(colons[:, np.newaxis] - [4, 3, 2, 1], 0)]
    key_end, behind = before[:, 0], before[:, 1:]
    # A blank, too: between a comma and the key that is nothing but a colon.
    sure = (key_end > _BLANK) & ~np.isin(key_end, _NO_KEY_END)
    return bool((behind == _VALUE).all() and sure.all())


def _looks(data: Bytes, colons: Positions) -> tuple[npt.NDArray[np.bool_], ...]:
    """Which colons stand behind a key; those of nulls, objects and arrays; those in doubt.

    An empty object is no value, as null is none: in CloudTrail's and Entra's logs most events have
    one (2026-11-30).
    """
    before, second = data[colons - 1], data[colons - 2]
    quoted = before == _QUOTE
    # A value that begins with a colon looks like a key, but for the key before it.
    at = colons - 2 - (second == _BLANK)
    third = data[at]
    value = quoted & (third == _COLON) & (data[at - 1] == _QUOTE)
    key = quoted & ~value
    last = len(data) - 1
    behind, next_ = data[np.minimum(colons + 1, last)], data[np.minimum(colons + 2, last)]
    spaced = behind == _BLANK
    if spaced.any():
        behind[spaced] = next_[spaced]
        next_[spaced] = data[np.minimum(colons[spaced] + 3, last)]
    object_ = key & (behind == _OBJECT)
    empty = object_ & (next_ == _OBJECT_END)
    # A key that begins with a colon would be told apart by nothing, one with a blank behind it
    # is not seen.
    doubtful = key & ((third == _OBJECT) | (third == _COMMA) | (second == _BACKSLASH))
    doubtful |= (second == _QUOTE) & ((before == _BLANK) | (before == _TAB))
    return (
        key,
        key & (behind == _NULL) | empty,
        object_ & ~empty,
        key & (behind == _ARRAY),
        doubtful,
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _has_unnamed(path: Path) -> bool:
    return any(part in ("", "{}") for part in path)


def _folded(path: Path) -> Path:
    """A path as DuckDB's structs know it: without case, an array as what it is an array of."""
    return tuple(part.lower().removesuffix("{}") for part in path)


def _without_texts_above(paths: Sequence[Path]) -> list[Path]:
    """The paths but those of texts where others have objects: DuckDB gives an object as a text.

    >>> _without_texts_above([("a",), ("a", "b"), ("c{}",), ("c{}", "d"), ("c",)])
    [('a', 'b'), ('c{}', 'd')]
    """
    above = {_plain(path[:depth]) for path in paths for depth in range(1, len(path))}
    return [path for path in paths if _plain(path) not in above]


def _plain(path: Path) -> Path:
    return tuple(part.removesuffix("{}") for part in path)


def _layers(paths: Sequence[Path]) -> list[list[Path]]:
    """Paths in as few groups as need be: DuckDB's structs hold no names that differ in case only,
    and a field is an object or an array.

    >>> _layers([("ProcessId",), ("ProcessID",), ("a", "b")])
    [[('ProcessId',), ('a', 'b')], [('ProcessID',)]]
    >>> _layers([("a", "b"), ("a{}", "b"), ("a{}", "c")])
    [[('a', 'b')], [('a{}', 'b'), ('a{}', 'c')]]
    """
    layers: list[tuple[dict[Path, Path], list[Path]]] = []
    for path in paths:
        folded = {_folded(part): part for part in (path[: n + 1] for n in range(len(path)))}
        for names, members in layers:
            if all(names.get(fold, part) == part for fold, part in folded.items()):
                names.update(folded)
                members.append(path)
                break
        else:
            layers.append((folded, [path]))
    return [members for _, members in layers]


def _structure(paths: Sequence[Path]) -> str:
    """What ``from_json`` is to look for.

    >>> _structure([("a",), ("b{}", "c"), ("b{}", "d{}")])
    '{"a":"VARCHAR","b":[{"c":"VARCHAR","d":["VARCHAR"]}]}'
    """
    root: dict[str, Any] = {}
    for path in paths:
        node = root
        for part, name in zip(path[:-1], _plain(path), strict=False):
            below = node.setdefault(name, {} if name == part else [{}])
            node = below if name == part else below[0]
        *_, name = _plain(path)
        node[name] = "VARCHAR" if name == path[-1] else ["VARCHAR"]
    return orjson.dumps(root).decode()
