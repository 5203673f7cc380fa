"""A match -> risk events, one for each risk object of a row; risk events -> the risk of each
object; called by ``judging`` and by what shows a hunt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from escudo.content import RiskConfig, RiskObject
from escudo.core.errors import Diagnostic, Severity
from escudo.core.schema import TableSchema
from escudo.core.spooled import spool_parts
from escudo.detect import Match
from escudo.findings.annotations import annotate
from escudo.findings.rows import (
    cut_hashed,
    date_rows,
    rename_row_fields,
    repeat_value,
    split_window,
)
from escudo.findings.tokens import escape_value, fill_messages, list_message_fields
from escudo.lake.table_rows import format_values, lay_out

INDEX = "risk"
SOURCETYPE = "stash"
_NOBODY = pa.array(["", "null", "unknown", "-"], pa.string())

Report = Callable[[Diagnostic], None]


def ignore(_: Diagnostic) -> None:
    """A report that nobody reads."""


@dataclass(frozen=True, slots=True)
class Objects:
    """The values of one risk object: ``parents`` are the rows that they come from."""

    config: RiskObject
    values: pa.Array
    parents: pa.Array


def build_risk_events(
    match: Match,
    schema: TableSchema,
    *,
    hashes: pa.Array | None = None,
    report: Report = ignore,
) -> pa.Table:
    """The risk events of a match, as rows of the ``raw_risk`` table.

    ``schema`` is the table of ``Risk.All_Risk``. A multivalue risk field gives an event for each
    value; null, empty, ``null`` and ``unknown`` give none and are reported (FND001), as are
    fields that the search does not return (FND002). Every field of the row is kept; fields
    without a column go to the rest map. Whether a type gives risk at all is its deployment's
    matter (``findings.judge_match``). ``hashes`` are those of the rows (``rows.hash_rows``), where
    they are known. Many events are in a file (``core.spooled``).
    """
    config, empty = match.detection.risk, schema.arrow().empty_table()
    if config is None or not match.rows.num_rows:
        return empty
    _report_messages(match, config, report)
    _report_objects(match, config, report)
    return spool_parts(_build_parts(match, config, hashes, schema), empty)


def _build_parts(
    match: Match, config: RiskConfig, hashes: pa.Array | None, schema: TableSchema
) -> Iterator[pa.Table]:
    """The events of each object of each part of a match; all have the same columns."""
    for part, known in cut_hashed(match, hashes):
        threats = _threat_objects(part, config)
        for objects in extract_risk_objects(part.rows, config):
            if len(objects.values):
                yield _events(part, config, objects, known, threats, schema)


def extract_risk_objects(rows: pa.Table, config: RiskConfig) -> Iterator[Objects]:
    """The objects of rows that gain risk, one entry for each risk field that they have."""
    for item in config.risk_objects:
        name = find_field(rows, item.field)
        if name is None:
            continue
        column = rows[name].combine_chunks()
        parents = pa.array(range(rows.num_rows), pa.int64())
        if pa.types.is_list(column.type):
            parents = parents.take(pc.list_parent_indices(column))
            column = pc.list_flatten(column)
        values = pc.utf8_trim_whitespace(format_values(column))
        named = pc.invert(pc.is_in(pc.utf8_lower(pc.fill_null(values, "")), _NOBODY))
        yield Objects(item, values.filter(named), parents.filter(named))


def find_field(rows: pa.Table, name: str) -> str | None:
    """The field of the rows that a risk or threat object names.

    A dataset before the name (``Processes.dest``) may have been taken off by the search.
    """
    if name in rows.column_names:
        return name
    short = name.rpartition(".")[2]
    return short if short in rows.column_names else None


def _events(
    match: Match,
    config: RiskConfig,
    objects: Objects,
    hashes: pa.Array,
    threats: tuple[pa.Array, pa.Array],
    schema: TableSchema,
) -> pa.Table:
    detection, item, count = match.detection, objects.config, len(objects.values)
    rows = match.rows.take(objects.parents)
    low, high = split_window(match.window)
    lists = pa.list_(pa.string())
    own: dict[str, pa.Array | pa.ChunkedArray] = {
        "_time": date_rows(match).take(objects.parents),
        "_indextime": repeat_value(match.now, count),
        "index": repeat_value(INDEX, count),
        "host": repeat_value("escudo", count),
        "source": repeat_value(detection.search_name, count),
        "sourcetype": repeat_value(SOURCETYPE, count),
        "search_name": repeat_value(detection.search_name, count),
        "orig_sid": repeat_value(match.sid, count),
        "risk_object": objects.values,
        "risk_object_type": repeat_value(item.type, count),
        "normalized_risk_object": pc.utf8_lower(objects.values),
        "risk_score": repeat_value(item.score, count),
        "risk_message": fill_messages(item.message or config.message, rows),
        "threat_object": threats[0].take(objects.parents),
        "threat_object_type": threats[1].take(objects.parents),
        "analyticstories": repeat_value(list(detection.tags.analytic_story), count, lists),
        "savedsearch_description": repeat_value(detection.description, count),
        "contributing_events_search": _contributing(match, item, objects.values),
        "info_min_time": repeat_value(low, count),
        "info_max_time": repeat_value(high, count),
        "creator": repeat_value("escudo", count),
        "event_hash": hashes.take(objects.parents),
        "source_file": _first(match.source_files.take(objects.parents)),
    }
    for name, values in annotate(detection).fields.items():
        own[name] = repeat_value(list(values), count, lists)
    return lay_out({**rename_row_fields(rows, tuple(own)), **own}, schema)


def _contributing(match: Match, item: RiskObject, values: pa.Array) -> pa.Array:
    """The search that shows what is behind each event: the detection's, for this object."""
    name = find_field(match.rows, item.field) or item.field
    head = f"{match.detection.search} | search {name}="
    return pa.array([f'{head}"{escape_value(v)}"' for v in values.to_pylist()], pa.string())


