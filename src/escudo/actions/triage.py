"""A lake, a state -> findings with what has become of them, what is around one, changes of them;
called by the pages and the API of the server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlglot import exp

from escudo.actions.named_search import NamedSearch
from escudo.actions.raw_events import Event, fetch_events
from escudo.actions.why import explain_event
from escudo.actions.workspace import SearchPlace, Workspace
from escudo.content import Detection
from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.detect import Match, run_detection
from escudo.detect.attempt import attempt
from escudo.detect.why import Candidate
from escudo.engines.scans import pick_columns
from escudo.findings.drilldown import FilledDrilldown, find_window
from escudo.findings.rows import hash_rows
from escudo.findings.tree import Tree, grow_trees
from escudo.lake.tables import NOTABLE
from escudo.spl import column, literal_text, select, table
from escudo.triage.changes import Edit, FindingState, HistoryEntry, Triage
from escudo.triage.queue import Finding, FindingFilter, FindingQueue

_AROUND = 3600.0
"""Seconds before and after a finding's time within which its detection is run again to find the
events behind it, where its own window is wider."""

_MOST_EVENTS = 20
"""Events of a finding that are shown."""

_MILLISECOND = 0.001


@dataclass(frozen=True, slots=True)
class OpenedFinding:
    """A finding with what is kept of it: the drilldowns as they were filled, its window, and its
    history. ``detection`` is that of the content now; None where it has gone."""

    finding: Finding
    description: str
    drilldowns: tuple[FilledDrilldown, ...]
    window: TimeRange
    detection: Detection | None
    history: Sequence[HistoryEntry]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The events behind a finding, the processes around them, and which conditions of the
    detection's search the first of them meets. ``problem`` says why there is nothing."""

    events: Sequence[Event] = ()
    trees: Sequence[Tree] = ()
    why: Candidate | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DrilldownSearch:
    """A drilldown of a finding as a search over its window; ``now`` is its clock."""

    text: str
    within: TimeRange
    now: float


def open_queue(workspace: Workspace, triage: Triage) -> FindingQueue:
    """The findings of the lake as it is now."""
    snapshot = workspace.lake.snapshot()
    return FindingQueue(workspace.engine_of(snapshot), snapshot, triage.read_table())


def find_finding(workspace: Workspace, triage: Triage, event_hash: str) -> Finding:
    """A finding by its ``event_hash``. Raises EscudoError: TRI005 where there is none."""
    wanted = FindingFilter(status=(), hashes=(event_hash,))
    page = open_queue(workspace, triage).list_page(wanted)
    if not page.findings:
        raise EscudoError("TRI005", f"there is no finding {event_hash!r}")
    return page.findings[0]


def open_finding(workspace: Workspace, triage: Triage, event_hash: str) -> OpenedFinding:
    """A finding with what is kept of it. Raises EscudoError: TRI005 where there is none."""
    finding = find_finding(workspace, triage, event_hash)
    row = _read_row(workspace, event_hash)
    low, high = row["info_min_time"], row["info_max_time"]
    return OpenedFinding(
        finding,
        row["rule_description"] or "",
        tuple(
            FilledDrilldown(**filled) for filled in json.loads(row["drilldown_searches"] or "[]")
        ),
        TimeRange(
            low if low else None,
            high if high is not None and high != float("inf") else None,
        ),
        find_detection(workspace, finding),
        triage.read_history(event_hash),
    )


def find_detection(workspace: Workspace, finding: Finding) -> Detection | None:
    """The detection of a finding in the content as it is now; None where it has gone."""
    for detection in workspace.content.detections:
        if detection.name == finding.detection:
            return detection
    return None


def _read_row(workspace: Workspace, event_hash: str) -> Mapping[str, Any]:
    snapshot = workspace.lake.snapshot()
    schema = next(s for s in snapshot.raw_tables() if s.table == NOTABLE)
    names = ("rule_description", "drilldown_searches", "info_min_time", "info_max_time")
    scan = pick_columns(schema, (*names, "event_hash"), ALL_TIME)
    query = select([column(name) for name in names], table(scan.name))
    query = query.where(exp.EQ(this=column("event_hash"), expression=literal_text(event_hash)))
    rows = workspace.engine_of(snapshot).run(query, [scan], {}).slice(0, 1).to_pylist()
    if not rows:
        raise EscudoError("TRI005", f"there is no finding {event_hash!r}")
    row: dict[str, Any] = rows[0]
    return row


