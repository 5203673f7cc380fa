"""Texts and the form of their source -> events in columns; ``reader`` and ``texts`` call it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import import_module

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.events import Events, Values
from escudo.sources.lines.delimited import read_delimited
from escudo.sources.lines.envelope import open_envelopes
from escudo.sources.lines.hex_values import decode_hex
from escudo.sources.lines.json_values import read_objects
from escudo.sources.lines.pairs import read_pairs
from escudo.sources.lines.records import join_records
from escudo.sources.lines.spans import Flags, scatter
from escudo.sources.lines.text_form import (
    LINE,
    WHOLE,
    JoinRule,
    JsonStep,
    MatchStep,
    PairStep,
    TextForm,
    TimeRule,
    ValueStep,
)
from escudo.sources.times import TIME, parse_times

_TEXT = pa.string()
_NOTHING = pa.scalar(None, _TEXT)
_OLD_TIME = "%b %d %H:%M:%S"
_NUMBER = re.compile(r"\d+")
_YEARLESS = r"^[A-Z][a-z]{2} [ \d]\d \d\d:"


class _Fields:
    """Fields as the steps make them; ``bare`` remembers which values of pairs had no quotes."""

    def __init__(self, whole: pa.Array) -> None:
        self.size = len(whole)
        self.columns: dict[str, pa.Array] = {WHOLE: whole, LINE: whole}
        self.bare: dict[str, Flags] = {}

    def add(self, name: str, values: pa.Array) -> None:
        """A field's values; those that an earlier step gave stay."""
        first = self.columns.get(name)
        if first is None:
            self.columns[name] = values
        elif first.type == values.type:
            self.columns[name] = pc.coalesce(first, values)

    def text(self, name: str) -> pa.Array | None:
        values = self.columns.get(name)
        if values is None or not pa.types.is_string(values.type):
            return None
        return values


def extract(
    texts: pa.Array, form: TextForm, *, latest: float, raw: pa.Array | None = None
) -> Events:
    """The events of texts, one each, in order.

    Args:
        texts: a whole event each.
        latest: epoch seconds; a time without a year is the last one before it.
        raw: what is kept as the events' text, if it is not ``texts``.

    >>> from escudo.sources.lines.pairs import PairRule
    >>> form = TextForm(read=(PairStep(PairRule()),), time=(TimeRule(("t",)),))
    >>> events = extract(pa.array(["t=1700000000 a=b"]), form, latest=0)
    >>> events.fields["a"].to_pylist(), str(events.times[0])
    (['b'], '2023-11-14 22:13:20+00:00')
    """
    made = _Fields(texts)
    times: pa.Array | None = None
    hosts: pa.Array | None = None
    zoneless = False
    if form.syslog:
        envelope = open_envelopes(texts)
        made.columns[WHOLE] = envelope.messages
        made.columns.update(envelope.fields)
        times, zoneless = _read_header_times(envelope.times, latest)
        hosts = envelope.hosts
    for step in form.read:
        match step:
            case PairStep():
                _add_pairs(made, step)
            case ValueStep():
                _add_values(made, step)
            case MatchStep():
                _add_matches(made, step)
            case JsonStep(of):
                if (whole := made.text(of)) is not None:
                    for name, values in read_objects(whole).items():
                        assert not isinstance(values, str)
                        made.add(name, values)
    return finish(
        made,
        form,
        raw=texts if raw is None else raw,
        latest=latest,
        times=times,
        hosts=hosts,
        zoneless=zoneless,
    )


def extract_columns(
    columns: Mapping[str, pa.Array], form: TextForm, *, raw: pa.Array, latest: float
) -> Events:
    """The events whose fields are columns already (rows under a header)."""
    made = _Fields(raw)
    made.columns.update(columns)
    for step in form.read:
        match step:
            case PairStep() if step.of != WHOLE:
                _add_pairs(made, step)
            case MatchStep() if step.of != WHOLE:
                _add_matches(made, step)
            case _:
                pass
    return finish(made, form, raw=raw, latest=latest, times=None, hosts=None, zoneless=False)


def finish(
    made: _Fields,
    form: TextForm,
    *,
    raw: pa.Array,
    latest: float,
    times: pa.Array | None,
    hosts: pa.Array | None,
    zoneless: bool,
) -> Events:
    """Names, values that are none, encoded values, records and times, in this order."""
    fields = {name: values for name, values in made.columns.items() if name not in (LINE, WHOLE)}
    for old, new in form.names.items():
        if old in fields:
            values = fields.pop(old)
            first = fields.get(new)
            same = first is not None and first.type == values.type
            fields[new] = pc.coalesce(first, values) if same else values
    if form.nothing:
        wanted = pa.array(form.nothing, _TEXT)
        for name, values in fields.items():
            if pa.types.is_string(values.type):
                none = pc.is_in(values, wanted)
                if pc.any(none).as_py():
                    fields[name] = pc.if_else(none, _NOTHING, values)
    for rule in form.hex:
        chosen = _rows_when(fields, rule.when, made.size)
        for name in _names_like(fields, rule.fields):
            bare = made.bare.get(name)
            if bare is not None:
                fields[name] = decode_hex(fields[name], bare & chosen)
    for join in form.join:
        _join_fields(fields, join, made.size)
    if form.records is not None:
        fields = join_records(fields, form.records, made.size)
    fields = {n: v for n, v in fields.items() if v.null_count < len(v)}
    own, local = _read_times(fields, form.time, latest, made.size)
    if own is not None:
        if times is not None and local and not zoneless:
            times = pc.coalesce(times, own)  # a header that names its zone is the better one
        else:
            zoneless = local
            times = own if times is None else pc.coalesce(own, times)
    known: dict[str, Values] = dict(fields)
    return Events(known, raw, times=times, zoneless=zoneless, hosts=hosts)


