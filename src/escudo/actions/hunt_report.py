"""A hunt and its summary -> all that a report of it shows, bounded; called by ``escudo hunt``.

A report has a part for each detection that found something, with a finding for each host and its
evidence; a part for each host and user; what left out is counted. Nothing in it is escaped.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from escudo import __version__
from escudo.actions.context import Context, open_contexts
from escudo.actions.hunt import LogHunt
from escudo.actions.hunt_summary import Finding, FoundRow, HuntSummary, RiskyObject, SeenTechnique
from escudo.actions.ingest import read_rejected
from escudo.actions.raw_events import Event, fetch_events
from escudo.actions.shown_rows import iterate_rows
from escudo.actions.workspace import Workspace
from escudo.content import Detection
from escudo.core.errors import Diagnostic
from escudo.core.timerange import TimeRange
from escudo.findings.attack import TACTICS, Tactic, find_techniques
from escudo.findings.notable import SEVERITIES
from escudo.lake.report import FileReport

KINDS: Mapping[str, str] = {"system": "host", "user": "user"}
"""Type of a risk object -> what a report calls it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLimits:
    """How much a report shows; what is more is counted.

    Attributes:
        detections: parts of detections.
        all_findings: findings of all detections, the worst first.
        findings: hosts of one detection.
        rows: rows of one finding.
        evidence: findings with fields and raw events, the worst first.
        contexts: findings with process tree and drilldowns, the worst first.
        seconds: after so long no more of them are opened.
        events: raw events of one finding.
        drilldown_rows: rows of one drilldown.
        objects: hosts, and users, with a part of their own.
        files: input files that are named.
        rejected: rejected inputs that are told.
    """

    detections: int = 500
    all_findings: int = 2_000
    findings: int = 50
    rows: int = 5
    evidence: int = 400
    contexts: int = 25
    seconds: float = 60.0
    events: int = 2
    drilldown_rows: int = 10
    objects: int = 100
    files: int = 300
    rejected: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is behind the row that stands for a finding. ``more_events`` are not among ``events``;
    ``context`` is None where it was not opened."""

    row: FoundRow
    fields: Mapping[str, object]
    events: tuple[Event, ...]
    more_events: int
    context: Context | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingPart:
    """What one detection found on one host: the first rows in the order of time, and how many are
    ``left_out``. ``number`` is its own in the report."""

    number: int
    finding: Finding
    rows: tuple[FoundRow, ...]
    left_out: int
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionPart:
    """What one detection found; ``left_out`` counts findings that are not in ``findings``."""

    number: int
    detection: Detection
    severity: str
    score: float
    rows: int
    findings: tuple[FindingPart, ...]
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectDetection:
    """What one detection found of a host or user: its rows, the time of the first; ``finding`` is
    the number of the finding that has them, None where the report leaves it out."""

    name: str
    severity: str
    rows: int
    first: float | None
    finding: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPart:
    """A host or a user: how many rows of each severity name it, what each detection found of it,
    the worst first, and its risk."""

    number: int
    name: str
    kind: str
    severities: Mapping[str, int]
    detections: tuple[ObjectDetection, ...]
    tactics: tuple[str, ...]
    first: float | None
    last: float | None
    risk: RiskyObject | None

    @property
    def rows(self) -> int:
        return sum(self.severities.values())


@dataclass(frozen=True, slots=True)
class TechniqueCell:
    """A technique in the matrix, with its sub-techniques. ``rows`` are those of the technique or of
    any of its sub-techniques, each once; ``severity`` is that of the worst."""

    id: str
    name: str
    rows: int
    severity: str
    subs: tuple[TechniqueCell, ...] = ()


@dataclass(frozen=True, slots=True)
class TacticColumn:
    """A tactic of the matrix with the techniques that were seen of it, the most rows first."""

    tactic: Tactic
    cells: tuple[TechniqueCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What only who started the hunt knows: what the content was loaded from, the lake that stays
    (None where it is gone), and which of all was asked for: names and values."""

    content: tuple[str, ...] = ()
    lake: str | None = None
    asked: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How a report came to be. Times are in epoch seconds: ``made`` is when it was written,
    ``now`` the clock of the searches, ``within`` the time that they looked at."""

    version: str
    made: float
    now: float
    within: TimeRange
    engine: str
    circumstances: Circumstances
    detections: int
    files: tuple[FileReport, ...]
    files_left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HuntReport:
    """All that a report shows. ``findings`` counts all, ``evidence`` and ``contexts`` those that
    have one; ``others`` have risk and are neither host nor user."""

    summary: HuntSummary
    detections: tuple[DetectionPart, ...]
    detections_left_out: int
    hosts: tuple[ObjectPart, ...]
    hosts_left_out: int
    users: tuple[ObjectPart, ...]
    users_left_out: int
    others: tuple[RiskyObject, ...]
    matrix: tuple[TacticColumn, ...]
    unplaced: tuple[SeenTechnique, ...]
    rejected: tuple[Diagnostic, ...]
    making: Making
    limits: ReportLimits = field(default_factory=ReportLimits)
    findings: int = 0
    evidence: int = 0
    contexts: int = 0
    stopped: KeyboardInterrupt | None = None
    """What ended the opening of contexts, if something did."""


def collect_report(
    done: LogHunt,
    summary: HuntSummary,
    workspace: Workspace,
    *,
    made: float,
    circumstances: Circumstances | None = None,
    limits: ReportLimits | None = None,
    follow: Callable[[Sequence[FoundRow]], Iterable[FoundRow]] = iter,
) -> HuntReport:
    """What a report of a hunt shows. The lake of the workspace is still open: events, process trees
    and drilldowns are looked up in it.

    Args:
        made: when the report is written, in epoch seconds.
        circumstances: what the report says of how the hunt was started.
        follow: is given the rows whose context is opened and yields them (a progress bar).
            After Ctrl-C no more are opened, and the report goes without them; so it does where the
            hunt was stopped before.

    Raises:
        EscudoError: what the lake says.
    """
    limits = limits or ReportLimits()
    if summary.stopped:
        limits = replace(limits, contexts=0)
    parts = list(_list_detections(summary, limits))
    shown = parts[: limits.detections]
    evidence = _find_evidence(shown, workspace, limits)
    chosen = list(evidence)[: limits.contexts]
    opened = open_contexts(
        [evidence[number].row for number in chosen],
        workspace,
        most_rows=limits.drilldown_rows,
        seconds=limits.seconds,
        follow=follow,
    )
    for number, context in zip(chosen, opened.contexts, strict=False):
        evidence[number] = replace(evidence[number], context=context)
    shown = [_attach(part, evidence) for part in shown]
    hosts = list(_list_objects(summary, "host", shown))
    users = list(_list_objects(summary, "user", shown))
    columns, unplaced = _build_matrix(summary)
    return HuntReport(
        summary=summary,
        detections=tuple(shown),
        detections_left_out=len(parts) - len(shown),
        hosts=tuple(hosts[: limits.objects]),
        hosts_left_out=max(0, len(hosts) - limits.objects),
        users=tuple(users[: limits.objects]),
        users_left_out=max(0, len(users) - limits.objects),
        others=tuple(r for r in summary.risk if r.type not in KINDS)[: limits.objects],
        matrix=tuple(columns),
        unplaced=tuple(unplaced),
        rejected=tuple(islice(read_rejected(done.ingested.rejected_folder), limits.rejected)),
        making=_describe_making(
            done,
            workspace,
            made=made,
            circumstances=circumstances or Circumstances(),
            limits=limits,
        ),
        limits=limits,
        findings=len(summary.findings),
        evidence=len(evidence),
        contexts=len(opened.contexts),
        stopped=opened.stopped,
    )


def _list_detections(summary: HuntSummary, limits: ReportLimits) -> Iterator[DetectionPart]:
    """A part for each detection that found something, in the order of its worst finding."""
    together: dict[str, list[tuple[int, Finding]]] = defaultdict(list)
    for number, finding in enumerate(summary.findings, 1):
        together[finding.worst.match.detection.id].append((number, finding))
    ordered = sorted(together.values(), key=lambda group: _rank(group[0][1].worst))
    for place, group in enumerate(ordered, 1):
        worst = group[0][1].worst
        shown = [entry for entry in group if entry[0] <= limits.all_findings][: limits.findings]
        yield DetectionPart(
            number=place,
            detection=worst.match.detection,
            severity=worst.severity,
            score=max(finding.worst.risk_score for _, finding in group),
            rows=sum(len(finding.rows) for _, finding in group),
            findings=tuple(
                FindingPart(
                    number=number,
                    finding=finding,
                    rows=finding.rows[: limits.rows],
                    left_out=max(0, len(finding.rows) - limits.rows),
                )
                for number, finding in shown
            ),
            left_out=len(group) - len(shown),
        )


def _rank(row: FoundRow) -> tuple[int, float, str]:
    return -SEVERITIES.index(row.severity), -row.risk_score, row.detection


def rank_findings(shown: Sequence[DetectionPart]) -> list[FindingPart]:
    """The findings of some detections that a report shows, the worst first."""
    return sorted((f for part in shown for f in part.findings), key=lambda part: part.number)


def _find_evidence(
    shown: Sequence[DetectionPart], workspace: Workspace, limits: ReportLimits
) -> dict[int, Evidence]:
    """Evidence of the worst findings, by their numbers, the worst first; without contexts."""
    chosen = rank_findings(shown)[: limits.evidence]
    snapshot = workspace.lake.snapshot()
    first = {p.number: p.finding.worst.event_ids[: limits.events] for p in chosen}
    wanted = (i for ids in first.values() for i in ids)
    events = fetch_events(wanted, snapshot, workspace.engine_of(snapshot))
    out: dict[int, Evidence] = {}
    for part in chosen:
        row = part.finding.worst
        held = tuple(events[i] for i in first[part.number] if i in events)
        out[part.number] = Evidence(
            row=row,
            fields=next(iterate_rows(row.match.rows.slice(row.index, 1)), {}),
            events=held,
            more_events=len(row.event_ids) - len(held),
        )
    return out


def _attach(part: DetectionPart, evidence: Mapping[int, Evidence]) -> DetectionPart:
    return replace(
        part, findings=tuple(replace(f, evidence=evidence.get(f.number)) for f in part.findings)
    )


def _list_objects(
    summary: HuntSummary, kind: str, shown: Sequence[DetectionPart]
) -> Iterator[ObjectPart]:
    """Hosts, or users: those with the most risk first, then those with the worst rows."""
    rows: dict[str, list[FoundRow]] = defaultdict(list)
    names: dict[str, str] = {}
    for row in summary.rows:
        for name in _name_objects(row, kind):
            if names.setdefault(name.lower(), name).islower():  # as risk rules write them
                names[name.lower()] = name
            rows[name.lower()].append(row)
    risks = {r.name.lower(): r for r in summary.risk if KINDS.get(r.type) == kind}
    for key, risk in risks.items():
        names.setdefault(key, risk.name)
    findings: dict[tuple[str, str], int] = {}
    for part in rank_findings(shown):
        for row in part.finding.rows:
            for name in _name_objects(row, kind):
                findings.setdefault((row.match.detection.id, name.lower()), part.number)

    def rank(key: str) -> tuple[float, list[int], str]:
        counts = Counter(row.severity for row in rows[key])
        score = risks[key].score if key in risks else 0.0
        return -score, [-counts[s] for s in reversed(SEVERITIES)], key

    for number, key in enumerate(sorted(names, key=rank), 1):
        own = rows[key]
        times = [row.time for row in own if row.time is not None]
        together: dict[str, list[FoundRow]] = defaultdict(list)
        for row in own:
            together[row.match.detection.id].append(row)
        yield ObjectPart(
            number=number,
            name=names[key],
            kind=kind,
            severities=Counter(row.severity for row in own),
            detections=tuple(
                ObjectDetection(
                    name=group[0].detection,
                    severity=group[0].severity,
                    rows=len(group),
                    first=min((r.time for r in group if r.time is not None), default=None),
                    finding=findings.get((identity, key)),
                )
                for identity, group in together.items()
            ),
            tactics=tuple(dict.fromkeys(t for row in own for t in row.tactics)),
            first=min(times, default=None),
            last=max(times, default=None),
            risk=risks.get(key),
        )


def _name_objects(row: FoundRow, kind: str) -> Sequence[str]:
    return row.hosts if kind == "host" else row.users


def _build_matrix(summary: HuntSummary) -> tuple[list[TacticColumn], list[SeenTechnique]]:
    """The tactics in ATT&CK's order, each with what was seen of it; and what has no tactic."""
    known = {seen.technique.id: seen.technique for seen in summary.techniques}
    rows: Counter[str] = Counter()
    worst: dict[str, int] = defaultdict(int)
    for row in summary.rows:
        tops = (name.partition(".")[0] for name in row.techniques)
        for name in {*row.techniques, *tops}:
            rows[name] += 1
            worst[name] = max(worst[name], SEVERITIES.index(row.severity))

    def build_cell(name: str, subs: Sequence[TechniqueCell] = ()) -> TechniqueCell:
        named = known.get(name) or next(iter(find_techniques((name,))[0]), None)
        ordered = tuple(sorted(subs, key=lambda cell: (-cell.rows, cell.id)))
        title = "" if named is None else named.name
        return TechniqueCell(name, title, rows[name], SEVERITIES[worst[name]], ordered)

    columns = []
    for tactic in TACTICS:
        together: dict[str, list[TechniqueCell]] = defaultdict(list)
        for name in (name for name, technique in known.items() if tactic in technique.tactics):
            top, _, sub = name.partition(".")
            together[top] += [build_cell(name)] if sub else []
        cells = [build_cell(top, subs) for top, subs in together.items()]
        if cells:
            cells.sort(key=lambda cell: (-cell.rows, cell.id))
            columns.append(TacticColumn(tactic, tuple(cells)))
    return columns, [seen for seen in summary.techniques if not seen.technique.tactics]


def _describe_making(
    done: LogHunt,
    workspace: Workspace,
    *,
    made: float,
    circumstances: Circumstances,
    limits: ReportLimits,
) -> Making:
    files = done.ingested.report.files
    return Making(
        version=__version__,
        made=made,
        now=workspace.now,
        within=workspace.within,
        engine=workspace.engine_of(workspace.lake.snapshot()).name,
        circumstances=circumstances,
        detections=len(workspace.content.detections),
        files=tuple(files[: limits.files]),
        files_left_out=max(0, len(files) - limits.files),
    )
