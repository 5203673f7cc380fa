"""Events as columns -> a table for each source family that has some of them.

``reading`` calls it with what the readers of formats give, a block of events at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from escudo.core.schema import MV_SEPARATOR, RAW_COLUMNS, RAW_REST, REST_TYPE, FieldType
from escudo.sources.date_order import DateOrder
from escudo.sources.events import Events, PendingEvents, Values
from escudo.sources.families import Families
from escudo.sources.family import ANY, Family, Rule, find_template_fields, rule_holds
from escudo.sources.inventory import Inventory, add_names, needs_names
from escudo.sources.notes import Kind, Note, find_windows_look
from escudo.sources.raw_batch import RawBatch
from escudo.sources.times import TIME, parse_times

_RESERVED = frozenset(c.name for c in RAW_COLUMNS)
"""Splunk keeps these names for itself: an event's own field of such a name is extracted_<name>."""

_MULTIVALUE = pa.list_(pa.string())


def assemble(
    events: Events | PendingEvents,
    families: Families,
    *,
    source_file: str,
    default_time: float,
    date_order: DateOrder | None = None,
    inventory: Callable[[], Inventory] = Inventory,
    given: Values | None = None,
) -> Iterator[RawBatch]:
    """The events as tables of their families.

    ``given`` are the names of the families of events whose labels say so (``Families.claim``); of
    the others, which are null, the content says it.

    An event without a time that can be read has ``default_time`` (epoch), and the field
    ``time_source`` with the value ``file``. ``date_order`` reads dates like 03/05/2024;
    ``inventory`` is asked for names where an event may need them.
    """
    if isinstance(events, PendingEvents):
        events = events.make()
    if len(events.raw) == 0:
        return
    if needs_names(events):
        events = add_names(events, inventory())
    for family, rows in _route_given(events, families, given):
        chosen = events if rows is None else events.take(rows)
        notes: list[Note] = []
        if family is families.fallback and (look := find_windows_look(chosen)) is not None:
            notes.append(look)
        times, untimed = _times(family, chosen, date_order)
        if untimed is not None:
            notes.append(untimed)
        if chosen.zoneless:
            notes.append(Note(Kind.NO_ZONE, len(chosen.raw), ""))
        table = _build_table(family, chosen, source_file, times=times, default_time=default_time)
        yield RawBatch(family, table, tuple(notes), chosen.order)


def _deciding(events: Events, names: Sequence[str]) -> Events:
    """The events with those fields as System has them that their own data names likewise."""
    twice = [n for n in names if n in events.fields and f"System.{n}" in events.fields]
    if not twice:
        return events
    fields = dict(events.fields)
    size = len(events.raw)
    for name in twice:
        system, own = (_as_text(fields[n], size) for n in (f"System.{name}", name))
        fields[name] = pc.coalesce(system, own)
    return replace(events, fields=fields)


def _route_given(
    events: Events, families: Families, given: Values | None
) -> Iterator[tuple[Family, pa.Array | None]]:
    """``_route``, after those events whose family is given, or known to their reader."""
    given = given if events.family is None else events.family
    if isinstance(given, str):
        yield families[given], None
        return
    if given is None or given.null_count == len(given):
        yield from _route(_deciding(events, families.routing_fields), families)
        return
    for name in given.drop_null().unique().to_pylist():
        has = pc.fill_null(pc.equal(given, name), False)
        yield families[name], pa.array(np.flatnonzero(has.to_numpy(zero_copy_only=False)))
    if given.null_count:
        left = np.flatnonzero(given.is_null().to_numpy(zero_copy_only=False))
        some = events.take(pa.array(left))
        for family, rows in _route(_deciding(some, families.routing_fields), families):
            yield family, pa.array(left if rows is None else left[rows.to_numpy()])


