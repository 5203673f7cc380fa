"""Windows of one time -> their searches run and judged, what they found written; workers call it.

What is written is known by its hash, so a window that runs again adds only what is new, whatever
became of its first run. Findings and risk events of all windows are one commit of the lake.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event
from typing import Any, TypeAlias

import pyarrow as pa

from escudo.content import Baseline, Content, Detection
from escudo.core.catalog import Catalog
from escudo.core.errors import Diagnostic, Severity
from escudo.core.schema import TableSchema
from escudo.detect import Match, run_detections
from escudo.detect.attempt import attempt
from escudo.detect.baselines import run_baselines
from escudo.detect.row_times import date_matches
from escudo.detect.screening import Screener
from escudo.engines.execute import Engine
from escudo.findings import Judgement, Schemas, judge_match
from escudo.findings.judging import drop_equal_rows
from escudo.findings.store import KnownHashes, write_judgements
from escudo.lake import Lake, Snapshot
from escudo.lake.effects import carry_out
from escudo.lake.knowledge import LakeKnowledge
from escudo.schedule.claims import Batch, Outcome
from escudo.schedule.database import State
from escudo.schedule.planned_search import PlannedSearch
from escudo.schedule.suppressions import STATUS, Suppression, list_suppressions
from escudo.schedule.throttling import Throttled, throttle_match

EngineOf: TypeAlias = Callable[[Catalog], Engine]

_HASH = "event_hash"
_STATUS = "status"
_JSON_FIELDS = ("drilldown_searches",)


@dataclass(frozen=True, kw_only=True)
class Equipment:
    """What windows are run with. ``describe`` gives what sinks are told of each row of a judgement,
    beside the fields of its finding."""

    content: Content
    lake: Lake
    engine_of: EngineOf
    screener: Screener | None = None
    describe: Callable[[Judgement], Iterable[Mapping[str, Any]]] | None = None
    known: KnownHashes = field(default_factory=KnownHashes)

    @property
    def knowledge(self) -> LakeKnowledge:
        return LakeKnowledge(self.content.knowledge, self.lake.artifacts)


@dataclass(frozen=True, slots=True)
class RunWindows:
    """What became of windows, by id; the commit that they saw; warnings of judging them."""

    outcomes: Mapping[int, Outcome]
    commit_id: int
    diagnostics: tuple[Diagnostic, ...] = ()


class WindowsLeftError(Exception):
    """The worker is to stop: windows that it has begun are run again by who takes them over."""


def run_windows(
    batch: Batch,
    searches: Mapping[int, PlannedSearch],
    equipment: Equipment,
    state: State,
    *,
    now: float,
    stop: Event | None = None,
) -> RunWindows:
    """Runs the searches of a batch over its time; their clock is when they were due.

    A search that fails is an outcome, and does not end the run of the others.

    Args:
        searches: by their id in the state.
        now: the clock of the schedule, for what expires.
        stop: looked at before each search.

    Raises:
        WindowsLeftError: ``stop`` is set.
        EscudoError: where the lake or the state cannot be written: nothing is done then that
            running the windows again would do twice.
    """
    snapshot = equipment.lake.snapshot()
    baselines: dict[int, Baseline] = {}
    detections: dict[int, Detection] = {}
    for window, search in batch.windows.items():
        element = searches[search].element
        if isinstance(element, Baseline):
            baselines[window] = element
        else:
            detections[window] = element
    outcomes = {w: _learn(baseline, batch, equipment) for w, baseline in baselines.items()}
    if not detections:
        return RunWindows(outcomes, snapshot.commit.id)
    hunt = _DetectionRun(batch, equipment, state, snapshot, now=now, stop=stop or Event())
    told = hunt.run(detections, outcomes)
    return RunWindows(outcomes, snapshot.commit.id, told)


def _learn(baseline: Baseline, batch: Batch, equipment: Equipment) -> Outcome:
    (run,) = run_baselines(
        [baseline],
        equipment.content,
        equipment.lake,
        equipment.engine_of,
        within=batch.within,
        now=batch.due,
    )
    return replace(_describe_errors(run.diagnostics), rows=run.rows)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A match, judged: ``quiet`` says which findings are suppressed, ``found`` how many rows there
    were before throttling."""

    judgement: Judgement
    throttled: Throttled
    quiet: list[bool]
    found: int


