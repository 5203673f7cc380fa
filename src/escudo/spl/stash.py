"""Rows as the events of a summary index, as ``collect`` writes them (Search Reference: collect)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from escudo.spl import coerce
from escudo.spl.effects import text_of

TIME_FORMAT = "%m/%d/%Y %H:%M:%S %z"
_ORIGIN = ("host", "source", "sourcetype", "index", "splunk_server")
_PLAIN = re.compile(r"[A-Za-z0-9_]+")
_PAIR = re.compile(r'([^\s,="]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


@dataclass(frozen=True)
class Stash:
    """How rows become events.

    ``earliest`` and ``now`` (epoch seconds) date rows that have no ``_time``; ``info`` goes into
    each event; ``marker`` is appended to it. In the ``hec`` format the host, source and source
    type of the rows stay theirs.
    """

    index: str
    now: float
    earliest: float | None = None
    source: str | None = None
    sourcetype: str | None = None
    host: str | None = None
    marker: str | None = None
    addtime: bool = True
    timeformat: str = TIME_FORMAT
    hec: bool = False
    info: Mapping[str, str] = field(default_factory=dict)


def events(rows: pa.Table, stash: Stash) -> pa.Table:
    """The rows as events: ``_time`` (epoch seconds), ``_raw``, ``index``, ``host``, ``source``
    (null: not named), ``sourcetype``, and a text field for each field of the rows.

    A row keeps its ``_time``; without one it gets its ``info_min_time``, the beginning of the
    search's range, or now. It keeps its ``_raw``, or gets one of ``field=value`` pairs. The
    default fields of a row are ``extracted_host`` and so on in the event, but for ``hec``.
    Other internal fields (``_...``) are left out. Splunk finds the fields of an event in its
    ``_raw``; here they are there even where that has none (XML).
    """
    names = rows.column_names
    made = [_event(row, names, stash) for row in rows.to_pylist()]
    fields = dict.fromkeys(n for event in made for n in event)
    columns = {n: pa.array([e.get(n) for e in made], _arrow(n)) for n in fields}
    return pa.table(columns) if made else pa.table({n: pa.array([], _arrow(n)) for n in _ALWAYS})


_ALWAYS = ("_time", "_raw", "index", "host", "source", "sourcetype")


def _arrow(name: str) -> pa.DataType:
    return pa.float64() if name == "_time" else pa.string()


def _event(row: Mapping[str, Any], names: Sequence[str], stash: Stash) -> dict[str, Any]:
    texts = {n: t for n in names if not n.startswith("_") and (t := _joined(row[n])) is not None}
    time = _time(row, stash)
    written = {**stash.info, **texts}
    own = {n: texts.pop(n, None) for n in _ORIGIN}
    if stash.hec:
        source, host = own["source"], own["host"]
        sourcetype = own["sourcetype"] or "stash_hec"
    else:
        source, host, sourcetype = stash.source, stash.host, stash.sourcetype or "stash"
        texts.update((f"extracted_{n}", v) for n, v in own.items() if v is not None)
    shown = {**stash.info, **texts}
    raw = _joined(row.get("_raw"))
    if raw is None:
        parts = [f"{name}={_quoted(value)}" for name, value in written.items()]
        if stash.addtime and not stash.hec:
            parts.insert(0, datetime.fromtimestamp(time, UTC).strftime(stash.timeformat))
        raw = ", ".join(parts)
    if stash.marker:
        raw = f"{raw}, {stash.marker}"
        shown = {**_marked(stash.marker), **shown}
    return {
        "_time": time,
        "_raw": raw,
        "index": stash.index,
        "host": host or "escudo",
        "source": source,
        "sourcetype": sourcetype,
        **shown,
    }


def _time(row: Mapping[str, Any], stash: Stash) -> float:
    for name in ("_time", "info_min_time"):
        value = row.get(name)
        if isinstance(value, str) and coerce.is_numeric_text(value):
            value = float(value)
        if isinstance(value, int | float) and value > 0:
            return float(value)
    return stash.now if stash.earliest is None else stash.earliest


def _joined(value: object) -> str | None:
    """Several values are one text, a value a line."""
    if isinstance(value, list):
        return "\n".join(t for v in value if (t := text_of(v)) is not None) if value else None
    return text_of(value)


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _marked(marker: str) -> dict[str, str]:
    r"""The fields of a marker.

    >>> _marked('span=3600, name="vpn \\"up\\" and down"')
    {'span': '3600', 'name': 'vpn "up" and down'}
    """
    return {
        name: re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
        for name, quoted, plain in _PAIR.findall(marker)
    }
