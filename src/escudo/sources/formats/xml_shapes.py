"""Event XML of few shapes -> columns, many events at once; ``event_xml`` calls it.

Machines write their events in few shapes: the tags are the same, the values differ. An event is
taken here only after each of its tags was compared, byte for byte, with those of an example whose
fields a true XML parser has named (``xml_element``). Every other event is left to that parser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.events import Values
from escudo.sources.formats.bytesviews import (
    PADDING,
    Positions,
    Words,
    find_next,
)
from escudo.sources.formats.xml_element import Field, NotAnEventError, read_event_fields

_TAG = re.compile(
    rb"<(?P<close>/)?(?P<name>[^\s/<>='\"!?]+)(?P<attributes>(?:\s+[\w:.-]+\s*=\s*(?:'[^'<]*'|\"[^\"<]*\"))*)"
    rb"\s*(?P<empty>/)?>"
)
_ATTRIBUTE = re.compile(rb"[\w:.-]+\s*=\s*(?:'(?P<one>[^'<]*)'|\"(?P<two>[^\"<]*)\")")
_VARYING_ATTRIBUTES = frozenset({b"TimeCreated", b"Execution", b"Correlation", b"Security"})
_CONSTANT_TEXTS = frozenset({b"EventID", b"Version", b"Level", b"Task", b"Opcode", b"Channel"})
_LONGEST_FIXED = PADDING // 2
"""Bytes of tags between two values, at most; events with more are read one by one."""
_EXAMPLES = 8
"""Events of a group that are tried as examples of its shape."""
_MOST_SHAPES = 2000
"""Shapes that are remembered; of more, all are forgotten and learned anew."""
_AT_ONCE = 32_000
"""Edges that are looked at together: as many as a processor's cache holds."""
_BYTES_AT_ONCE = 1 << 18
"""Bytes that are compared together, for the same reason."""
_AMPERSAND = 0x26
_MARK = "\ue0f0{}\ue0f1"
_ANY_MARK = re.compile("\ue0f0\\d+\ue0f1")
_NEWLINE = 0x0A
_MARKED = re.compile("^\ue0f0(\\d+)\ue0f1$")


@dataclass(frozen=True, slots=True)
class _Piece:
    """What stands between two tags' ``<``: fixed text with values in its gaps.

    ``fixed`` has one text more than there are values; a value before a quote ends at that quote,
    the last one before an empty fixed text ends at the next ``<``.
    """

    fixed: tuple[bytes, ...]
    first_value: int

    @property
    def values(self) -> int:
        return len(self.fixed) - 1


@dataclass(frozen=True, eq=False)
class Shape:
    """The tags of an event and which fields its values are."""

    pieces: tuple[_Piece, ...]
    fields: tuple[tuple[str, str | int | tuple[str | int, ...]], ...]
    values: int
    plan: _Plan
    rendered: tuple[str, ...] | None = None
    """What stands between the values when the event is rendered without its layout."""


@dataclass(frozen=True)
class _Plan:
    """A shape as arrays.

    An event is cut at its edges: its start, each value's start and end, its end. What is between
    the values is ``fixed`` (all of it, joined), in pieces of ``lengths``. An edge is ``offsets``
    after the tag of number ``tags``, but for those in ``searched``: a tag's value (its number, the
    byte that ends it, how long the text behind it is) that has others behind it. ``ends`` are the
    last values of tags, which must not have the byte that ends them.
    """

    tags: Positions
    offsets: Positions
    fixed: npt.NDArray[np.uint8]
    lengths: Positions
    searched: tuple[tuple[int, int, int], ...]
    ends: tuple[tuple[int, int], ...]