def _route(events: Events, families: Families) -> Iterator[tuple[Family, pa.Array | None]]:
    """Each family with the numbers of its rows; None where all rows are of one family."""
    names, exact = families.routing_fields, families.exact_fields
    constant: dict[str, str] = {}
    varying: set[str] = set()
    for name in names:
        values = events.fields.get(name)
        if isinstance(values, str):
            constant[name] = values
        elif values is not None and name not in exact and not values.null_count:
            constant[name] = ANY
        elif values is not None:
            varying.add(name)
    possible = _list_possible(constant, varying, families)
    if not possible:
        yield families.fallback, None
        return
    if varying.isdisjoint(n for n, _ in possible[0][1].conditions):
        yield possible[0][0], None
        return
    asked = {n for _, rule in possible for n, _ in rule.conditions}
    looked_at = [n for n in names if n in varying and n in asked]
    code = np.zeros(len(events.raw), dtype=np.int64)
    keys: list[list[str | None]] = []
    for name in looked_at:
        values = events.fields[name]
        assert not isinstance(values, str)
        if name not in exact or not pa.types.is_string(values.type):
            values = pc.if_else(pc.is_valid(values), pa.scalar(ANY), pa.scalar(None, pa.string()))
        encoded = values.dictionary_encode()
        keys.append([*encoded.dictionary.to_pylist(), None])
        indices = pc.fill_null(encoded.indices, len(keys[-1]) - 1).to_numpy(zero_copy_only=False)
        code = code * len(keys[-1]) + indices
        code = np.unique(code, return_inverse=True)[1] if code.max() > 2**40 else code
    distinct, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    chosen: dict[str, list[int]] = {}
    for number, row in enumerate(first.tolist()):
        event: dict[str, str | None] = dict(constant)
        for name in looked_at:
            values = events.fields[name]
            value = values if isinstance(values, str) else values[row].as_py()
            event[name] = None if value is None else str(value)
        chosen.setdefault(_family_of(event, possible, families).name, []).append(number)
    if len(chosen) == 1:
        yield families[next(iter(chosen))], None
        return
    for name, numbers in chosen.items():
        member = np.zeros(len(distinct), dtype=bool)
        member[numbers] = True
        yield families[name], pa.array(np.flatnonzero(member[inverse]))


def _list_possible(
    constant: Mapping[str, str], varying: Set[str], families: Families
) -> list[tuple[Family, Rule]]:
    """The rules that may hold for some of the rows, up to one that holds for all: so what is looked
    at does not grow with the sources that there are."""
    possible: list[tuple[Family, Rule]] = []
    for family, rule in families.rules:
        sure = True
        for name, wanted in rule.conditions:
            if name in varying:
                sure = False
            elif not rule_holds(constant.get(name), wanted):
                break
        else:
            possible.append((family, rule))
            if sure:
                break
    return possible


def _family_of(
    event: Mapping[str, str | None], rules: Sequence[tuple[Family, Rule]], families: Families
) -> Family:
    return next((family for family, rule in rules if rule.holds(event)), families.fallback)


def _build_table(
    family: Family,
    events: Events,
    source_file: str,
    *,
    times: pa.Array,
    default_time: float,
) -> pa.Table:
    size = len(events.raw)
    default = pa.scalar(round(default_time * 1e6), pa.int64()).cast(TIME)
    columns: dict[str, pa.Array] = {
        "_time": pc.coalesce(times, default) if times.null_count else times,
        "host": _find_hosts(family, events, size),
        "source": _filled(family.source, events, size),
        "sourcetype": _filled(family.sourcetype, events, size),
        "index": _filled(family.index, events, size),
        "source_file": pa.repeat(pa.scalar(source_file), size),
        "_raw": events.raw,
    }
    declared = family.declared
    rest: dict[str, Values] = {}
    if times.null_count:
        rest["time_source"] = pc.if_else(times.is_null(), "file", pa.scalar(None, pa.string()))
    for name, values in events.fields.items():
        column = declared.get(name)
        if column is None or column.physical is None:
            rest[f"extracted_{name}" if name in _RESERVED else name] = values
        elif column.type is FieldType.MULTIVALUE:
            columns[column.physical] = _as_lists(values, size)
        else:
            columns[column.physical] = _as_text(values, size)
    columns[RAW_REST] = build_rest_map(rest, size)
    nothing = {kind: pa.nulls(size, kind) for kind in {f.type for f in family.arrow}}
    arrays = [columns.get(f.name, nothing[f.type]) for f in family.arrow]
    return pa.Table.from_arrays(arrays, schema=family.arrow)


def _as_text(values: Values, size: int) -> pa.Array:
    if isinstance(values, str):
        return pa.repeat(pa.scalar(values), size)
    if pa.types.is_list(values.type):
        return pc.binary_join(values, MV_SEPARATOR)
    return values


def _as_lists(values: Values, size: int) -> pa.Array:
    if isinstance(values, str):
        return pa.repeat(pa.scalar([values], _MULTIVALUE), size)
    if pa.types.is_list(values.type):
        return values
    valid = pc.is_valid(values).to_numpy(zero_copy_only=False)
    offsets = np.concatenate(([0], np.cumsum(valid))).astype(np.int32)
    mask = pa.array(~valid) if not valid.all() else None
    return pa.ListArray.from_arrays(pa.array(offsets), values.drop_null(), mask=mask)


