"""What senders brought -> raw batches for the lake; ``Receiver`` calls it for each commit.

Events that the senders told apart are read together, whoever sent them: columns of a few events
cost as much as those of thousands. Texts of the same labels are joined for the same reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from escudo.core.event_log import ERROR, log_event
from escudo.core.schema import RAW_REST
from escudo.inputs.received import Received, ReceivedEvents, ReceivedSyslog, ReceivedText
from escudo.inputs.tail import open_bytes
from escudo.lake.event_ids import put_column
from escudo.lake.ingest_source import Step, read_steps
from escudo.lake.labels import Labels
from escudo.sources.assemble import assemble
from escudo.sources.date_order import DateOrder
from escudo.sources.events import Events
from escudo.sources.families import Families
from escudo.sources.format_detection import HEAD_BYTES, Format, detect_format
from escudo.sources.formats.syslog import read_syslog
from escudo.sources.formats.text import repair_utf8
from escudo.sources.inventory import Inventory
from escudo.sources.opening import LogStream
from escudo.sources.raw_batch import RawBatch
from escudo.sources.texts import TextReader
from escudo.sources.times import TIME

_LABELS = ("source", "sourcetype", "host", "index")
_JOINED = frozenset({Format.JSON_EVENTS, Format.FDR, Format.EVENT_XML, Format.CLASSIC_TEXT})
"""Formats whose texts can stand one behind the other."""
SYSLOG = Labels(source="syslog", sourcetype="syslog")
_TEXT = pa.string()


@dataclass
class ReceivedReader:
    """Reads what came in; remembers the forms of events, so keep it. For one thread."""

    families: Families
    date_order: DateOrder | None = None
    inventory: Callable[[], Inventory] = Inventory
    _texts: TextReader = field(init=False)

    def __post_init__(self) -> None:
        self._texts = TextReader(self.families)

    def read(self, items: Sequence[Received]) -> Iterator[Step]:
        """The events as batches, with their labels; what could not be read of texts besides."""
        told = [item for item in items if isinstance(item, ReceivedEvents)]
        if told:
            yield from self._read_rows(_join_events(told))
        syslog = [item for item in items if isinstance(item, ReceivedSyslog)]
        if syslog:
            yield from self._read_rows(_join_syslog(syslog))
        texts = [item for item in items if isinstance(item, ReceivedText)]
        for joined in _join_texts(texts):
            yield from self._read_text(joined)

    def _read_rows(self, rows: _Rows) -> Iterator[RawBatch]:
        claimed = rows.claim(self.families)
        try:
            batches = list(self._assemble(rows, self._read_each(rows, claimed), claimed))
        except Exception as error:  # a fault of a reader loses no event
            log_event("reader failed", level=ERROR, error=f"{type(error).__name__}: {error}")
            self._texts = TextReader(self.families)
            every = pa.array(np.arange(len(rows.texts)))
            whole = Events({}, rows.texts, order=every)
            batches = list(self._assemble(rows, iter((whole,)), claimed))
        yield from batches

    def _read_each(self, rows: _Rows, claimed: pa.Array) -> Iterator[Events]:
        return self._texts.read(
            rows.texts,
            whole=rows.raw,
            claimed=claimed,
            latest=rows.received[0].value / 1e6,
        )

    def _assemble(
        self, rows: _Rows, read: Iterable[Events], claimed: pa.Array
    ) -> Iterator[RawBatch]:
        for events in read:
            for batch in assemble(
                rows.dress(events),
                self.families,
                source_file="",
                default_time=rows.received[0].value / 1e6,
                date_order=self.date_order,
                inventory=self.inventory,
                given=claimed.take(events.order),
            ):
                yield rows.label(batch, fallback=self.families.is_general(batch.family))

    def _read_text(self, text: ReceivedText) -> Iterator[Step]:
        format_ = detect_format(text.data[:HEAD_BYTES])
        given = self.families.claim(text.labels.source, text.labels.sourcetype)
        if format_ in (None, Format.CSV_EVENTS) and self.families.recogniser.judge(
            text.data[:HEAD_BYTES], given, known=format_ is not None, asked=False
        ):
            format_ = Format.TEXT
        if format_ is None:
            yield from self._read_rows(_join_events([_break_lines(text)]))
            return
        stream = LogStream(
            name=text.origin,
            format=format_,
            opener=open_bytes(text.data),
            container=text.origin,
            size=len(text.data),
            modified=text.received,
        )
        for step in read_steps(stream, self.families, self.date_order, self.inventory, given=given):
            if isinstance(step, RawBatch):
                fallback = self.families.is_general(step.family)
                table = text.labels.put(step.table)
                if fallback:
                    table = _fill(text.defaults, text.labels).put(table)
                table = _fill_nulls(table, text.defaults)
                yield RawBatch(step.family, table, step.notes)
            else:
                yield step


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Events in columns, by number. ``raw`` is what is kept as the event's text; ``extra`` are
    fields that all have; ``maps`` those of each."""

    texts: pa.Array
    raw: pa.Array | None
    times: pa.Array
    labels: dict[str, pa.Array]
    defaults: dict[str, pa.Array]
    origins: pa.Array
    extra: dict[str, pa.Array]
    maps: pa.Array | None
    received: pa.Array

    def dress(self, events: Events) -> Events:
        """Events with what their transport says of them."""
        order = events.order
        assert order is not None
        times = self.times.take(order)
        if not events.fields and times.null_count:
            times = _first_of(times, self.received.take(order))
        fields = dict(events.fields)
        for name, values in self.extra.items():
            own = values.take(order)
            if name not in fields and own.null_count < len(own):
                fields[name] = own
        return replace(
            events,
            fields=fields,
            raw=events.raw if self.raw is None else self.raw.take(order),
            times=None if times.null_count == len(times) else _first_of(times, events.times),
        )

    def claim(self, families: Families) -> pa.Array:
        """The name of the family that each event's labels say; null where they say nothing."""
        source, sourcetype = (self.labels[name] for name in ("source", "sourcetype"))
        if source.null_count == len(source) and sourcetype.null_count == len(sourcetype):
            return pa.nulls(len(self.texts), _TEXT)
        sources, types = (values.dictionary_encode("encode") for values in (source, sourcetype))
        code = sources.indices.to_numpy().astype(np.int64) * len(types.dictionary)
        pairs, places = np.unique(code + types.indices.to_numpy(), return_inverse=True)
        claimed: list[str | None] = []
        for pair in pairs.tolist():
            number, type_number = divmod(pair, len(types.dictionary))
            family = families.claim(
                sources.dictionary[number].as_py(), types.dictionary[type_number].as_py()
            )
            claimed.append(None if family is None else family.name)
        return pa.array(claimed, _TEXT).take(pa.array(places))

    def label(self, batch: RawBatch, *, fallback: bool) -> RawBatch:
        order, table = batch.order, batch.table
        assert order is not None
        for name in _LABELS:
            given = self.labels[name].take(order)
            default = self.defaults[name].take(order)
            own = table[name].combine_chunks()
            if fallback and default.null_count < len(default):
                given = _first_of(given, default)
            if given.null_count < len(given):
                own = _first_of(given, own)
            if own.null_count and default.null_count < len(default):
                own = _first_of(own, default)
            table = put_column(table, name, own)
        table = put_column(table, "source_file", self.origins.take(order))
        if self.maps is not None:
            table = _add_maps(table, self.maps.take(order))
        return RawBatch(batch.family, table, batch.notes)


