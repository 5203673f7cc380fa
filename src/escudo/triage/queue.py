"""A lake's findings, their states -> the queue: those that filters let through, a page of them,
counts; called by ``actions.triage``.

Findings are rows of the lake, their states rows of the state; both are joined by the engine over
columns. What is asked for is a table of one row, so that no value is a part of a query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from sqlglot import exp

from escudo.core.catalog import Catalog
from escudo.core.schema import MV_SEPARATOR, TableSchema
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.engines.execute import Engine
from escudo.lake.tables import NOTABLE, RISK
from escudo.spl import Scan, within_range
from escudo.triage.values import OPEN

_NOTABLE_FIELDS = {
    "event_hash": "event_hash",
    "moment": "_time",
    "made": "_indextime",
    "detection": "rule_name",
    "title": "rule_title",
    "search_name": "search_name",
    "domain": "security_domain",
    "severity": "severity",
    "own_urgency": "urgency",
    "own_status": "status",
    "own_owner": "owner",
    "own_disposition": "disposition",
    "stories": "analyticstories",
    "techniques": "annotations.mitre_attack.mitre_technique_id",
}
"""Names in queries -> fields of findings."""

_MOMENT = 0.001
"""Seconds by which a span of times is wider than they are: floats are not exact."""

_RISK_FIELDS = {
    "event_hash": "event_hash",
    "kind": "risk_object_type",
    "object": "risk_object",
    "score": "risk_score",
    "message": "risk_message",
}

SORTS: Mapping[str, str] = {
    "severity": "severity_rank DESC, time DESC, event_hash",
    "newest": "time DESC, event_hash",
    "oldest": "time, event_hash",
    "found": "made DESC, time DESC, event_hash",
    "detection": "detection, time DESC, event_hash",
    "status": "status_rank, severity_rank DESC, time DESC, event_hash",
    "owner": "owner, severity_rank DESC, time DESC, event_hash",
}
"""The orders of the queue."""

_RANK = "list_position(['informational', 'low', 'medium', 'high', 'critical'], {})"
_STATUS_RANK = "list_position(['new', 'in progress', 'pending', 'resolved', 'closed'], status)"

_RAISED = """
WITH raised AS (
  SELECT n.event_hash, spl_epoch(moment) AS time, spl_epoch(made) AS made, detection, title,
    search_name, domain, severity, stories, techniques, {rest} AS rest,
    coalesce(s.status, own_status) AS status, coalesce(s.owner, own_owner) AS owner,
    coalesce(s.urgency, own_urgency) AS urgency,
    coalesce(s.disposition, own_disposition) AS disposition,
    coalesce(s.revision, 0) AS revision, s.changed
  FROM notables AS n LEFT JOIN states AS s ON n.event_hash = s.event_hash
)
"""
"""Findings with their states. The row of a detection (``rest``) is the most of what is stored, so
it is read where it is needed only, as are risk events (2026-11-29: 100,000 findings)."""

_FOUND = f"""
, found AS (
  SELECT raised.*, {_RANK.format("severity")} AS severity_rank, {_STATUS_RANK} AS status_rank
  FROM raised CROSS JOIN asked
  WHERE (wanted_status IS NULL OR list_contains(wanted_status, status))
    AND (wanted_severity IS NULL OR list_contains(wanted_severity, severity))
    AND (wanted_urgency IS NULL OR list_contains(wanted_urgency, urgency))
    AND (wanted_owner IS NULL OR owner = wanted_owner)
    AND (wanted_detection IS NULL OR detection = wanted_detection)
    AND (wanted_story IS NULL OR list_contains(stories, wanted_story))
    AND (wanted_technique IS NULL OR len(list_filter(techniques,
      t -> t = wanted_technique OR starts_with(t, wanted_technique || '.'))) > 0)
    AND (wanted_earliest IS NULL OR time >= wanted_earliest)
    AND (wanted_latest IS NULL OR time < wanted_latest)
    AND (wanted_made_since IS NULL OR made >= wanted_made_since)
    AND (wanted_hashes IS NULL OR list_contains(wanted_hashes, event_hash))
    {{conditions}}
)
"""

_OF_ENTITY = """
    AND (event_hash IN (SELECT r.event_hash FROM risk_events AS r CROSS JOIN asked
        WHERE contains(lower(object), wanted_entity))
      OR contains(lower(coalesce(rest['normalized_risk_object'], '')), wanted_entity))
