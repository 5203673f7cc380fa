"""What DuckDB found in lines -> columns by path, and how many keys it makes; for ``json_columns``.

The values of an array of objects are gathered by path: those of ``d`` in
``{"c":[{"d":"x"},{"d":"y"}]}`` are the two values of ``c{}``, ``d``. They lie one behind the other
in Arrow's buffers already, so that only the offsets of the lines are made anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.formats.json_leaves import Path

Counts: TypeAlias = npt.NDArray[np.int64]
Which: TypeAlias = npt.NDArray[np.bool_]

_UNSURE = r"^(\{\}$|\[.*(\\u|\d{16}|\de))"
"""An empty object; an array in an array that has a control character or a large number, which
parsers write in different ways."""


@dataclass(frozen=True, slots=True)
class _Level:
    """Elements that arrays have as members: those of a line are from its offset to the next."""

    depth: int
    offsets: Counts | None
    """None: an element is a line."""
    size: int

    def below(self, depth: int, lengths: Counts) -> _Level:
        """The members of the elements' arrays."""
        ends = _running(lengths)
        offsets = ends if self.offsets is None else ends[self.offsets]
        return _Level(depth, offsets, int(ends[-1]))

    def per_line(self, which: Which) -> Counts:
        """How many of the elements are so in each line."""
        if self.offsets is None:
            return which.astype(np.int64)
        return np.diff(_running(which)[self.offsets])


@dataclass(frozen=True, slots=True)
class _Part:
    """The values of a path, or an array of objects as such: one of each element of a level."""

    path: Path
    values: pa.Array
    level: _Level

    @property
    def listed(self) -> bool:
        return bool(pa.types.is_list(self.values.type))

    @property
    def of_objects(self) -> bool:
        return self.listed and bool(pa.types.is_struct(self.values.type.value_type))


@dataclass
class Found:
    """The values of ``lines`` lines; ``add`` takes a struct of them."""

    lines: int
    _parts: list[_Part] = field(default_factory=list)
    _members: dict[Path, tuple[pa.Array, _Level]] = field(default_factory=dict)
    """The objects in arrays."""

    def add(self, values: pa.Array) -> None:
        """Notes the values of a struct array, whose nulls are lines without a value."""
        self._walk((), values, _Level(0, None, len(values)))

    def _walk(self, path: Path, values: pa.Array, level: _Level) -> None:
        if pa.types.is_struct(values.type):
            # Where no object is null, its values need no look at it.
            fields = range(values.type.num_fields)
            children = values.flatten() if values.null_count else map(values.field, fields)
            for number, below in enumerate(children):
                self._walk((*path, values.type.field(number).name), below, level)
        elif values.null_count == len(values):
            return
        elif pa.types.is_list(values.type):
            array = (*path[:-1], f"{path[-1]}{{}}")
            part = _Part(array, values, level)
            if array not in self._members:
                self._parts.append(part)
            if part.of_objects:
                members = values.flatten()
                inner = level.below(len(array), _lengths(values))
                self._members.setdefault(array, (members, inner))
                self._walk(array, members, inner)
        else:
            self._parts.append(_Part(path, values, level))

    def like_objects(self, *, together: bool) -> Counts:
        """How many texts may have been objects: of each line, or ``together``."""
        counts = np.zeros(1 if together else self.lines, np.int64)
        for part in self._parts:
            if not part.of_objects:
                counts += _count(*_matching(part, _like_object), together=together)
        return counts

    def columns(self) -> dict[Path, pa.Array]:
        """The values by path: texts, or lists of texts where an array is above them. Null is no
        value, and no member of a list."""
        out: dict[Path, pa.Array] = {}
        for part in self._parts:
            values, offsets = part.values, part.level.offsets
            if part.of_objects:
                continue
            if part.listed:
                if offsets is None and not values.flatten().null_count:
                    out[part.path] = values
                    continue
                offsets = part.level.below(0, _lengths(values)).offsets
                values = values.flatten()
            column = values if offsets is None else _lists(values, offsets)
            if column.null_count < len(column):
                out[part.path] = column
        return out

    def count_values(self) -> int:
        """How many keys have a value that is no object."""
        return sum(len(part.values) - part.values.null_count for part in self._parts)

    def tally(self, *, together: bool) -> tuple[Counts, Counts, Counts, Counts]:
        """Keys with a value that is no object, objects, arrays, and elements in doubt: of each
        line, or ``together``.

        An object is one of which a value was found. In doubt is what DuckDB gives alike: a member
        that is no object among objects, and an object without a value; an empty object where texts
        are, and a text that looks like one.
        """
        values, objects, arrays, unsure = np.zeros((4, 1 if together else self.lines), np.int64)
        filled: dict[Path, tuple[Which, _Level]] = {}
        for part in self._parts:
            above = [part.path[:depth] for depth in range(part.level.depth or 1, len(part.path))]
            there: int | Counts = len(part.values) - part.values.null_count
            if above or not together:
                valid = _valid(part.values)
                for parent in above:
                    others = filled.get(parent)
                    filled[parent] = (valid if others is None else others[0] | valid, part.level)
                there = there if together else part.level.per_line(valid)
            values += there
            if part.listed:
                arrays += there
            if not part.of_objects:
                unsure += _count(*_matching(part, _is_unsure), together=together)
        for path, (members, level) in self._members.items():
            found, _ = filled.pop(path, (np.zeros(level.size, dtype=bool), level))
            unsure += _count(_valid(members) & ~found, level, together=together)
        for which, level in filled.values():
            objects += _count(which, level, together=together)
        return values, objects, arrays, unsure


def _matching(part: _Part, matches: Callable[[pa.Array, bool], pa.Array]) -> tuple[Which, _Level]:
    """Which texts, or members of arrays of texts, are so."""
    texts, level = part.values, part.level
    if part.listed:
        level, texts = level.below(0, _lengths(texts)), texts.flatten()
    which = pc.fill_null(matches(texts, part.listed), False)
    return np.asarray(which.to_numpy(zero_copy_only=False)), level


def _is_unsure(texts: pa.Array, listed: bool) -> pa.Array:
    return pc.match_substring_regex(texts, _UNSURE) if listed else pc.equal(texts, "{}")


def _like_object(texts: pa.Array, _listed: bool) -> pa.Array:
    return pc.starts_with(texts, "{")


def _count(which: Which, level: _Level, *, together: bool) -> int | Counts:
    return int(np.count_nonzero(which)) if together else level.per_line(which)


def _valid(values: pa.Array) -> Which:
    return np.asarray(values.is_valid().to_numpy(zero_copy_only=False))


def _lengths(values: pa.Array) -> Counts:
    """How many members each array has; one that is null has none."""
    lengths = pc.fill_null(pc.list_value_length(values), 0)
    return np.asarray(lengths.to_numpy(zero_copy_only=False)).astype(np.int64)


def _running(counts: Counts | Which) -> Counts:
    out = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=out[1:])
    return out


def _lists(values: pa.Array, offsets: Counts) -> pa.Array:
    """Texts by line; null where a line has none."""
    if values.null_count:
        offsets = _running(_valid(values))[offsets]
        values = values.drop_null()
    none = offsets[1:] == offsets[:-1]
    mask = pa.array(none) if none.any() else None
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), values, mask=mask)
