"""Texts of one event each -> events in columns, each with the number of its text; what receives
events one by one calls it.

A text is read as a line of a file of its format would be: a JSON object, an event's XML, the
classic text of an event log; else in the form of the text source that it is of, or the general one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.events import Events, PendingEvents
from escudo.sources.families import Families
from escudo.sources.formats.bytesviews import PADDING
from escudo.sources.formats.classic_text import merge_events, read_classic_event
from escudo.sources.formats.event_xml import drop_prefix, read_padded
from escudo.sources.formats.json_columns import JsonLines, view_bytes
from escudo.sources.formats.json_forms import read_forms
from escudo.sources.formats.json_leaves import read_by_line
from escudo.sources.formats.xml_shapes import Shapes
from escudo.sources.lines.extraction import extract

_JSON = r"^\s*\{[\s\S]*\}\s*$"
_XML = r"<(\w+:)?Event(\s[^<>]*)?>\s*<(\w+:)?System[\s/>]"
_CLASSIC = (
    r"(?m)^(LogName=[^\r\n]+\r?\n(\w+=.*\n)*?"
    r"|[\d/]+[ .][\d:.+-]+( [AP]M)?[ \t]+LogName=.+? )EventCode="
)

_MOST_PATHS = 1500
"""Paths of JSON that are remembered from one call to the next. A sender whose field names never
come again would slow all others down for good: 3,000 take half a second a call (2026-11-29)."""

_Numbers = npt.NDArray[np.intp]


@dataclass
class TextReader:
    """Reads texts; remembers the forms that it has met, so use one for many calls.

    >>> reader = TextReader()
    >>> read = reader.read(pa.array(["up", '{"a":"b"}']))
    >>> [(events.order.to_pylist(), sorted(events.fields)) for events in read]
    [([1], ['a']), ([0], [])]
    """

    families: Families | None = None
    _json: JsonLines = field(default_factory=JsonLines)
    _shapes: Shapes = field(default_factory=Shapes)

    def read(
        self,
        texts: pa.Array,
        *,
        whole: pa.Array | None = None,
        claimed: pa.Array | None = None,
        latest: float = 0.0,
    ) -> Iterator[Events]:
        """The events of texts; every text is one, or (XML that holds several) more.

        Args:
            whole: the texts as they came, with the header of their transport: sources of text are
                told by it.
            claimed: the names of the sources that the texts are said to be of; null for the others.
            latest: epoch seconds; a time without a year is the last one before it.
        """
        left = np.ones(len(texts), dtype=bool)
        for pattern, read in (
            (_JSON, self._read_json),
            (_XML, self._read_xml),
            (_CLASSIC, _read_classic),
        ):
            has = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False) & left
            if not has.any():
                continue
            numbers = np.flatnonzero(has)
            for events in read(_take(texts, numbers)):
                assert events.order is not None
                places = numbers[events.order.to_numpy()]
                left[places] = False
                yield replace(events, order=pa.array(places))
        if left.any():
            numbers = np.flatnonzero(left)
            if self.families is None:
                yield Events({}, _take(texts, numbers), order=pa.array(numbers))
            else:
                yield from self._read_lines(
                    texts if whole is None else whole, numbers, claimed, latest
                )

    def _read_lines(
        self, texts: pa.Array, numbers: _Numbers, claimed: pa.Array | None, latest: float
    ) -> Iterator[Events]:
        """Texts by number that are in no form of their own: each in that of its source."""
        assert self.families is not None
        sources = self.families.recogniser.sources
        names = [source.name for source in sources]
        chosen = np.full(len(numbers), -1, dtype=np.int64)
        if claimed is not None and claimed.null_count < len(claimed):
            place = pc.index_in(claimed.take(pa.array(numbers)), pa.array(names, pa.string()))
            chosen = pc.fill_null(place, -1).to_numpy(zero_copy_only=False).astype(np.int64)
        open_ = np.flatnonzero(chosen < 0)
        chosen[open_] = self.families.recogniser.find_each(_take(texts, numbers[open_]))
        for number in np.unique(chosen).tolist():
            places = numbers[chosen == number]
            source = self.families.general_text if number < 0 else sources[number]
            assert source.text is not None
            made = extract(_take(texts, places), source.text, latest=latest)
            yield replace(made, family=source.name, order=pa.array(places))

    def _read_json(self, lines: pa.Array) -> Iterator[Events]:
        """Those that are objects; the others are left out."""
        every = np.arange(len(lines))
        one_line = ~pc.match_substring(lines, "\n").to_numpy(zero_copy_only=False)
        if one_line.all():
            try:
                yield from self._read_objects(lines, every)
            except ValueError:
                one_line[:] = False
            else:
                return
        elif one_line.any():
            numbers = np.flatnonzero(one_line)
            for events in self._read_json(_take(lines, numbers)):
                assert events.order is not None
                yield replace(events, order=pa.array(numbers[events.order.to_numpy()]))
        places: list[int] = []
        objects: list[dict[str, Any]] = []
        for number in np.flatnonzero(~one_line).tolist():
            try:
                found = orjson.loads(lines[number].as_py())
            except orjson.JSONDecodeError:
                continue
            if isinstance(found, dict):
                places.append(number)
                objects.append(found)
        if objects:
            chosen = np.array(places, dtype=np.intp)
            raw = _take(lines, chosen)
            for _, rows, fields in read_forms(read_by_line(objects), len(raw), raw):
                yield _pick(fields, raw, chosen, rows)

    def _read_objects(self, lines: pa.Array, every: _Numbers) -> Iterator[Events]:
        """ValueError where one is no object; nothing was given then."""
        if self._json.known_paths > _MOST_PATHS:
            self._json = JsonLines()
        groups = list(self._json.columns(lines, self._json.count(view_bytes(lines))))
        for numbers, paths in groups:
            raw = lines if len(numbers) == len(lines) else _take(lines, numbers)
            if not paths:
                yield Events({}, raw, order=pa.array(numbers))
                continue
            for _, rows, fields in read_forms(paths, len(raw), raw):
                yield _pick(fields, raw, every[numbers], rows)

    def _read_xml(self, texts: pa.Array) -> Iterator[Events]:
        """Whole events; their raw text is the text that was given."""
        texts = pc.utf8_trim_whitespace(texts)
        many = self._read_block("\n".join(texts.to_pylist()))
        raws = [events.raw for events in many]
        if sum(map(len, raws)) == len(texts):
            found = _find_order(pa.concat_arrays(raws), texts)
            if found is not None:
                at = 0
                for events in many:
                    order = found[at : at + len(events.raw)]
                    at += len(events.raw)
                    yield replace(events, order=pa.array(order))
                return
        for number, text in enumerate(texts.to_pylist()):
            for events in self._read_block(text):
                yield replace(events, order=pa.array(np.full(len(events.raw), number)))

    def _read_block(self, text: str) -> list[Events]:
        block = b"".join(drop_prefix(iter((text.encode(),))))
        items = read_padded(block + bytes(PADDING), self._shapes, "")
        return [
            item.make() if isinstance(item, PendingEvents) else item
            for item in items
            if isinstance(item, Events | PendingEvents)
        ]


def _pick(
    fields: dict[str, pa.Array], raw: pa.Array, numbers: _Numbers, rows: _Numbers | None
) -> Events:
    if rows is None:
        return Events(dict(fields), raw, order=pa.array(numbers))
    return Events(dict(fields), raw.take(pa.array(rows)), order=pa.array(numbers[rows]))


def _read_classic(texts: pa.Array) -> Iterator[Events]:
    read = [read_classic_event(text) for text in texts.to_pylist()]
    order = pa.array(np.arange(len(read)))
    yield Events(merge_events(read), texts, zoneless=True, order=order)


def _take(texts: pa.Array, numbers: _Numbers) -> pa.Array:
    """Some of the texts, in buffers of their own."""
    return texts.take(pa.array(numbers))


def _find_order(raws: pa.Array, texts: pa.Array) -> _Numbers | None:
    """Which text each raw text is; None where they are not the same texts in another order.

    Of equal texts any is as good: each is taken once.
    """
    by_text, by_raw = (pc.sort_indices(each) for each in (texts, raws))
    if not texts.take(by_text).equals(raws.take(by_raw)):
        return None
    order = np.empty(len(raws), dtype=np.intp)
    order[by_raw.to_numpy()] = by_text.to_numpy()
    return order