"""

_WITH_TEXT = """
    AND (contains(lower(concat_ws(chr(10), detection, title,
        array_to_string(map_values(rest), chr(10)))), wanted_text)
      OR event_hash IN (SELECT r.event_hash FROM risk_events AS r CROSS JOIN asked
        WHERE contains(lower(message), wanted_text)))
"""

_DETAILS = """
, scored AS (
  SELECT r.event_hash AS risk_hash, list(DISTINCT kind || chr(31) || object) AS objects,
    any_value(message) AS message, CAST(sum(score) AS DOUBLE) AS score
  FROM risk_events AS r SEMI JOIN chosen ON r.event_hash = chosen.event_hash
  WHERE object IS NOT NULL GROUP BY r.event_hash
)
SELECT raised.*, objects, message, score
FROM raised JOIN chosen ON raised.event_hash = chosen.event_hash
LEFT JOIN scored ON raised.event_hash = risk_hash ORDER BY place
"""

_PAGE = """
SELECT event_hash, time, count(*) OVER () AS total FROM found ORDER BY {} LIMIT {} OFFSET {}
"""

_COUNTS = """
SELECT severity, status, count(*) AS findings, min(time) AS oldest, min(made) AS first_made
FROM found GROUP BY severity, status
"""

_AGES = """
SELECT severity, list_position({}, true) AS age, count(*) AS findings
FROM (SELECT severity, made FROM found) GROUP BY severity, age
"""

_MADE = "SELECT made FROM found ORDER BY made"

_DETECTIONS = "SELECT detection, count(*) AS findings FROM found GROUP BY detection ORDER BY 1"

_ASKED = pa.schema(
    [
        ("status", pa.list_(pa.string())),
        ("severity", pa.list_(pa.string())),
        ("urgency", pa.list_(pa.string())),
        ("owner", pa.string()),
        ("detection", pa.string()),
        ("story", pa.string()),
        ("technique", pa.string()),
        ("earliest", pa.float64()),
        ("latest", pa.float64()),
        ("made_since", pa.float64()),
        ("hashes", pa.list_(pa.string())),
        ("entity", pa.string()),
        ("text", pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingFilter:
    """Which findings are meant; what is empty asks for nothing.

    ``entity`` is a part of the name of a risk object, ``text`` of any of a finding's fields, both
    in any case; ``technique`` means its sub-techniques, too. ``earliest`` and ``latest`` are times
    of what was found, ``made_since`` of when it was found, in epoch seconds.
    """

    status: tuple[str, ...] = OPEN
    severity: tuple[str, ...] = ()
    urgency: tuple[str, ...] = ()
    owner: str = ""
    detection: str = ""
    story: str = ""
    technique: str = ""
    entity: str = ""
    text: str = ""
    earliest: float | None = None
    latest: float | None = None
    made_since: float | None = None
    hashes: tuple[str, ...] = ()

    def as_table(self) -> pa.Table:
        """The filter as a table of one row; null asks for nothing."""
        values: dict[str, Any] = {name: getattr(self, name) or None for name in _ASKED.names}
        values |= {
            name: list(values[name]) if values[name] else None
            for name in ("status", "severity", "urgency", "hashes")
        }
        for name in ("earliest", "latest", "made_since"):
            values[name] = getattr(self, name)
        for name in ("entity", "text"):
            values[name] = values[name].strip().lower() or None if values[name] else None
        if values["technique"]:
            values["technique"] = values["technique"].strip().upper()
        row = pa.Table.from_pylist([values], _ASKED)
        return row.rename_columns([f"wanted_{name}" for name in _ASKED.names])


@dataclass(frozen=True, slots=True)
class RiskObjectName:
    """Who or what gains risk; ``kind`` is ``system``, ``user`` or ``other``."""

    kind: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A finding with its state. Times are epoch seconds: ``time`` of what was found, ``made`` of
    when it was found. ``fields`` is the row of the detection."""

    event_hash: str
    time: float
    made: float
    detection: str
    search_name: str
    title: str
    domain: str
    severity: str
    status: str
    owner: str
    urgency: str
    disposition: str
    revision: int
    changed: float | None
    stories: tuple[str, ...]
    techniques: tuple[str, ...]
    objects: tuple[RiskObjectName, ...]
    score: float
    message: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FindingPage:
    """Some findings of the ``total`` that the filter lets through."""

    findings: Sequence[Finding]
    total: int