def _plan(pieces: Sequence[_Piece]) -> _Plan:
    edges = [(0, 0)]
    fixed = [b""]
    searched: list[tuple[int, int, int]] = []
    ends: list[tuple[int, int]] = []
    for tag, piece in enumerate(pieces):
        fixed[-1] += piece.fixed[0]
        for number, text in enumerate(piece.fixed[1:]):
            value = piece.first_value + number
            edges.append((tag, len(piece.fixed[0])) if number == 0 else (tag, 0))
            if number + 1 < piece.values:
                edges.append((tag, 0))
                searched.append((value, text[0], len(text)))
            else:
                edges.append((tag + 1, -len(text)))
                if text:
                    ends.append((value, text[0]))
            fixed.append(text)
    edges.append((len(pieces) - 1, len(pieces[-1].fixed[-1])))
    tags, offsets = zip(*edges, strict=True)
    return _Plan(
        np.array(tags, np.int64),
        np.array(offsets, np.int64),
        np.frombuffer(b"".join(fixed), np.uint8),
        np.array([len(text) for text in fixed], np.int64),
        tuple(searched),
        tuple(ends),
    )


@dataclass(frozen=True, slots=True)
class Frames:
    """Events in a padded buffer: the positions of every ``<``, and each event's first and last."""

    buffer: bytes
    words: Words
    tags: Positions
    first: Positions
    last: Positions


@dataclass(frozen=True, slots=True)
class Group:
    """Events of one shape: their numbers among the frames, and how they are cut.

    ``entities`` is whether there can be any to decode.
    """

    numbers: npt.NDArray[np.intp]
    shape: Shape
    cut: _Cut
    entities: bool

    def columns(self) -> tuple[dict[str, Values], pa.Array | None]:
        """The events' fields, and their text where it is not what stands in the buffer."""
        columns = [self.cut.value(n) for n in range(self.shape.values)]
        rendered = None
        if self.shape.rendered is not None:
            columns = [_without_layout(c) for c in columns]
            rendered = _rendered(self.shape.rendered, columns, len(self.cut))
        if self.entities:
            columns = [_decoded(c) for c in columns]
        return _fields(self.shape, columns, len(self.cut)), rendered


