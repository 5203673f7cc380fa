"""Rows -> the events of a summary index; ``collect`` calls it (Search Reference: collect)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from escudo.spl.binding.effects import as_texts

TIME_FORMAT = "%m/%d/%Y %H:%M:%S %z"
TIME, STAMP = "_stash_time", "_stash_stamp"
"""Columns of rows: the time of the event (epoch seconds), and how its text begins."""
_ORIGIN = ("host", "source", "sourcetype", "index", "splunk_server")
_PLAIN = "^[A-Za-z0-9_]+$"
_PAIR = re.compile(r'([^\s,="]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


@dataclass(frozen=True)
class Stash:
    """How rows become events: ``info`` goes into each event, ``marker`` is appended to it. In the
    ``hec`` format the host, source and source type of the rows stay theirs."""

    index: str
    source: str | None = None
    sourcetype: str | None = None
    host: str | None = None
    marker: str | None = None
    addtime: bool = True
    hec: bool = False
    info: Mapping[str, str] = field(default_factory=dict)


def build_events(rows: pa.Table, stash: Stash) -> pa.Table:
    """The rows (with ``TIME`` and ``STAMP``) as events: ``_time`` (epoch seconds), ``_raw``,
    ``index``, ``host``, ``source`` (null: not named), ``sourcetype``, and a text field for each
    field of the rows.

    A row keeps its ``_raw``, or gets one of ``field=value`` pairs. The default fields of a row are
    ``extracted_host`` and so on in the event, but for ``hec``. Other internal fields (``_...``) are
    left out. Splunk finds the fields of an event in its ``_raw``; here they are there even where
    that has none (XML).
    """
    count = rows.num_rows
    cells = as_texts(rows.select([n for n in rows.column_names if n not in (TIME, STAMP)]))
    texts = {n: _join_values(cells[n].combine_chunks()) for n in cells.column_names}
    kept = texts.pop("_raw", None)
    texts = {n: t for n, t in texts.items() if not n.startswith("_")}
    info = {n: pa.repeat(value, count) for n, value in stash.info.items()}
    raw = _write_pairs(rows, info | _fill_from(texts, info), stash)
    if kept is not None:
        raw = pc.coalesce(kept, raw)
    own = {n: texts.pop(n) for n in _ORIGIN if n in texts}
    nothing = pa.nulls(count, pa.string())
    if stash.hec:
        source, host = own.get("source", nothing), own.get("host", nothing)
        sourcetype = pc.fill_null(own.get("sourcetype", nothing), "stash_hec")
    else:
        texts |= {f"extracted_{n}": t for n, t in own.items()}
        source, host = _repeat(stash.source, count), _repeat(stash.host, count)
        sourcetype = _repeat(stash.sourcetype or "stash", count)
    marked: dict[str, pa.Array] = {}
    if stash.marker:
        raw = pc.binary_join_element_wise(raw, stash.marker, ", ")
        marked = {n: pa.repeat(value, count) for n, value in _read_marker(stash.marker).items()}
    shown = info | _fill_from(texts, info)
    return pa.table(
        {
            "_time": rows[TIME].cast(pa.float64()),
            "_raw": raw,
            "index": pa.repeat(stash.index, count),
            "host": pc.fill_null(host, "escudo"),
            "source": source,
            "sourcetype": sourcetype,
            **marked,
            **_fill_from(shown, marked),
        }
    )


def _fill_from(
    texts: Mapping[str, pa.Array], others: Mapping[str, pa.Array]
) -> dict[str, pa.Array]:
    """The texts, and where one is null what the other of its name has."""
    return {n: pc.coalesce(t, others[n]) if n in others else t for n, t in texts.items()}


def _repeat(value: str | None, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), count)


def _write_pairs(rows: pa.Table, texts: Mapping[str, pa.Array], stash: Stash) -> pa.Array:
    """``field=value`` of the fields that are not null, the time before them."""
    parts = [
        pc.binary_join_element_wise(f"{name}=", _quote_values(values), "")
        for name, values in texts.items()
    ]
    if stash.addtime and not stash.hec:
        parts.insert(0, rows[STAMP].combine_chunks().cast(pa.string()))
    if not parts:
        return _repeat("", rows.num_rows)
    return pc.binary_join_element_wise(*parts, ", ", null_handling="skip")


def _join_values(values: pa.Array) -> pa.Array:
    """Several values are one text, a value a line."""
    if not pa.types.is_list(values.type):
        return values
    several = pc.greater(pc.list_value_length(values), 0)
    return pc.if_else(several, pc.binary_join(values, "\n"), pa.scalar(None, pa.string()))


def _quote_values(values: pa.Array) -> pa.Array:
    escaped = pc.replace_substring(pc.replace_substring(values, "\\", "\\\\"), '"', '\\"')
    quoted = pc.binary_join_element_wise('"', escaped, '"', "")
    return pc.if_else(pc.match_substring_regex(values, _PLAIN), values, quoted)


def _read_marker(marker: str) -> dict[str, str]:
    r"""The fields of a marker.

    >>> _read_marker('span=3600, name="vpn \\"up\\" and down"')
    {'span': '3600', 'name': 'vpn "up" and down'}
    """
    return {
        name: re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
        for name, quoted, plain in _PAIR.findall(marker)
    }
