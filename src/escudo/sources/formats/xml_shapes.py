"""Event XML by shape: events with the same tags at the same places become columns at once.

Machines write their events in few shapes: the tags are the same, the values differ. An event is
taken here only after each of its tags was compared, byte for byte, with those of an example whose
fields a true XML parser has named (``xml_element``). Every other event is left to that parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.assemble import Values
from escudo.sources.formats.bytesviews import (
    PADDING,
    Positions,
    Words,
    text_column,
    up_to,
    word,
)
from escudo.sources.formats.xml_element import Field, NotAnEventError, event_fields

_TAG = re.compile(
    rb"<(?P<close>/)?(?P<name>[^\s/<>='\"!?]+)(?P<attributes>(?:\s+[\w:.-]+\s*=\s*(?:'[^'<]*'|\"[^\"<]*\"))*)"
    rb"\s*(?P<empty>/)?>"
)
_ATTRIBUTE = re.compile(rb"[\w:.-]+\s*=\s*(?:'(?P<one>[^'<]*)'|\"(?P<two>[^\"<]*)\")")
_VARYING_ATTRIBUTES = frozenset({b"TimeCreated", b"Execution", b"Correlation", b"Security"})
_CONSTANT_TEXTS = frozenset({b"EventID", b"Version", b"Level", b"Task", b"Opcode", b"Channel"})
_LONGEST_FIXED = PADDING // 2
_EXAMPLES = 8
_MOST_SHAPES = 2000
_AT_ONCE = 32_000
"""How many words are compared at once: as many as a processor's cache holds."""
_MARK = "\ue0f0{}\ue0f1"
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


@dataclass(frozen=True)
class _Plan:
    """The same as arrays: what is compared at which tag, and which values end at the next tag."""

    word_tags: Positions
    word_offsets: Positions
    word_masks: Words
    words: Words
    whole_tags: Positions
    whole_lengths: Positions
    value_tags: Positions
    value_offsets: Positions
    value_numbers: Positions
    quoted: tuple[tuple[int, _Piece], ...]


def _plan(pieces: Sequence[_Piece]) -> _Plan:
    compared: list[tuple[int, int, int, int]] = []
    whole: list[tuple[int, int]] = []
    values: list[tuple[int, int, int]] = []
    quoted: list[tuple[int, _Piece]] = []
    for tag, piece in enumerate(pieces):
        text = piece.fixed[0]
        compared += [(tag, offset, mask, expected) for offset, mask, expected in _compared(text)]
        if len(piece.fixed) == 1:
            if tag + 1 < len(pieces):
                whole.append((tag, len(text)))
        elif piece.fixed[1:] == (b"",):
            values.append((tag, len(text), piece.first_value))
        else:
            quoted.append((tag, piece))
    word_tags, offsets, masks, expected = zip(*compared, strict=True)
    whole_tags, lengths = zip(*whole, strict=True) if whole else ((), ())
    value_tags, value_offsets, numbers = zip(*values, strict=True) if values else ((), (), ())
    return _Plan(
        np.array(word_tags, np.int64),
        np.array(offsets, np.int64)[:, None],
        np.array(masks, np.uint64)[:, None],
        np.array(expected, np.uint64)[:, None],
        np.array(whole_tags, np.int64),
        np.array(lengths, np.int64)[:, None],
        np.array(value_tags, np.int64),
        np.array(value_offsets, np.int64)[:, None],
        np.array(numbers, np.int64),
        tuple(quoted),
    )


def _compared(text: bytes) -> list[tuple[int, int, int]]:
    """A text as words: offset, which bits count, the bits."""
    if len(text) < 8:
        return [(0, (1 << (8 * len(text))) - 1, int(word(text)))]
    offsets = sorted({*range(0, len(text) - 7, 8), len(text) - 8})
    return [(o, 2**64 - 1, int(word(text[o : o + 8]))) for o in offsets]


@dataclass(frozen=True, slots=True)
class Frames:
    """Events in a padded buffer: the positions of every ``<``, and each event's first and last."""

    buffer: bytes
    words: Words
    tags: Positions
    first: Positions
    last: Positions


@dataclass
class Shapes:
    """Reads frames by shape; remembers the shapes it has met.

    Fewer than ``least`` events of a shape are left: reading them one by one takes less.
    """

    least: int = 24
    _known: dict[bytes, Shape | None] = field(default_factory=dict)
    _likely: dict[int, list[Shape]] = field(default_factory=dict)

    def columns(self, frames: Frames) -> Iterator[tuple[npt.NDArray[np.intp], dict[str, Values]]]:
        """Groups of events (their numbers) with their fields. Events in no group fit no shape."""
        data = pa.py_buffer(frames.buffer)
        entities = b"&" in frames.buffer
        for key, left in _groups(frames, self.least):
            for shape in self._candidates(key, frames, left):
                fits, starts, lengths = _match(frames, left, shape)
                if fits.any():
                    cut = _Cut(data, entities, starts, lengths)
                    yield left[fits], _fields(shape, cut)
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
            self._known[key] = example_shape(text)
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
        found = _TAG.match(b"<" + part)
        if found is None:
            return None
        tag, rest = found.group(), part[found.end() - 1 :]
        fixed = [tag]
        if found["name"] in _VARYING_ATTRIBUTES and not found["close"]:
            fixed = _around_attributes(tag)
        leaf = (
            not found["close"]
            and not found["empty"]
            and number + 1 < len(parts)
            and parts[number + 1].startswith(b"/" + found["name"])
            and found["name"] not in _CONSTANT_TEXTS
            and len(fixed) == 1
        )
        if leaf and found["name"] not in _VARYING_ATTRIBUTES and found["name"] != b"Provider":
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