@dataclass(frozen=True, slots=True)
class FindingCount:
    """How many findings there are of a severity in a state; ``oldest`` is the time of the earliest,
    ``first_made`` when the first of them was found."""

    severity: str
    status: str
    findings: int
    oldest: float
    first_made: float


class FindingQueue:
    """The findings of a catalog.

    Args:
        states: what has become of them (``Triage.read_table``).
    """

    def __init__(self, engine: Engine, catalog: Catalog, states: pa.Table) -> None:
        self._engine = engine
        self._states = states
        schemas = {schema.table: schema for schema in catalog.raw_tables()}
        self._notables = _scan_all(schemas[NOTABLE])
        self._risk = _scan_all(schemas[RISK])

    def list_page(
        self, wanted: FindingFilter, *, sort: str = "severity", offset: int = 0, count: int = 50
    ) -> FindingPage:
        """A page of the findings that are wanted; ``sort`` is one of ``SORTS``."""
        page = self._ask(_PAGE.format(SORTS[sort], int(count), int(offset)), wanted)
        if not page.num_rows:
            total = sum(row.findings for row in self.count(wanted)) if offset else 0
            return FindingPage([], total)
        places = pa.array(range(page.num_rows), pa.int64())
        chosen = pa.table({"event_hash": page["event_hash"], "place": places})
        text = _RAISED.format(rest="rest") + _DETAILS
        rows = self._run(text, {"chosen": chosen}, _find_span(page["time"])).to_pylist()
        return FindingPage([_read_finding(row) for row in rows], page["total"][0].as_py())

    def count(self, wanted: FindingFilter) -> list[FindingCount]:
        """How many there are by severity and state."""
        rows = self._ask(_COUNTS, wanted).to_pylist()
        return [FindingCount(**row) for row in rows]

    def count_ages(
        self, wanted: FindingFilter, *, now: float, limits: Sequence[float]
    ) -> dict[tuple[str, int], int]:
        """How many there are of a severity whose age in seconds, since they were found, is below
        each of some limits but no earlier one; the number of limits stands for all that are
        older."""
        tests = [f"made > {float(now - limit)!r}" for limit in limits]
        rows = self._ask(_AGES.format(f"[{', '.join(tests)}]"), wanted).to_pylist()
        ages: dict[tuple[str, int], int] = {}
        for row in rows:
            age = (row["age"] or len(limits) + 1) - 1
            ages[row["severity"], age] = ages.get((row["severity"], age), 0) + row["findings"]
        return ages

    def list_times(self, wanted: FindingFilter) -> list[float]:
        """When each was found, in epoch seconds, the earliest first."""
        times: list[float] = self._ask(_MADE, wanted)["made"].to_pylist()
        return times

    def list_detections(self, wanted: FindingFilter) -> list[tuple[str, int]]:
        """The detections that have findings, each with their number."""
        rows = self._ask(_DETECTIONS, wanted).to_pylist()
        return [(row["detection"], row["findings"]) for row in rows]

    def _ask(self, select: str, wanted: FindingFilter) -> pa.Table:
        conditions = (_OF_ENTITY if wanted.entity.strip() else "") + (
            _WITH_TEXT if wanted.text.strip() else ""
        )
        raised = _RAISED.format(rest="rest" if conditions else "NULL")
        found = _FOUND.format(conditions=conditions)
        return self._run(raised + found + select, {"asked": wanted.as_table()})

    def _run(
        self, text: str, tables: Mapping[str, pa.Table], within: TimeRange = ALL_TIME
    ) -> pa.Table:
        """The rows of a query; of findings those within a time are read."""
        query: exp.Expression = _parse(text).copy()
        named = {
            "notables": (_NOTABLE_FIELDS, replace(self._notables, within=within)),
            "risk_events": (_RISK_FIELDS, self._risk),
        }
        used = set()
        for node in list(query.find_all(exp.Table)):
            if node.name in named:
                fields, scan = named[node.name]
                node.replace(_rename(fields, scan, node.alias_or_name))
                used.add(node.name)
        scans = [scan for name, (_, scan) in named.items() if name in used]
        return self._engine.run(query, scans, {"states": self._states, **tables})