class _DetectionRun:
    def __init__(
        self,
        batch: Batch,
        equipment: Equipment,
        state: State,
        snapshot: Snapshot,
        *,
        now: float,
        stop: Event,
    ) -> None:
        self._batch = batch
        self._stop = stop
        self._equipment = equipment
        self._state = state
        self._snapshot = snapshot
        self._engine = equipment.engine_of(snapshot)
        self._schemas = Schemas.find(snapshot)
        self._suppressions = list_suppressions(state, in_force_at=now)

    def run(
        self, detections: Mapping[int, Detection], outcomes: dict[int, Outcome]
    ) -> tuple[Diagnostic, ...]:
        """Runs them; ``outcomes`` gets what became of each. Returns what judging warns of."""
        matched = run_detections(
            detections.values(),
            self._snapshot,
            self._engine,
            self._equipment.knowledge,
            within=self._batch.within,
            now=self._batch.due,
            screener=self._equipment.screener,
        )
        hits: dict[int, Match] = {}
        for window, match in zip(detections, matched, strict=True):
            if self._stop.is_set():
                raise WindowsLeftError
            match = self._carry_out(match)
            told = _describe_errors(match.diagnostics)
            outcomes[window] = replace(told, seconds=match.seconds)
            if match.rows.num_rows:
                hits[window] = match
        if not hits:
            return ()
        judged: dict[int, _Judged] = {}
        written = self._read_written(hits.values())
        dated = date_matches(list(hits.values()), self._snapshot, self._engine)
        for window, match in zip(hits, dated, strict=True):
            unique = drop_equal_rows(match)
            search_id = self._batch.windows[window]
            throttled = throttle_match(self._state, search_id, unique, written)
            judgement, quiet = self._judge(throttled.match)
            judged[window] = _Judged(judgement, throttled, quiet, unique.rows.num_rows)
        judgements = [j.judgement for j in judged.values()]
        new = write_judgements(
            self._equipment.lake, judgements, self._schemas, self._equipment.known
        ).hashes
        for window, of_window in judged.items():
            outcomes[window] = self._describe(of_window, new, failed=outcomes[window])
        return tuple(d for j in judgements for d in j.diagnostics)

    def _carry_out(self, match: Match) -> Match:
        """The match once what its search asks to be written is written."""
        if not match.effects:
            return match
        content = self._equipment.content
        write = partial(
            carry_out,
            match.effects,
            self._equipment.lake,
            content.knowledge,
            search=match.detection.search_name,
        )
        done = attempt(write, name=match.detection.name)
        if isinstance(done, Diagnostic):
            return replace(match, diagnostics=(*match.diagnostics, done))
        return match

    def _read_written(self, matches: Iterable[Match]) -> frozenset[str]:
        """The hashes that the lake has, where an earlier try may have written some of them."""
        throttled = any(m.detection.tags.throttling is not None for m in matches)
        if not throttled or not self._batch.taken_over:
            return frozenset()
        schemas = (self._schemas.risk, self._schemas.notable)
        known = (self._equipment.known.read(self._snapshot, s).to_pylist() for s in schemas)
        return frozenset(h for hashes in known for h in hashes)

    def _judge(self, match: Match) -> tuple[Judgement, list[bool]]:
        """The judgement with the status of suppressed findings, and which those are."""
        judgement = judge_match(match, self._equipment.content.deployments, self._schemas)
        findings = judgement.findings
        if not findings.num_rows or not self._suppressions:
            return judgement, [False] * findings.num_rows
        quiet = find_suppressed(match, self._suppressions)
        if not any(quiet):
            return judgement, quiet
        name = self._schemas.notable.by_name[_STATUS].physical
        usual = findings[name].to_pylist()
        texts = [STATUS if q else text for q, text in zip(quiet, usual, strict=True)]
        at = findings.column_names.index(name)
        changed = findings.set_column(at, findings.schema.field(at), [texts])
        lower = self._schemas.notable.by_name[_STATUS].lower
        if lower is not None:
            at = findings.column_names.index(lower)
            changed = changed.set_column(at, findings.schema.field(at), [texts])
        return replace(judgement, findings=changed), quiet

    def _describe(self, judged: _Judged, new: Set[str], *, failed: Outcome) -> Outcome:
        """What became of a window. What it found is counted where it is new, or where a worker that
        is gone, and has counted nothing, may have written it."""
        risk_events, findings = judged.judgement.risk_events, judged.judgement.findings

        def count(rows: pa.Table) -> int:
            if self._batch.taken_over or not rows.num_rows:
                return int(rows.num_rows)
            return sum(h in new for h in rows[_HASH].to_pylist())

        told = zip(self._list_told(judged.judgement), judged.quiet, strict=True)
        return replace(
            failed,
            rows=judged.found,
            risk_events=count(risk_events),
            findings=count(findings),
            throttled=judged.throttled.rows,
            suppressed=sum(judged.quiet),
            throttles=judged.throttled.throttles,
            messages=tuple(
                (f[_HASH], json.dumps(f, default=str)) for f, is_quiet in told if not is_quiet
            ),
        )

    def _list_told(self, judgement: Judgement) -> list[dict[str, Any]]:
        """What sinks get of each finding."""
        findings = list_findings(judgement.findings, self._schemas.notable)
        describe = self._equipment.describe
        if describe is None or not findings:
            return findings
        return [{**f, **more} for f, more in zip(findings, describe(judgement), strict=True)]


def find_suppressed(match: Match, suppressions: Sequence[Suppression]) -> list[bool]:
    """For each row of a match whether a suppression is about it."""
    detection = match.detection
    names = (detection.name, detection.id, detection.search_name)
    return [any(s.matches(names, row) for s in suppressions) for row in match.rows.to_pylist()]


def list_findings(findings: pa.Table, schema: TableSchema) -> list[dict[str, Any]]:
    """Findings as sinks get them: their fields by name, without those that are empty; ``_time`` in
    epoch seconds."""
    names = {c.physical: c.name for c in schema.columns if c.physical is not None}
    out = []
    for row in findings.to_pylist():
        finding: dict[str, Any] = dict(row.pop(schema.rest, None) or ())
        for physical, value in row.items():
            if physical in names and value is not None:
                finding[names[physical]] = value
        for name in ("_time", "_indextime"):
            if hasattr(finding.get(name), "timestamp"):
                finding[name] = finding[name].timestamp()
        for name in _JSON_FIELDS:
            if name in finding:
                finding[name] = json.loads(finding[name])
        out.append(finding)
    return out


def _describe_errors(diagnostics: Sequence[Diagnostic]) -> Outcome:
    error = next((d for d in diagnostics if d.severity is Severity.ERROR), None)
    return Outcome() if error is None else Outcome(code=error.code, error=error.message)