def _first(files: pa.ChunkedArray) -> pa.Array:
    return pa.array([f[0] if f else None for f in files.to_pylist()], pa.string())


def _threat_objects(match: Match, config: RiskConfig) -> tuple[pa.Array, pa.Array]:
    """For each row the values of its threat objects, and their types in the same order."""
    count = match.rows.num_rows
    values: list[list[str]] = [[] for _ in range(count)]
    types: list[list[str]] = [[] for _ in range(count)]
    for item in config.threat_objects:
        name = find_field(match.rows, item.field)
        if name is None:
            continue
        column = match.rows[name].combine_chunks()
        is_list = pa.types.is_list(column.type)
        texts = column.cast(pa.list_(pa.string())) if is_list else format_values(column)
        for i, value in enumerate(texts.to_pylist()):
            members = value if is_list else [value]
            named = [m for m in members or () if m]
            values[i] += named
            types[i] += [item.type] * len(named)
    kind = pa.list_(pa.string())
    return (
        pa.array([v or None for v in values], kind),
        pa.array([t or None for t in types], kind),
    )


def _report_objects(match: Match, config: RiskConfig, report: Report) -> None:
    """Says which objects the rows do not name: of all rows at once, since it counts them."""
    for item in config.risk_objects:
        if find_field(match.rows, item.field) is None:
            problem = f"{item.field!r}, a risk object: nothing is scored"
            report(_warning("FND002", match, f"the search does not return {problem}"))
    count = match.rows.num_rows
    for objects in extract_risk_objects(match.rows, config):
        nobody = count - pc.count_distinct(objects.parents).as_py()
        if nobody:
            problem = f"{nobody} of {count} rows have no {objects.config.field}"
            report(_warning("FND001", match, f"{problem}: no risk for it there"))
    for threat in config.threat_objects:
        if find_field(match.rows, threat.field) is None:
            problem = f"{threat.field!r}, a threat object"
            report(_warning("FND002", match, f"the search does not return {problem}"))


def _report_messages(match: Match, config: RiskConfig, report: Report) -> None:
    messages = [o.message or config.message for o in config.risk_objects]
    named = dict.fromkeys(f for m in messages for f in list_message_fields(m))
    for name in named:
        if name not in match.rows.column_names and f"${name}$" in " ".join(messages):
            report(
                _warning(
                    "FND003", match, f"the message names {name!r}, which the search does not return"
                )
            )


def _warning(code: str, match: Match, message: str) -> Diagnostic:
    return Diagnostic(
        code,
        f"{match.detection.name}: {message}",
        Severity.WARNING,
        span=match.detection.origin.search,
    )


def sum_risk(events: pa.Table, schema: TableSchema) -> pa.Table:
    """The risk of each object: sum of scores, events, detections, highest first.

    Columns: risk_object, risk_object_type, risk_score (number), risk_event_count, sources (the
    searches that gave it, a list of text). Objects are the same without regard to case, as
    ``normalized_risk_object`` is.
    """
    names = {
        field: schema.by_name[field].physical
        for field in (
            "normalized_risk_object",
            "risk_object",
            "risk_object_type",
            "risk_score",
            "source",
        )
    }
    picked = pa.table({field: events[name] for field, name in names.items()})
    grouped = picked.group_by(["normalized_risk_object", "risk_object_type"]).aggregate(
        [
            ("risk_object", "min"),
            ("risk_score", "sum"),
            ("risk_score", "count"),
            ("source", "distinct"),
        ]
    )
    out = pa.table(
        {
            "risk_object": grouped["risk_object_min"],
            "risk_object_type": grouped["risk_object_type"],
            "risk_score": grouped["risk_score_sum"],
            "risk_event_count": grouped["risk_score_count"],
            "sources": grouped["source_distinct"],
        }
    )
    return out.sort_by([("risk_score", "descending"), ("risk_object", "ascending")])