def example_shape(text: bytes) -> Shape | None:
    """The shape of an event by its text; None if shapes cannot say what its fields are.

    >>> shape = example_shape(b"<Event><System><EventID>1</EventID><Computer>pc</Computer>"
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
    try:
        found = event_fields("".join(marked))
    except NotAnEventError:
        return None
    fields = []
    for name, value in found.items():
        if isinstance(value, list) and name != "Data":
            return None
        meaning = _meaning(value)
        if meaning is None:
            return None
        fields.append((name, meaning))
    values = pieces[-1].first_value + pieces[-1].values
    return Shape(tuple(pieces), tuple(fields), values, _plan(pieces))


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


def _match(
    frames: Frames, group: npt.NDArray[np.intp], shape: Shape
) -> tuple[npt.NDArray[np.bool_], Positions, Positions]:
    """Which events have the shape's every tag; where their values are and how long, a row each."""
    count = len(shape.pieces)
    fits = frames.last[group] - frames.first[group] + 1 == count
    rows = np.flatnonzero(fits)
    tags = frames.tags[frames.first[group[rows]] + np.arange(count)[:, None]]
    good = _compare(frames.words, tags, shape.plan)
    starts = np.empty((shape.values, len(rows)), dtype=np.int64)
    lengths = np.empty_like(starts)
    plan = shape.plan
    if len(plan.value_tags):
        begin = tags[plan.value_tags] + plan.value_offsets
        starts[plan.value_numbers] = begin
        lengths[plan.value_numbers] = tags[plan.value_tags + 1] - begin
    for tag, piece in plan.quoted:
        good &= _attributes(frames.words, tags, tag, piece, starts, lengths)
    if not good.all():
        fits[rows[~good]] = False
        starts, lengths = starts[:, good], lengths[:, good]
    return fits, starts, lengths


def _compare(words: Words, tags: Positions, plan: _Plan) -> npt.NDArray[np.bool_]:
    """Whether the texts at an event's tags are those of the shape, a few events at a time."""
    size = tags.shape[1]
    good = np.ones(size, dtype=bool)
    step = max(1, _AT_ONCE // len(plan.word_tags))
    for start in range(0, size, step):
        some = tags[:, start : start + step]
        at = some[plan.word_tags]
        at += plan.word_offsets
        found = words[at]
        found &= plan.word_masks
        good[start : start + step] = (found == plan.words).all(axis=0)
    if len(plan.whole_tags):
        lengths = tags[plan.whole_tags + 1] - tags[plan.whole_tags]
        good &= (lengths == plan.whole_lengths).all(axis=0)
    return good


def _attributes(
    words: Words, tags: Positions, tag: int, piece: _Piece, starts: Positions, lengths: Positions
) -> npt.NDArray[np.bool_]:
    """Finds the values in a tag's attributes; whether the text around them is the shape's."""
    at = tags[tag] + len(piece.fixed[0])
    good = np.ones(len(at), dtype=bool)
    for offset, fixed in enumerate(piece.fixed[1:]):
        stop = up_to(words, at, fixed[0])
        starts[piece.first_value + offset] = at
        lengths[piece.first_value + offset] = stop - at
        for place, mask, expected in _compared(fixed):
            found = words[stop + place] & np.uint64(mask)
            good &= found == np.uint64(expected)
        at = stop + len(fixed)
    if tag + 1 < len(tags):
        good &= at == tags[tag + 1]
    return good


@dataclass(frozen=True)
class _Cut:
    """The places of a group's values in the buffer: a row for each value, a column for each event.

    ``entities`` is whether the buffer has any.
    """

    data: pa.Buffer
    entities: bool
    starts: Positions
    lengths: Positions

    @property
    def size(self) -> int:
        return int(self.starts.shape[1])

    def columns(self) -> list[pa.Array]:
        """A column for each value."""
        cut = zip(self.starts, self.lengths, strict=True)
        columns = [text_column(self.data, starts, lengths) for starts, lengths in cut]
        return [_decoded(c) for c in columns] if self.entities else columns


def _fields(shape: Shape, cut: _Cut) -> dict[str, Values]:
    """The columns of a shape's fields."""
    columns = cut.columns()
    out: dict[str, Values] = {}
    for name, meaning in shape.fields:
        if isinstance(meaning, tuple):
            out[name] = _lists([m if isinstance(m, str) else columns[m] for m in meaning], cut.size)
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
    has = pc.match_substring(column, "&")
    if not has.true_count:
        return column
    values = column.filter(has)
    if pc.any(pc.match_substring(values, "&#")).as_py():
        values = pa.array([_ENTITY.sub(_character, v) for v in values.to_pylist()], pa.string())
    else:
        for name, character in _NAMED.items():
            values = pc.replace_substring(values, f"&{name};", character)
    if len(values) == len(column):
        return values
    return pc.replace_with_mask(column, pc.fill_null(has, False), values)


def _character(found: re.Match[str]) -> str:
    hexadecimal, decimal, name = found.groups()
    if name:
        return _NAMED[name]
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    legal = code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE
    return chr(code) if legal or 0x10000 <= code < 0x110000 else "\ufffd"