def _first_of(first: pa.Array, second: pa.Array | None) -> pa.Array:
    if second is None or not first.null_count:
        return first
    return pc.coalesce(first, second)


def _add_maps(table: pa.Table, maps: pa.Array) -> pa.Table:
    """A table whose further fields are those that it has, and those of some maps behind them."""
    if not len(maps.items):
        return table
    own = table[RAW_REST].combine_chunks()
    sizes = [np.diff(each.offsets.to_numpy()) for each in (own, maps)]
    ends = np.concatenate(([0], np.cumsum(sizes[0] + sizes[1])))
    total = int(ends[-1])
    at = np.empty(total, dtype=np.int64)
    begun = 0
    for size, shift in zip(sizes, (np.zeros_like(sizes[0]), sizes[0]), strict=True):
        row = np.repeat(np.arange(len(size)), size)
        within = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size)
        at[ends[row] + shift[row] + within] = begun + np.arange(len(row))
        begun += len(row)
    places = pa.array(at)
    parts = [
        pa.concat_arrays([_flat(own, which), _flat(maps, which)]).take(places)
        for which in ("keys", "items")
    ]
    made = pa.MapArray.from_arrays(pa.array(ends.astype(np.int32)), *parts)
    return put_column(table, RAW_REST, made.cast(table.schema.field(RAW_REST).type))


def _flat(maps: pa.MapArray, which: str) -> pa.Array:
    """Keys or items of the rows that an array shows, without those before and behind."""
    offsets = maps.offsets
    start, stop = offsets[0].as_py(), offsets[-1].as_py()
    return getattr(maps, which).slice(start, stop - start)


