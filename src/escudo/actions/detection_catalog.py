"""Content, a lake, a schedule's state -> what there is of detections: whether their data is here,
when they ran last, what they cost and found; called by the server's pages.

Whether data is here is told as a hunt tells it (``actions.hunt_summary``), without binding the
searches: by the data sources that a detection names, and the tables of the datasets that its search
names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlglot import exp

from escudo.actions.data_origins import find_origin, fold_origin, list_sources, name_origins
from escudo.actions.raw_events import list_logs
from escudo.content import Content, Detection
from escudo.content.elements.common import Schedule
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.engines.execute import Engine
from escudo.engines.scans import pick_columns
from escudo.findings.attack import TACTICS, Tactic, Technique, load_techniques
from escudo.lake import Snapshot
from escudo.lake.tables import NOTABLE, RISK
from escudo.schedule.database import State
from escudo.schedule.tables import DONE, FAILED, SEARCHES, WINDOWS
from escudo.spl import alias, column, select, table, within_range

FINDING_SECONDS = 7 * 86_400.0
"""Findings of the last seconds that are counted."""

_DATASET = re.compile(r"datamodel\s*[=:]?\s*\"?([A-Za-z_]+)\.([A-Za-z_]+)", re.IGNORECASE)


class DataState(StrEnum):
    """Whether a detection's data is in the lake. ``UNKNOWN``: the content does not say what it
    needs, or Escudo does not know where that comes from."""

    HERE = "here"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class NeededData:
    """A data source or dataset that a detection reads; ``origin`` is the source or sourcetype of
    its events, where that is known."""

    name: str
    origin: str
    state: DataState


@dataclass(frozen=True, slots=True)
class LastRun:
    """What became of a detection's windows. Times are epoch seconds; ``seconds`` is what its last
    run took, ``cost`` what its runs took on average; ``code`` and ``error`` are those of the last
    one, if it failed."""

    ran: float | None = None
    due: float | None = None
    seconds: float | None = None
    cost: float | None = None
    windows: int = 0
    failed: int = 0
    code: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogRow:
    """A detection, and how it does in this lake. ``findings`` and ``risk_events`` are those of the
    last seven days; ``schedule`` is its own or its type's, None where there is none."""

    detection: Detection
    needs: tuple[NeededData, ...]
    data: DataState
    last: LastRun
    findings: int
    risk_events: int
    schedule: Schedule | None


@dataclass(frozen=True, slots=True)
class HeldLogs:
    """The origins (sources and sourcetypes, folded) and the tables that have events in a lake."""

    origins: frozenset[str]
    tables: frozenset[str]


class Coverage(StrEnum):
    """How a technique is covered: ``COVERED`` by a detection that is on and has its data, ``DATA``
    by those that are on and miss it, ``OFF`` by those that are off, ``NONE`` by none."""

    COVERED = "covered"
    DATA = "data"
    OFF = "off"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class TechniqueCoverage:
    """A technique with its detections, those of its sub-techniques counted in."""

    technique: Technique
    coverage: Coverage
    detections: tuple[CatalogRow, ...]
    parts: tuple[TechniqueCoverage, ...] = ()

    @property
    def covered(self) -> int:
        """How many of its detections are on and have their data."""
        return sum(rate_row(row) is Coverage.COVERED for row in self.detections)


def find_held_logs(snapshot: Snapshot, engine: Engine) -> HeldLogs:
    """What a lake has, at any time."""
    origins: set[str] = set()
    for schema in list_logs(snapshot, ALL_TIME):
        names = ("source", "sourcetype")
        scan = pick_columns(schema, names, ALL_TIME)
        query = select([column(n) for n in names], table(scan.name))
        query.set("distinct", exp.Distinct())
        for row in engine.run(query, [scan], {}).to_pylist():
            origins.update(fold_origin(row[n]) for n in names if row[n])
    filled = {t for t in snapshot.tables() if snapshot.data_files(t)}
    return HeldLogs(frozenset(origins), frozenset(filled))


def read_catalog(
    content: Content,
    snapshot: Snapshot,
    engine: Engine,
    *,
    state: State,
    held: HeldLogs,
    now: float,
) -> list[CatalogRow]:
    """All detections of the content, by name.

    Raises:
        EscudoError: SCH001 where the state fails, and what the lake says.
    """
    origins = name_origins(content)
    runs = _read_runs(state)
    recent = TimeRange(now - FINDING_SECONDS, None)
    findings = _count_by_search(NOTABLE, snapshot, engine, within=recent)
    risk = _count_by_search(RISK, snapshot, engine, within=recent)
    rows = []
    for detection in content.detections:
        needs = tuple(_list_needs(detection, snapshot, origins, held=held))
        rows.append(
            CatalogRow(
                detection=detection,
                needs=needs,
                data=_judge_data(detection, needs, snapshot),
                last=runs.get(detection.id or detection.name, LastRun()),
                findings=findings.get(detection.search_name, 0),
                risk_events=risk.get(detection.search_name, 0),
                schedule=_find_schedule(content, detection),
            )
        )
    return rows


def _find_schedule(content: Content, detection: Detection) -> Schedule | None:
    if detection.schedule is not None:
        return detection.schedule
    deployment = content.deployments.get(detection.type)
    return deployment.schedule if deployment is not None else None


def _list_needs(
    detection: Detection, snapshot: Snapshot, origins: Mapping[str, str], *, held: HeldLogs
) -> Iterator[NeededData]:
    for name in dict.fromkeys(list_sources(detection)):
        origin = find_origin(name, origins) or ""
        folded = fold_origin(origin or name)
        if folded in held.origins:
            state = DataState.HERE
        else:
            state = DataState.MISSING if origin else DataState.UNKNOWN
        yield NeededData(name, origin, state)
    for model, dataset in dict.fromkeys(_DATASET.findall(detection.search)):
        schema = snapshot.dataset(model, dataset)
        if schema is not None and schema.table != RISK:
            here = schema.table in held.tables
            found = DataState.HERE if here else DataState.MISSING
            yield NeededData(f"{model}.{dataset}", schema.table, found)