@dataclass
class Shapes:
    """Reads frames by shape; remembers the shapes it has met.

    Fewer than ``least`` events of a shape are left: reading them one by one takes less. ``form``
    takes away the layout of events that were pretty-printed.
    """

    least: int = 24
    form: Callable[[bytes], bytes] | None = None
    _known: dict[bytes, Shape | None] = field(default_factory=dict)
    _likely: dict[int, list[Shape]] = field(default_factory=dict)

    def groups(self, frames: Frames) -> Iterator[Group]:
        """Groups of events of one shape. Events in no group fit none."""
        data = pa.py_buffer(frames.buffer)
        entities = b"&" in frames.buffer
        for key, left in _groups(frames, self.least):
            for shape in self._candidates(key, frames, left):
                fits, cut = _match(frames, data, left, shape)
                if len(cut):
                    yield Group(left[fits], shape, cut, entities)
                    left = left[~fits]
                if len(left) < self.least:
                    break

    def _candidates(self, key: int, frames: Frames, group: npt.NDArray[np.intp]) -> Iterator[Shape]:
        """Shapes to try: those that such events had before, then those of some examples."""
        likely = self._likely.setdefault(key, [])
        yield from tuple(likely)
        for number in group[:: max(1, len(group) // _EXAMPLES)][:_EXAMPLES].tolist():
            shape = self._shape_of(frames, number)
            if shape is not None and shape not in likely:
                likely.append(shape)
                yield shape

    def _shape_of(self, frames: Frames, number: int) -> Shape | None:
        start = int(frames.tags[frames.first[number]])
        stop = int(frames.tags[frames.last[number]]) + len(b"</Event>")
        text = frames.buffer[start:stop]
        key = b"\0".join(_skeleton(text))
        if key not in self._known:
            if len(self._known) >= _MOST_SHAPES:
                self._known.clear()
                self._likely.clear()
            self._known[key] = learn_shape(text, self.form)
        return self._known[key]


def _groups(frames: Frames, least: int) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    """Events that probably have one shape: as many tags, and the same start of the event id."""
    count = (frames.last - frames.first).astype(np.uint64)
    key = count * np.uint64(0x9E3779B97F4A7C15)
    for tag in (3, 4):
        at = frames.tags[np.minimum(frames.first + tag, len(frames.tags) - 1)]
        key ^= frames.words[at + len("<EventID>")] * np.uint64(0xC2B2AE3D27D4EB4F + 2 * tag)
    order = np.argsort(key, kind="stable")
    edges = np.flatnonzero(np.diff(key[order])) + 1
    for group in np.split(order, edges):
        if len(group) >= least:
            yield int(key[group[0]]), group


def _skeleton(text: bytes) -> Iterator[bytes]:
    """What tells an event's shape: its tags without varying attributes, and constant texts."""
    for piece in _pieces(text) or ():
        yield from piece.fixed


def _pieces(text: bytes) -> list[_Piece] | None:
    """The pieces of an event; None where it has what shapes do not cover (CDATA, comments)."""
    parts = text.split(b"<")[1:]
    pieces: list[_Piece] = []
    values = 0
    for number, part in enumerate(parts):
        match = _TAG.match(b"<" + part)
        if match is None:
            return None
        tag, rest = match.group(), part[match.end() - 1 :]
        fixed = [tag]
        if match["name"] in _VARYING_ATTRIBUTES and not match["close"]:
            fixed = _around_attributes(tag)
        leaf = (
            not match["close"]
            and not match["empty"]
            and number + 1 < len(parts)
            and parts[number + 1].startswith(b"/" + match["name"])
            and match["name"] not in _CONSTANT_TEXTS
            and len(fixed) == 1
        )
        if leaf and match["name"] not in _VARYING_ATTRIBUTES and match["name"] != b"Provider":
            fixed = [tag, b""]
        elif rest:
            fixed[-1] += rest
        pieces.append(_Piece(tuple(fixed), values))
        values += len(fixed) - 1
    return pieces


def _around_attributes(tag: bytes) -> list[bytes]:
    fixed = []
    at = 0
    for attribute in _ATTRIBUTE.finditer(tag):
        group = "one" if attribute["one"] is not None else "two"
        fixed.append(tag[at : attribute.start(group)])
        at = attribute.end(group)
    fixed.append(tag[at:])
    return fixed


def learn_shape(text: bytes, form: Callable[[bytes], bytes] | None = None) -> Shape | None:
    """The shape of an event by its text; None if shapes cannot say what its fields are.

    >>> shape = learn_shape(b"<Event><System><EventID>1</EventID><Computer>pc</Computer>"
    ...                       b"</System></Event>")
    >>> shape.fields
    (('EventID', '1'), ('Computer', 0))
    """
    pieces = _pieces(text)
    if pieces is None or max(sum(map(len, p.fixed)) for p in pieces) > _LONGEST_FIXED:
        return None
    marked = []
    for piece in pieces:
        for offset, fixed in enumerate(piece.fixed):
            marked.append(fixed.decode())
            if offset < piece.values:
                marked.append(_MARK.format(piece.first_value + offset))
    whole = "".join(marked)
    if form is not None:
        whole = form(whole.encode()).decode()
    try:
        fields_of_marks = read_event_fields(whole)
    except NotAnEventError:
        return None
    fields = []
    for name, value in fields_of_marks.items():
        if isinstance(value, list) and name != "Data":
            return None
        meaning = _meaning(value)
        if meaning is None:
            return None
        fields.append((name, meaning))
    values = pieces[-1].first_value + pieces[-1].values
    rendered = None if form is None else tuple(_ANY_MARK.split(whole))
    return Shape(tuple(pieces), tuple(fields), values, _plan(pieces), rendered)


def _meaning(value: Field) -> str | int | tuple[str | int, ...] | None:
    if isinstance(value, list):
        members = [_meaning(v) for v in value]
        return (
            tuple(m for m in members if isinstance(m, (str, int))) if None not in members else None
        )
    marked = _MARKED.match(value)
    if marked:
        return int(marked[1])
    return None if "\ue0f0" in value else value


class _Cut:
    """Events cut at their edges: a row of edges for each event, in the order of the buffer."""

    def __init__(self, data: pa.Buffer, edges: npt.NDArray[np.int32]) -> None:
        self._data = data
        self._edges = edges
        self._pieces = pa.Array.from_buffers(
            pa.string(), max(0, edges.size - 1), [None, pa.py_buffer(edges), data]
        )

    def __len__(self) -> int:
        return len(self._edges)

    def fixed(self, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """What is between the values of some events: a row for each, which must be equally long."""
        width = self._edges.shape[1]
        numbers = np.arange(start * width, stop * width, 2, dtype=np.int64)
        taken = pc.take(self._pieces, pa.array(numbers), boundscheck=False)
        size = int(np.frombuffer(taken.buffers()[1], np.int32)[len(numbers)])
        return np.frombuffer(taken.buffers()[2], np.uint8, size).reshape(stop - start, -1)

    def value(self, number: int) -> pa.Array:
        """A value of each event; null where it is empty."""
        size, width = self._edges.shape
        numbers = np.arange(2 * number + 1, size * width, width, dtype=np.int64)
        values = pc.take(self._pieces, pa.array(numbers), boundscheck=False)
        present = self._edges[:, 2 * number + 2] > self._edges[:, 2 * number + 1]
        missing = size - int(np.count_nonzero(present))
        if not missing:
            return values
        valid = pa.py_buffer(np.packbits(present, bitorder="little"))
        return pa.Array.from_buffers(
            pa.string(), size, [valid, *values.buffers()[1:]], null_count=missing
        )

    def only(self, events: npt.NDArray[np.bool_]) -> _Cut:
        return self if events.all() else _Cut(self._data, self._edges[events])


def _match(
    frames: Frames, data: pa.Buffer, group: npt.NDArray[np.intp], shape: Shape
) -> tuple[npt.NDArray[np.bool_], _Cut]:
    """Which events have just the text of the shape around their values; those events, cut."""
    fits = frames.last[group] - frames.first[group] + 1 == len(shape.pieces)
    rows = np.flatnonzero(fits)
    edges, good = _edges(frames, frames.first[group[rows]], shape.plan)
    cut = _Cut(data, edges).only(good)
    for check in (_same_text, _well_ended):
        fits[rows[~good]] = False
        rows = rows[good]
        good = check(cut, shape.plan)
        cut = cut.only(good)
    fits[rows[~good]] = False
    return fits, cut


def _edges(
    frames: Frames, first: Positions, plan: _Plan
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """The edges of events, and whether they are as far from each other as those of the shape."""
    edges = np.empty((len(first), len(plan.tags)), dtype=np.int32)
    good = np.empty(len(first), dtype=bool)
    step = max(1, _AT_ONCE // len(plan.tags))
    for start in range(0, len(first), step):
        at = frames.tags[first[start : start + step, None] + plan.tags]
        at += plan.offsets
        for value, byte, length in plan.searched:
            stop = find_next(frames.words, at[:, 2 * value + 1], byte)
            at[:, 2 * value + 2] = stop
            at[:, 2 * value + 3] = stop + length
        lengths = np.diff(at, axis=1)
        good[start : start + step] = (lengths[:, 0::2] == plan.lengths).all(axis=1) & (
            lengths[:, 1::2] >= 0
        ).all(axis=1)
        edges[start : start + step] = at
    return edges, good


def _same_text(cut: _Cut, plan: _Plan) -> npt.NDArray[np.bool_]:
    """Whether all that is not a value is the shape's, byte for byte; some events at a time."""
    good = np.empty(len(cut), dtype=bool)
    step = max(1, _BYTES_AT_ONCE // len(plan.fixed))
    for start in range(0, len(cut), step):
        stop = min(start + step, len(cut))
        good[start:stop] = (cut.fixed(start, stop) == plan.fixed).all(axis=1)
    return good


def _well_ended(cut: _Cut, plan: _Plan) -> npt.NDArray[np.bool_]:
    """Whether no attribute's value has the quote that ends it: it would be more than one."""
    good = np.ones(len(cut), dtype=bool)
    for value, byte in plan.ends:
        has = pc.match_substring(cut.value(value), chr(byte))
        good &= ~pc.fill_null(has, False).to_numpy(zero_copy_only=False)
    return good


def _without_layout(column: pa.Array) -> pa.Array:
    """An empty element that a pretty-printer closed on the next line has no value."""
    text = column.buffers()[2]
    if text is None or not (np.frombuffer(text, np.uint8) == _NEWLINE).any():
        return column
    blank = pc.match_substring_regex(column, r"^\n *$")
    return pc.if_else(blank, pa.scalar(None, pa.string()), column)


def _rendered(fixed: Sequence[str], columns: Sequence[pa.Array], size: int) -> pa.Array:
    """The events' text, put together from what stands between the values and the values."""
    if not columns:
        return pa.repeat(pa.scalar(fixed[0]), size)
    parts: list[pa.Array | pa.Scalar] = [pa.scalar(fixed[0])]
    for column, text in zip(columns, fixed[1:], strict=True):
        parts += [column, pa.scalar(text)]
    return pc.binary_join_element_wise(*parts, "", null_handling="replace", null_replacement="")


def _fields(shape: Shape, columns: Sequence[pa.Array], size: int) -> dict[str, Values]:
    """The columns of a shape's fields."""
    out: dict[str, Values] = {}
    for name, meaning in shape.fields:
        if isinstance(meaning, tuple):
            out[name] = _lists([m if isinstance(m, str) else columns[m] for m in meaning], size)
        else:
            out[name] = meaning if isinstance(meaning, str) else columns[meaning]
    for name in [n for n in out if n.startswith("System.")]:
        _give_way(out, name)
    return out


def _give_way(out: dict[str, Values], name: str) -> None:
    """Where an EventData value is empty, the System field of the same name keeps its name."""
    plain = name.removeprefix("System.")
    own, system = out[plain], out[name]
    if isinstance(own, str) or own.null_count == 0:
        return
    there = pc.is_valid(own)
    out[plain] = pc.if_else(there, own, system)
    out[name] = pc.if_else(there, system, pa.scalar(None, pa.string()))


def _lists(members: Sequence[Values], size: int) -> pa.Array:
    """One list a row of the members that are not empty; no list where all are."""
    arrays = [pa.repeat(pa.scalar(m), size) if isinstance(m, str) else m for m in members]
    valid = np.column_stack([pc.is_valid(a).to_numpy(zero_copy_only=False) for a in arrays])
    row, column = np.nonzero(valid)
    counts = valid.sum(axis=1)
    offsets = np.zeros(size + 1, dtype=np.int32)
    np.cumsum(counts, out=offsets[1:])
    items = pa.concat_arrays(arrays).take(pa.array(column * size + row))
    empty = counts == 0
    mask = pa.array(empty) if empty.any() else None
    return pa.ListArray.from_arrays(pa.array(offsets), items, mask=mask)


_ENTITY = re.compile(r"&(?:#x([0-9A-Fa-f]+)|#([0-9]+)|(lt|gt|amp|quot|apos));")
_NAMED = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "amp": "&"}
"""The entities of XML; the ampersand last, so that nothing is decoded twice."""


def _decoded(column: pa.Array) -> pa.Array:
    """The column with its entities decoded, where it has any."""
    text = column.buffers()[2]
    if text is None or not (np.frombuffer(text, np.uint8) == _AMPERSAND).any():
        return column
    has = pc.match_substring(column, "&")
    values = column.filter(has)
    if pc.any(pc.match_substring(values, "&#")).as_py():
        values = pa.array([_ENTITY.sub(_character, v) for v in values.to_pylist()], pa.string())
    else:
        for name, character in _NAMED.items():
            values = pc.replace_substring(values, f"&{name};", character)
    if len(values) == len(column):
        return values
    return pc.replace_with_mask(column, pc.fill_null(has, False), values)


def _character(match: re.Match[str]) -> str:
    hexadecimal, decimal, name = match.groups()
    if name:
        return _NAMED[name]
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    legal = code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE
    return chr(code) if legal or 0x10000 <= code < 0x110000 else "\ufffd"