def edit_findings(
    workspace: Workspace,
    triage: Triage,
    edit: Edit,
    *,
    hashes: Sequence[str],
    who: str,
    revisions: Mapping[str, int] | None = None,
) -> dict[str, FindingState]:
    """Changes findings, all or none; see ``Triage.change``.

    Raises:
        EscudoError: TRI001 to TRI004; TRI005 where there is no such finding.
    """
    wanted = FindingFilter(status=(), hashes=tuple(hashes))
    page = open_queue(workspace, triage).list_page(wanted, count=max(1, len(hashes)))
    there = {
        finding.event_hash: FindingState(
            status=finding.status,
            owner=finding.owner,
            urgency=finding.urgency,
            disposition=finding.disposition,
        )
        for finding in page.findings
    }
    gone = [event_hash for event_hash in hashes if event_hash not in there]
    if gone or not hashes:
        raise EscudoError("TRI005", f"there is no finding {gone[0] if gone else ''!r}")
    return triage.change(there, edit, who=who, revisions=revisions)


def plan_drilldown(opened: OpenedFinding, number: int) -> DrilldownSearch:
    """What a drilldown of a finding searches for; the clock is just after the finding.

    Raises:
        EscudoError: TRI005 where it has no such drilldown, SPL120 where its times are none.
    """
    if not 0 <= number < len(opened.drilldowns):
        raise EscudoError("TRI005", f"the finding has no drilldown {number}")
    drilldown = opened.drilldowns[number]
    now = opened.finding.time + _MILLISECOND
    return DrilldownSearch(drilldown.search, find_window(drilldown, now), now)


def find_evidence(place: SearchPlace, opened: OpenedFinding) -> Evidence:
    """What is behind a finding: its detection is run again around its time, and its row looked for.

    A correlation is made of risk events; it has no events of logs.

    Args:
        place: its time range is all time.
    """
    detection = opened.detection
    if detection is None:
        return Evidence(problem="The detection is not in the content any more.")
    found = attempt(partial(_find_events, place, opened, detection), name=detection.name)
    if isinstance(found, Diagnostic):
        return Evidence(problem=found.message)
    if not found:
        return Evidence(problem="The search of this detection does not tell which events it met.")
    snapshot = place.lake.snapshot()
    engine = place.engine_of(snapshot)
    events = sorted(
        fetch_events(found[:_MOST_EVENTS], snapshot, engine).values(), key=lambda e: e.time
    )
    trees: list[Tree] = []
    if snapshot.dataset("Endpoint", "Processes") is not None:
        grown = attempt(
            lambda: grow_trees(found[:_MOST_EVENTS], engine, snapshot, within=ALL_TIME),
            name=detection.name,
        )
        trees = [] if isinstance(grown, Diagnostic) else grown
    return Evidence(events, trees, _explain(place, detection, found[0]))


def _find_events(place: SearchPlace, opened: OpenedFinding, detection: Detection) -> list[int]:
    """The ids of the events behind a finding; none where nothing tells them."""
    time = opened.finding.time
    near = TimeRange(time - _AROUND, time + _AROUND)
    for within in (opened.window & near, opened.window):
        snapshot = place.lake.snapshot()
        match = run_detection(
            detection,
            snapshot,
            place.engine_of(snapshot),
            place.knowledge,
            within=within,
            now=time + _MILLISECOND,
        )
        row = _find_row(match, opened.finding)
        if row is not None:
            return list(match.event_ids[row].as_py() or ())
    return []


def _find_row(match: Match, finding: Finding) -> int | None:
    """The row of a match that a finding was made of: the one with its hash, else the first with the
    most of its values."""
    if not match.rows.num_rows:
        return None
    hashes: list[str] = hash_rows(match.detection.id, match.rows).to_pylist()
    if finding.event_hash in hashes:
        return hashes.index(finding.event_hash)
    kept = {name: str(value) for name, value in finding.fields.items()}
    alike = [
        sum(str(value) == kept.get(name) for name, value in row.items())
        for row in match.rows.to_pylist()
    ]
    best = max(alike)
    return alike.index(best) if best * 2 > len(kept) else None


def _explain(place: SearchPlace, detection: Detection, event_id: int) -> Candidate | None:
    """Which conditions of a detection's search an event meets."""
    search = NamedSearch(detection.name, detection.search)

    def explain() -> Candidate | None:
        for _, explanation in explain_event([search], place, event_id):
            for candidate in explanation.candidates:
                return candidate
        return None

    told = attempt(explain, name=detection.name)
    return None if isinstance(told, Diagnostic) else told