@lru_cache(maxsize=256)
def _parse(text: str) -> exp.Expression:
    parsed = sqlglot.parse_one(text, dialect="duckdb")
    assert isinstance(parsed, exp.Expression)
    return parsed


def _scan_all(schema: TableSchema) -> Scan:
    names = {*_NOTABLE_FIELDS.values(), *_RISK_FIELDS.values()}
    columns = {c.name: c for c in schema.columns if c.name in names and c.physical is not None}
    rest = schema.rest if schema.table == NOTABLE else None
    own = TableSchema(schema.table, tuple(columns.values()), rest=rest)
    return Scan(f"all_{schema.table}", own, ALL_TIME, columns)


def _rename(fields: Mapping[str, str], scan: Scan, name: str) -> exp.Expr:
    """A scan with the names that queries use."""
    picked: list[exp.Expr] = [
        exp.alias_(exp.column(scan.columns[field].physical or field, quoted=True), own, quoted=True)
        for own, field in fields.items()
    ]
    if scan.schema.rest is not None:
        picked.append(exp.alias_(exp.column(scan.schema.rest, quoted=True), "rest", quoted=True))
    query = exp.select(*picked).from_(exp.to_table(scan.name, quoted=True))
    if (inside := within_range(exp.column("_time", quoted=True), scan.within)) is not None:
        query = query.where(inside)
    return exp.alias_(query.subquery(), name, table=True)


def _find_span(times: pa.ChunkedArray) -> TimeRange:
    """From the first to just after the last of some times in epoch seconds."""
    if times.null_count:
        return ALL_TIME
    ends = pc.min_max(times).as_py()
    return TimeRange(ends["min"] - _MOMENT, ends["max"] + _MOMENT)


def _read_finding(row: Mapping[str, Any]) -> Finding:
    rest = dict(row["rest"] or ())
    objects = [RiskObjectName(*text.split("\x1f", 1)) for text in sorted(row["objects"] or ())]
    if not objects and (named := rest.get("normalized_risk_object") or rest.get("risk_object")):
        kind = rest.get("risk_object_type") or "other"
        objects = [RiskObjectName(kind, name) for name in named.split(MV_SEPARATOR)]
    return Finding(
        event_hash=row["event_hash"],
        time=row["time"],
        made=row["made"],
        detection=row["detection"] or row["search_name"] or "",
        search_name=row["search_name"] or "",
        title=row["title"] or row["detection"] or "",
        domain=row["domain"] or "",
        severity=row["severity"] or "informational",
        status=row["status"] or "",
        owner=row["owner"] or "",
        urgency=row["urgency"] or "",
        disposition=row["disposition"] or "",
        revision=row["revision"],
        changed=row["changed"],
        stories=tuple(row["stories"] or ()),
        techniques=tuple(row["techniques"] or ()),
        objects=tuple(objects),
        score=row["score"] or 0.0,
        message=row["message"] or "",
        fields={k: v.replace(MV_SEPARATOR, ", ") for k, v in rest.items() if v is not None},
    )