def _add_pairs(made: _Fields, step: PairStep) -> None:
    whole = made.text(step.of)
    if whole is None:
        return
    wanted = None if step.only is None else re.compile(step.only)
    for name, column in read_pairs(whole, step.rule).items():
        if wanted is None or wanted.fullmatch(name):
            made.add(name, column.values)
            made.bare.setdefault(name, column.bare)


def _add_values(made: _Fields, step: ValueStep) -> None:
    whole = made.text(step.of)
    if whole is not None:
        for name, values in read_delimited(whole, step.rule).items():
            made.add(name, values)


def _add_matches(made: _Fields, step: MatchStep) -> None:
    whole = made.text(step.of)
    if whole is None:
        return
    left: pa.Array | None = None
    for pattern in step.patterns:
        groups = pc.extract_regex(whole, pattern)
        fits = groups.is_valid() if left is None else pc.and_(left, groups.is_valid())
        if pc.any(fits).as_py():
            for field in groups.type:
                values = groups.field(field.name)
                kept = pc.and_(fits, pc.greater(pc.binary_length(values), 0))
                made.add(field.name, pc.if_else(kept, values, _NOTHING))
        left = pc.invert(fits) if left is None else pc.and_not(left, fits)
        if not pc.any(left).as_py():
            break


def _names_like(fields: Mapping[str, pa.Array], pattern: str) -> list[str]:
    """The fields of text whose name matches, in the order of the numbers in their names."""
    wanted = re.compile(pattern)
    names = [n for n, v in fields.items() if wanted.fullmatch(n) and pa.types.is_string(v.type)]
    return sorted(names, key=lambda name: [int(number) for number in _NUMBER.findall(name)])


def _rows_when(
    fields: Mapping[str, pa.Array], when: Mapping[str, Sequence[str]], size: int
) -> Flags:
    chosen = np.ones(size, dtype=bool)
    for name, wanted in when.items():
        values = fields.get(name)
        if values is None:
            return np.zeros(size, dtype=bool)
        fits = pc.is_in(values, pa.array(wanted, _TEXT))
        chosen &= fits.to_numpy(zero_copy_only=False)
    return chosen


def _join_fields(fields: dict[str, pa.Array], rule: JoinRule, size: int) -> None:
    names = _names_like(fields, rule.fields)
    chosen = _rows_when(fields, rule.when, size)
    if not names or not chosen.any():
        return
    any_ = [pc.is_valid(fields[name]).to_numpy(zero_copy_only=False) for name in names]
    rows = np.flatnonzero(np.logical_or.reduce(any_) & chosen)
    if not len(rows):
        return
    # Arrow 26 gives no row at all, and not a null, where every part of one is null.
    parts = [fields[name].take(pa.array(rows)) for name in names]
    joined = pc.binary_join_element_wise(*parts, rule.by, null_handling="skip")
    fields[rule.into] = scatter(joined, rows, size)


def _read_times(
    fields: Mapping[str, pa.Array], rules: Sequence[TimeRule], latest: float, size: int
) -> tuple[pa.Array | None, bool]:
    """When each event was; null where no rule tells. And whether these are local times."""
    known: pa.Array | None = None
    local = False
    for rule in rules:
        parts = [fields[name] for name in rule.of if name in fields]
        if len(parts) < len(rule.of) or (known is not None and not known.null_count):
            continue
        text = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, " ")
        times = parse_times(text) if rule.form is None else _parse_clock(text, rule.form, latest)
        if times.null_count < size:
            local = local or rule.local
            known = times if known is None else pc.coalesce(known, times)
    return known, local


def _read_header_times(texts: pa.Array, latest: float) -> tuple[pa.Array, bool]:
    """The times of syslog headers; whether any of them names no zone."""
    if texts.null_count == len(texts):  # no line has a header
        return pa.nulls(len(texts), TIME), False
    yearless = pc.fill_null(pc.match_substring_regex(texts, _YEARLESS), False)
    if not pc.any(yearless).as_py():
        return parse_times(texts), False
    short = pc.utf8_slice_codeunits(pc.if_else(yearless, texts, _NOTHING), 0, 15)
    old = _parse_clock(short, _OLD_TIME, latest)
    if pc.all(yearless).as_py():
        return old, True
    full = parse_times(pc.if_else(yearless, _NOTHING, texts))
    return pc.coalesce(full, old), True


def _parse_clock(texts: pa.Array, form: str, latest: float) -> pa.Array:
    clock = import_module("escudo.sources.lines.clock_texts")  # Polars takes a third of a second
    times: pa.Array = clock.parse_clock(texts, form, latest)
    return times.cast(TIME)
