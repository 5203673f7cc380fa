"""A file of Splunk's stash events -> rows of the table of risk events; called where a detection's
test has such data.

Splunk keeps what searches write (risk events, summaries) as text: a time, then ``name="value"``,
separated by commas (Knowledge Manager Manual, "Configure summary indexes"; Search Reference,
collect). A field that is there twice has both values. Enterprise Security adds the names and
tactics of ATT&CK techniques when such events are searched, so that is done here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pyarrow as pa

from escudo.core.schema import TableSchema
from escudo.findings.attack import find_techniques
from escudo.findings.risk import INDEX, SOURCETYPE
from escudo.lake.labels import Labels
from escudo.lake.table_rows import lay_out

_EVENT = re.compile(
    r"^(?P<time>\d{9,10}(?:\.\d+)?|\d{2}/\d{2}/\d{4} \d{2}:\d{2}:\d{2} [+-]\d{4}),\s+(?=[\w.]+=)",
    re.MULTILINE,
)
"""How an event begins: epoch seconds, or a date as ``collect`` writes it."""
_PAIR = re.compile(
    r'(?P<name>[A-Za-z_][\w.:{}-]*)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^,\s]*))', re.DOTALL
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_NUMBERS = frozenset({"risk_score", "info_min_time", "info_max_time"})
_TECHNIQUES = "annotations.mitre_attack"

Fields = Mapping[str, Sequence[str]]


def read_stash(path: Path, schema: TableSchema, labels: Labels) -> pa.Table:
    """The events of a file as rows of the risk table; none where it is no file of stash events.

    Args:
        schema: the table of ``Risk.All_Risk``.
        labels: what the events carry: source and source type of the test.
    """
    text = path.read_text("utf-8", "replace")
    events = list(split_stash(text))
    if not events:
        return schema.arrow().empty_table()
    names = dict.fromkeys(name for _, fields, _ in events for name in fields)
    columns: dict[str, pa.Array] = {
        "_time": pa.array([time for time, _, _ in events], pa.float64()),
        "_raw": pa.array([raw for _, _, raw in events], pa.string()),
    }
    for name in names:
        values = [fields.get(name) for _, fields, _ in events]
        columns[name] = _column(name, values, schema)
    held = {
        "index": labels.index or INDEX,
        "host": labels.host or "escudo",
        "sourcetype": labels.sourcetype or SOURCETYPE,
        "source_file": str(path),
    }
    for name, value in held.items():
        columns[name] = pa.array([value] * len(events), pa.string())
    if "source" not in columns:
        # Risk events have the name of their search as their source.
        names_of = [next(iter(f.get("search_name", ())), labels.source) for _, f, _ in events]
        columns["source"] = pa.array(names_of, pa.string())
    return lay_out(columns, schema)


def split_stash(text: str) -> Iterator[tuple[float, Fields, str]]:
    """Each event of a text: its time in epoch seconds, its fields, its own text.

    >>> text = '1662044400, search_name="A \\\\"b\\\\"", tag=x, tag=y'
    >>> [(time, dict(fields)) for time, fields, _ in split_stash(text)]
    [(1662044400.0, {'search_name': ['A "b"'], 'tag': ['x', 'y']})]
    """
    begins = list(_EVENT.finditer(text))
    ends = [*(b.start() for b in begins[1:]), len(text)] if begins else []
    for begin, end in zip(begins, ends, strict=True):
        fields: dict[str, list[str]] = {}
        for pair in _PAIR.finditer(text, begin.end(), end):
            quoted = pair["quoted"]
            value = _ESCAPE.sub(r"\1", quoted) if quoted is not None else pair["plain"]
            values = fields.setdefault(pair["name"], [])
            if value and value not in values:
                values.append(value)
        _add_annotations(fields)
        yield _read_time(begin["time"]), fields, text[begin.start() : end].rstrip()


def _read_time(text: str) -> float:
    if "/" in text:
        return datetime.strptime(text, "%m/%d/%Y %H:%M:%S %z").astimezone(UTC).timestamp()
    return float(text)


def _add_annotations(fields: dict[str, list[str]]) -> None:
    """Fields of the JSON in ``annotations``, and what ATT&CK says of the techniques."""
    for text in fields.pop("annotations", []):
        try:
            told = orjson.loads(text)
        except orjson.JSONDecodeError:
            continue
        for framework, values in told.items() if isinstance(told, dict) else ():
            members = values if isinstance(values, list) else [values]
            fields.setdefault(f"annotations.{framework}", [str(v) for v in members])
    ids = fields.get(_TECHNIQUES) or fields.get(f"{_TECHNIQUES}.mitre_technique_id") or []
    techniques, _ = find_techniques(tuple(ids))
    tactics = dict.fromkeys(t.short for technique in techniques for t in technique.tactics)
    derived = {
        f"{_TECHNIQUES}.mitre_technique_id": list(ids),
        f"{_TECHNIQUES}.mitre_technique": [t.name for t in techniques],
        f"{_TECHNIQUES}.mitre_tactic": list(tactics),
    }
    for name, values in derived.items():
        if values:
            fields.setdefault(name, values)
    objects = fields.get("risk_object")
    if objects:
        fields.setdefault("normalized_risk_object", [o.lower() for o in objects])


def _column(name: str, values: Sequence[Sequence[str] | None], schema: TableSchema) -> pa.Array:
    if name in _NUMBERS:
        return pa.array([_number(v) for v in values], pa.float64())
    column = schema.by_name.get(name)
    if any(v is not None and len(v) > 1 for v in values) or (
        column is not None and column.type == "multivalue"
    ):
        return pa.array([None if v is None else list(v) for v in values], pa.list_(pa.string()))
    return pa.array([v[0] if v else None for v in values], pa.string())


def _number(values: Sequence[str] | None) -> float | None:
    try:
        return float(values[0]) if values else None
    except ValueError:
        return None