def _times(
    family: Family, events: Events, date_order: DateOrder | None
) -> tuple[pa.Array, Note | None]:
    """When each event was, null where nothing tells; and a note of the events that lack it."""
    size = len(events.raw)
    known = events.times if events.times is not None else pa.nulls(size, TIME)
    for name in family.time:
        if known.null_count == 0:
            return known, None
        values = events.fields.get(name)
        if values is not None:
            parsed = parse_times(_as_text(values, size), date_order)
            known = parsed if known.null_count == size else pc.coalesce(known, parsed)
    if known.null_count == 0:
        return known, None
    return known, Note(Kind.FILE_TIME, known.null_count, _unread_time(family, events, known))


def _unread_time(family: Family, events: Events, known: pa.Array) -> str:
    """What the first event without a time has where its time should stand."""
    row = pc.index(known.is_null(), True).as_py()
    names = family.time or _names_of_time(family)
    for name in names:
        values = events.fields.get(name)
        text = values if values is None or isinstance(values, str) else values[row].as_py()
        if text is not None:
            return f"{name}={text}"
    return f"none of {', '.join(names[:4])}"


def _find_hosts(family: Family, events: Events, size: int) -> pa.Array:
    """The host that an event names, or else that of what carried it."""
    own = _first(family.host, events, size)
    if events.hosts is None or not own.null_count:
        return own
    return pc.coalesce(own, events.hosts)


def _names_of_time(family: Family) -> Sequence[str]:
    """The fields that a source of text reads its time from."""
    rules = () if family.text is None else family.text.time
    return [name for rule in rules for name in rule.of] or ["a time"]


def _first(names: Sequence[str], events: Events, size: int) -> pa.Array:
    """The first of some fields that an event has."""
    candidates: list[pa.Array] = []
    for name in names:
        values = events.fields.get(name)
        if isinstance(values, str):
            candidates.append(pa.repeat(pa.scalar(values), size))
            break
        if values is not None:
            candidates.append(_as_text(values, size))
    if not candidates:
        return pa.nulls(size, pa.string())
    return candidates[0] if len(candidates) == 1 else pc.coalesce(*candidates)


def _filled(template: str, events: Events, size: int) -> pa.Array:
    """A template with the event's values: ``XmlWinEventLog:{Channel}``; without the last value, the
    colon before it is left out, too."""
    names = find_template_fields(template)
    if not names:
        return pa.repeat(pa.scalar(template), size)
    parts: list[pa.Array | pa.Scalar] = []
    text = template
    for name in names:
        before, _, text = text.partition("{" + name + "}")
        parts.append(pa.scalar(before))
        values = events.fields.get(name)
        filled = pa.nulls(size, pa.string()) if values is None else _as_text(values, size)
        parts.append(pc.fill_null(filled, ""))
    parts.append(pa.scalar(text))
    out = pc.binary_join_element_wise(*parts, pa.scalar(""))
    return out if text else pc.utf8_rtrim(out, ":")


def build_rest_map(fields: Mapping[str, Values], size: int) -> pa.Array:
    """A map<string, string> array of the fields that an event has, in the order given.

    >>> build_rest_map({"a": pa.array(["1", None]), "b": "x"}, 2).to_pylist()
    [[('a', '1'), ('b', 'x')], [('b', 'x')]]
    """
    columns = [_as_text(values, size) for values in fields.values()]
    if not columns:
        return pa.MapArray.from_arrays(
            pa.array(np.zeros(size + 1, dtype=np.int32)),
            pa.array([], pa.string()),
            pa.array([], pa.string()),
        ).cast(REST_TYPE)
    valid = np.column_stack([pc.is_valid(c).to_numpy(zero_copy_only=False) for c in columns])
    row, column = np.nonzero(valid)
    values = pa.concat_arrays(columns) if len(columns) > 1 else columns[0]
    items = values.take(pa.array(column * size + row))
    keys = pa.array(list(fields), pa.string()).take(pa.array(column))
    offsets = np.zeros(size + 1, dtype=np.int32)
    np.cumsum(valid.sum(axis=1), out=offsets[1:])
    return pa.MapArray.from_arrays(pa.array(offsets), keys, items)