def _join_events(items: Sequence[ReceivedEvents]) -> _Rows:
    texts = pa.array([text for item in items for text in item.texts], _TEXT)
    counts = [len(item.texts) for item in items]
    labels = {
        name: pa.array([getattr(label, name) for item in items for label in item.labels], _TEXT)
        for name in _LABELS
    }
    seconds = pa.array([at for item in items for at in item.times], pa.float64())
    maps = None
    if any(fields for item in items for fields in item.fields):
        maps = pa.array(
            [list(fields.items()) if fields else [] for item in items for fields in item.fields],
            pa.map_(_TEXT, _TEXT),
        )
    return _Rows(
        texts=texts,
        raw=None,
        times=_to_times(seconds),
        labels=labels,
        defaults=_repeat_defaults([item.defaults for item in items], counts),
        origins=_repeat([item.origin for item in items], counts),
        extra={},
        maps=maps,
        received=_repeat_times([item.received for item in items], counts),
    )


def _join_syslog(items: Sequence[ReceivedSyslog]) -> _Rows:
    counts = [len(item.messages) for item in items]
    raw = pa.array(
        [repair_utf8(message).decode() for item in items for message in item.messages], _TEXT
    )
    read = read_syslog(raw, time.time())
    size = len(raw)
    received = _repeat_times([item.received for item in items], counts)
    labels = _repeat_defaults([item.labels for item in items], counts)
    labels["host"] = _first_of(labels["host"], read.hosts)
    known = pc.match_substring_regex(read.messages, r"^\s*(?:\{|<(?:\w+:)?Event[\s>])")
    message = pc.if_else(known, pa.scalar(None, _TEXT), read.messages)
    defaults = {name: pa.repeat(pa.scalar(getattr(SYSLOG, name), _TEXT), size) for name in _LABELS}
    defaults["host"] = _repeat([item.peer for item in items], counts)
    return _Rows(
        texts=read.messages,
        raw=raw,
        times=pc.if_else(known, pa.scalar(None, TIME), _first_of(read.times, received)),
        labels=labels,
        defaults=defaults,
        origins=_repeat([item.origin for item in items], counts),
        extra={**read.fields, "message": message},
        maps=None,
        received=received,
    )


def _join_texts(items: Sequence[ReceivedText]) -> Iterator[ReceivedText]:
    """Texts of the same labels as one, where their format allows it."""
    joined: dict[object, list[ReceivedText]] = {}
    for item in items:
        format_ = detect_format(item.data[:HEAD_BYTES])
        if format_ in _JOINED or format_ is None:
            key = (format_, item.labels, item.defaults, item.origin)
            joined.setdefault(key, []).append(item)
        else:
            yield item
    for same in joined.values():
        yield replace(same[0], data=b"\n".join(item.data for item in same))


def _break_lines(text: ReceivedText) -> ReceivedEvents:
    """A text in no known form: an event a line, as Splunk breaks it where no source type says
    otherwise."""
    lines = repair_utf8(text.data).decode().split("\n")
    events = [line for line in (each.rstrip("\r") for each in lines) if line.strip()]
    count = len(events)
    return ReceivedEvents(
        texts=events,
        labels=[text.labels] * count,
        times=[None] * count,
        fields=[None] * count,
        origin=text.origin,
        received=text.received,
        defaults=text.defaults,
    )


def _repeat_defaults(labels: Sequence[Labels], counts: Sequence[int]) -> dict[str, pa.Array]:
    return {name: _repeat([getattr(each, name) for each in labels], counts) for name in _LABELS}


def _repeat(values: Sequence[str | None], counts: Sequence[int]) -> pa.Array:
    """Each value so many times."""
    return pa.array(values, _TEXT).take(pa.array(np.repeat(np.arange(len(values)), counts)))


def _repeat_times(seconds: Sequence[float], counts: Sequence[int]) -> pa.Array:
    return _to_times(pa.array(np.repeat(np.array(seconds), counts)))


def _to_times(seconds: pa.Array) -> pa.Array:
    return pc.cast(pc.cast(pc.round(pc.multiply(seconds, 1e6)), pa.int64()), TIME)


def _fill(defaults: Labels, labels: Labels) -> Labels:
    """The defaults of what has no label."""
    return Labels(
        **{
            name: getattr(defaults, name) if getattr(labels, name) is None else None
            for name in _LABELS
        }
    )


def _fill_nulls(table: pa.Table, defaults: Labels) -> pa.Table:
    for name in _LABELS:
        default = getattr(defaults, name)
        if default is not None and table[name].null_count:
            table = put_column(table, name, pc.fill_null(table[name], default))
    return table