def _judge_data(detection: Detection, needs: Sequence[NeededData], snapshot: Snapshot) -> DataState:
    """Of several sources one is enough. Where all tables of the datasets that a search reads are
    empty, it finds nothing whatever sources are there. Correlations read what others found, and
    miss no log."""
    if detection.type == "Correlation":
        return DataState.HERE
    datasets = {n.name for n in needs if _is_dataset(n, snapshot)}
    named = [n for n in needs if n.name not in datasets]
    read = [n for n in needs if n.name in datasets]
    if read and all(n.state is DataState.MISSING for n in read):
        return DataState.MISSING
    if any(n.state is DataState.HERE for n in (*named, *read)):
        gone = bool(named) and all(n.state is DataState.MISSING for n in named)
        return DataState.MISSING if gone and not read else DataState.HERE
    if named and all(n.state is DataState.MISSING for n in named):
        return DataState.MISSING
    return DataState.UNKNOWN


def _is_dataset(needed: NeededData, snapshot: Snapshot) -> bool:
    model, _, dataset = needed.name.partition(".")
    return bool(dataset) and " " not in needed.name and snapshot.dataset(model, dataset) is not None


def _read_runs(state: State) -> dict[str, LastRun]:
    """By identity: the last window that ran, of whichever version, and sums over all that did."""
    ran = WINDOWS.c.state.in_((DONE, FAILED))
    sums = (
        sa.select(
            SEARCHES.c.identity,
            sa.func.max(WINDOWS.c.ran).label("ran"),
            sa.func.avg(WINDOWS.c.seconds).label("cost"),
            sa.func.count().label("windows"),
            sa.func.count().filter(WINDOWS.c.state == FAILED).label("failed"),
            sa.func.max(WINDOWS.c.id).label("last"),
        )
        .join(SEARCHES, SEARCHES.c.id == WINDOWS.c.search_id)
        .where(ran, WINDOWS.c.ran.is_not(None))
        .group_by(SEARCHES.c.identity)
        .subquery()
    )
    last = sa.select(sums, WINDOWS.c.due, WINDOWS.c.seconds, WINDOWS.c.code, WINDOWS.c.error).join(
        WINDOWS, WINDOWS.c.id == sums.c.last
    )
    with state.read() as connection:
        rows = connection.execute(last).all()
    return {
        row.identity: LastRun(
            ran=row.ran,
            due=row.due,
            seconds=row.seconds,
            cost=row.cost,
            windows=row.windows,
            failed=row.failed,
            code=row.code or "",
            error=row.error or "",
        )
        for row in rows
    }


def _count_by_search(
    name: str, snapshot: Snapshot, engine: Engine, *, within: TimeRange
) -> dict[str, int]:
    """Rows of findings or risk in a window, by the name of the search that made them."""
    schema = next(s for s in snapshot.raw_tables() if s.table == name)
    if not snapshot.files(name, within):
        return {}
    scan = pick_columns(schema, ("_time", "source"), within)
    items = [column("source"), alias(exp.Count(this=exp.Star()), "rows")]
    query = select(items, table(scan.name)).group_by(column("source"))
    inside = within_range(column("_time"), within)
    if inside is not None:
        query = query.where(inside)
    return {r["source"] or "": r["rows"] for r in engine.run(query, [scan], {}).to_pylist()}


def rate_row(row: CatalogRow) -> Coverage:
    """How one detection covers what it is about."""
    if not row.detection.enabled:
        return Coverage.OFF
    return Coverage.DATA if row.data is DataState.MISSING else Coverage.COVERED


def build_matrix(
    rows: Iterable[CatalogRow],
) -> list[tuple[Tactic, tuple[TechniqueCoverage, ...]]]:
    """ATT&CK's matrix: each tactic with its techniques, those with sub-techniques having them as
    parts; each with its detections and how they cover it."""
    by_id: dict[str, list[CatalogRow]] = {}
    for row in rows:
        for identity in dict.fromkeys(row.detection.tags.mitre_attack_id):
            by_id.setdefault(identity, []).append(row)
    known = load_techniques()
    subs: dict[str, list[Technique]] = {}
    for technique in known.values():
        parent, dot, _ = technique.id.partition(".")
        if dot:
            subs.setdefault(parent, []).append(technique)
    cells: dict[str, TechniqueCoverage] = {}
    for technique in known.values():
        if "." in technique.id:
            continue
        parts = tuple(
            _cover(part, by_id.get(part.id, ()))
            for part in sorted(subs.get(technique.id, ()), key=lambda t: t.id)
        )
        own = [*by_id.get(technique.id, ()), *(row for p in parts for row in p.detections)]
        unique = list({row.detection.id: row for row in own}.values())
        cells[technique.id] = _cover(technique, unique, parts)
    return [
        (
            tactic,
            tuple(
                sorted(
                    (c for c in cells.values() if tactic in c.technique.tactics),
                    key=lambda c: c.technique.name,
                )
            ),
        )
        for tactic in TACTICS
    ]


def _cover(
    technique: Technique, rows: Collection[CatalogRow], parts: tuple[TechniqueCoverage, ...] = ()
) -> TechniqueCoverage:
    ratings = {rate_row(row) for row in rows}
    coverage = next((c for c in Coverage if c in ratings), Coverage.NONE)
    ordered = tuple(sorted(rows, key=lambda row: row.detection.name))
    return TechniqueCoverage(technique, coverage, ordered, parts)
