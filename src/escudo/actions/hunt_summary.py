"""A hunt -> what it found and what it could not see, as values; called by what shows a hunt on one
screen, and by what writes a report of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain

import pyarrow as pa
from sqlglot import exp

from escudo.actions.data_origins import find_origin, fold_origin, list_sources, name_origins
from escudo.actions.hunt import Hunt, LogHunt
from escudo.actions.match_rows import NamedRow, iterate_named, list_texts
from escudo.actions.raw_events import OWN_TABLES, list_logs
from escudo.actions.workspace import Workspace
from escudo.core.errors import Severity
from escudo.core.schema import TableSchema
from escudo.core.timerange import TimeRange
from escudo.detect import Match
from escudo.detect.row_times import find_own_times
from escudo.detect.running import FEWEST_SCREENED, ROWS_AT_ONCE
from escudo.detect.screening import Filled, screen_detection
from escudo.engines.execute import Engine
from escudo.engines.scans import pick_columns
from escudo.findings.attack import Technique, find_techniques
from escudo.findings.notable import SEVERITIES
from escudo.lake.report import IngestReport
from escudo.lake.snapshot import Snapshot
from escudo.lake.tables import RISK, Tables
from escudo.sources.notes import Kind
from escudo.spl import alias, column, prelude_call, select, table, within_range

_COMMANDS = ("process", "CommandLine", "ScriptBlockText", "process_path", "Image", "process_name")
_PARENTS = ("parent_process", "ParentCommandLine", "ParentImage", "parent_process_name")


@dataclass(frozen=True, slots=True)
class Span:
    """From the first to the last of some times, in epoch seconds."""

    earliest: float
    latest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCount:
    """The events of one source and sourcetype that were hunted."""

    source: str
    sourcetype: str
    events: int
    span: Span | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundRow:
    """One row that a detection found: row ``index`` of ``match``.

    A hunt may find a million: what few of them are asked for is read from the match when it is.

    ``time`` is in epoch seconds, None where it is not known. ``risk_score`` is what the row adds
    to the risk of its objects; of a correlation, what it has summed up.
    """

    match: Match
    index: int
    time: float | None
    severity: str
    risk_score: float
    hosts: tuple[str, ...]
    users: tuple[str, ...]
    techniques: tuple[str, ...]
    tactics: tuple[str, ...]

    @property
    def message(self) -> str | None:
        """The detection's message with the values of the row."""
        filled: str | None = _read_named(self).shown["message"]
        return filled

    @property
    def command(self) -> str | None:
        """The command line, or the script, that the row is about."""
        return _find_text(_read_named(self).shown["row"], _COMMANDS)

    @property
    def parent(self) -> str | None:
        """The command line, or the program, that began it."""
        return _find_text(_read_named(self).shown["row"], _PARENTS)

    @property
    def event_ids(self) -> Sequence[int]:
        """The events that prove the row."""
        return _read_named(self).event_ids

    @property
    def source_files(self) -> Sequence[str]:
        """The files that these events are from."""
        return list_texts(_read_named(self).shown["source_file"])

    @property
    def detection(self) -> str:
        """The name of the detection."""
        return self.match.detection.name

    @property
    def host(self) -> str:
        """The hosts of the row in one text; empty if it names none."""
        return ", ".join(self.hosts)

    @property
    def user(self) -> str:
        """The users of the row in one text; empty if it names none."""
        return ", ".join(self.users)


@lru_cache(maxsize=4)
def _read_named(row: FoundRow) -> NamedRow:
    """Who shows a row asks it for one thing after the other; few are kept, since each keeps its
    match."""
    return next(iterate_named(row.match.slice(row.index, 1)))


@dataclass(frozen=True, slots=True)
class Finding:
    """What one detection found on one host: its rows in the order of time, at least one."""

    rows: tuple[FoundRow, ...]

    @property
    def worst(self) -> FoundRow:
        """The row that stands for the others: the first of those with the highest score."""
        return max(self.rows, key=lambda row: row.risk_score)


@dataclass(frozen=True, slots=True)
class HostCount:
    """How many rows of each severity name a host."""

    host: str
    severities: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RiskEvent:
    """What one row has added to the risk of an object."""

    time: float
    score: float
    detection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskyObject:
    """Someone or something with its risk; ``events`` are in the order of time."""

    name: str
    type: str
    score: float
    events: tuple[RiskEvent, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The detections that have given the risk, by name."""
        return tuple(sorted({event.detection for event in self.events}))


@dataclass(frozen=True, slots=True)
class SeenTechnique:
    """An ATT&CK technique, with the detections of it that found something and their rows."""

    technique: Technique
    detections: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MissingSource:
    """A source that the logs lack, and the detections that it would serve."""

    source: str
    detections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gaps:
    """The detections that cannot find anything, whatever happened, since no event of the hunt is of
    a source that they read.

    A detection that several sources serve stands at each of them: ``sources`` says what would help.
    """

    detections: tuple[str, ...] = ()
    sources: tuple[MissingSource, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """An error or a warning: of a file, or of the search of a detection."""

    name: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """What of the logs was not read as it should be: counts of events (``rejected``: of inputs that
    gave none), and what was said of files."""

    rejected: int = 0
    blind: int = 0
    file_time: int = 0
    other_lines: int = 0
    files: tuple[Problem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HuntSummary:
    """What a hunt found, the worst first, and what it could not see.

    ``rows`` are all rows by severity, risk score, time. ``findings`` has each row once, too, those
    of one detection on one host together, so spread that no detection pushes the others out. Of
    ``hosts`` and ``risk`` the worst comes first, of ``events`` and ``gaps`` the largest.
    """

    stopped: bool
    detections: int
    data: Span | None
    hits: Span | None
    events: tuple[SourceCount, ...]
    rows: tuple[FoundRow, ...]
    findings: tuple[Finding, ...]
    hosts: tuple[HostCount, ...]
    risk: tuple[RiskyObject, ...]
    techniques: tuple[SeenTechnique, ...]
    gaps: Gaps
    unread: Unread
    failed: tuple[Problem, ...]

    @property
    def detections_that_found(self) -> int:
        """How many detections found something."""
        return len({row.match.detection.id for row in self.rows})


def summarize(done: LogHunt, workspace: Workspace) -> HuntSummary:
    """What a hunt found and could not see. The lake of the workspace is still open, and is asked
    for the events that it holds within the workspace's time.

    Raises:
        EscudoError: what the lake says.
    """
    hunt = done.hunt
    snapshot = workspace.lake.snapshot()
    engine = workspace.engine_of(snapshot)
    events = _count_events(snapshot, engine, workspace.within)
    rows = sorted(_list_rows(hunt), key=_rank_row)
    return HuntSummary(
        stopped=hunt.stopped is not None,
        detections=len(hunt.matches),
        data=_span([t for e in events if e.span for t in (e.span.earliest, e.span.latest)]),
        hits=_span([row.time for row in rows if row.time is not None]),
        events=tuple(events),
        rows=tuple(rows),
        findings=tuple(_group_rows(rows)),
        hosts=tuple(_count_hosts(rows)),
        risk=tuple(_sum_risk(hunt)),
        techniques=tuple(_list_techniques(rows)),
        gaps=_find_gaps(hunt, workspace, events),
        unread=_list_unread(done.ingested.report),
        failed=tuple(_list_failed(hunt)),
    )


def _span(times: Sequence[float]) -> Span | None:
    return Span(min(times), max(times)) if times else None


def _count_events(snapshot: Snapshot, engine: Engine, within: TimeRange) -> list[SourceCount]:
    """The events of logs in a window, the most frequent source first."""
    counts = [c for s in list_logs(snapshot, within) for c in _count_table(s, engine, within)]
    return sorted(counts, key=lambda count: (-count.events, count.source, count.sourcetype))


def _count_table(schema: TableSchema, engine: Engine, within: TimeRange) -> Iterator[SourceCount]:
    scan = pick_columns(schema, ("_time", "source", "sourcetype"), within)
    moment = prelude_call("spl_epoch", column("_time"))
    items = [
        column("source"),
        column("sourcetype"),
        alias(exp.Count(this=exp.Star()), "events"),
        alias(exp.Min(this=moment), "earliest"),
        alias(exp.Max(this=moment.copy()), "latest"),
    ]
    query = select(items, table(scan.name)).group_by(column("source"), column("sourcetype"))
    inside = within_range(column("_time"), within)
    if inside is not None:
        query = query.where(inside)
    for row in engine.run(query, [scan], {}).to_pylist():
        known = row["earliest"] is not None
        yield SourceCount(
            source=row["source"] or "",
            sourcetype=row["sourcetype"] or "",
            events=row["events"],
            span=Span(row["earliest"], row["latest"]) if known else None,
        )


def _list_rows(hunt: Hunt) -> Iterator[FoundRow]:
    same: dict[tuple[str, ...], tuple[str, ...]] = {}

    def share(texts: Sequence[str]) -> tuple[str, ...]:
        """The texts as a tuple, one for all rows that have the same."""
        found = tuple(texts)
        return same.setdefault(found, found)

    for match, _ in hunt.hits():
        times = find_own_times(match) if match.times is None else match.times.to_pylist()
        for index, (shown, hosts, users, _) in enumerate(iterate_named(match)):
            yield FoundRow(
                match=match,
                index=index,
                time=times[index],
                severity=shown["severity"],
                risk_score=_find_score(shown["row"], shown["risk_score"]),
                hosts=share(hosts),
                users=share(users),
                techniques=match.detection.tags.mitre_attack_id,
                tactics=share(shown["tactics"]),
            )


def _find_score(fields: Mapping[str, object], own: float | None) -> float:
    if own is not None:
        return own
    summed = list_texts(fields.get("risk_score"))
    try:
        return float(summed[0]) if summed else 0.0
    except ValueError:
        return 0.0


def _find_text(fields: Mapping[str, object], names: Sequence[str]) -> str | None:
    """The first of some fields that has a value; several values are parted by semicolons."""
    texts = ("; ".join(list_texts(fields.get(name))) for name in names)
    return next(filter(None, texts), None)


def _rank_row(row: FoundRow) -> tuple[int, float, float, str, int]:
    """The worse, the less; of equals the earlier."""
    time = float("inf") if row.time is None else row.time
    return -SEVERITIES.index(row.severity), -row.risk_score, time, row.detection, row.index


def _group_rows(rows: Sequence[FoundRow]) -> list[Finding]:
    """Rows, the worst first -> findings. Of one severity the first finding of each detection comes
    before the second of any."""
    together: dict[tuple[str, tuple[str, ...]], list[FoundRow]] = defaultdict(list)
    for row in rows:
        hosts = tuple(sorted(host.lower() for host in row.hosts))
        together[row.match.detection.id, hosts].append(row)
    before: Counter[str] = Counter()
    ranked: list[tuple[tuple[int, int], Finding]] = []
    for (detection, _), group in together.items():
        severity = -SEVERITIES.index(group[0].severity)
        by_time = sorted(group, key=lambda row: float("inf") if row.time is None else row.time)
        ranked.append(((severity, before[detection]), Finding(tuple(by_time))))
        before[detection] += 1
    return [finding for _, finding in sorted(ranked, key=lambda entry: entry[0])]


def _count_hosts(rows: Sequence[FoundRow]) -> list[HostCount]:
    names: dict[str, str] = {}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for host in row.hosts or ("",):
            if names.setdefault(host.lower(), host).islower():  # as risk rules write them
                names[host.lower()] = host
            counts[host.lower()][row.severity] += 1
    worst = sorted(counts, key=lambda key: ([-counts[key][s] for s in reversed(SEVERITIES)], key))
    return [HostCount(names[key], counts[key]) for key in worst]


def _sum_risk(hunt: Hunt) -> list[RiskyObject]:
    """The objects of the hunt's risk events; they are the same without regard to case."""
    events: dict[tuple[str, str], list[RiskEvent]] = defaultdict(list)
    names: dict[tuple[str, str], str] = {}
    for judgement in hunt.judgements:
        risk = judgement.risk_events
        if not risk.num_rows:
            continue
        detection = judgement.match.detection.name
        stored = {c.name: c.physical for c in hunt.schemas.risk.columns}
        picked = pa.table(
            {
                name: risk[stored[name]]
                for name in ("_time", "risk_object", "risk_object_type", "risk_score")
            }
        )
        parts = (b.to_pylist() for b in picked.to_batches(max_chunksize=ROWS_AT_ONCE))
        for row in chain.from_iterable(parts):
            key = row["risk_object"].lower(), row["risk_object_type"]
            names.setdefault(key, row["risk_object"])
            events[key].append(
                RiskEvent(row["_time"].timestamp(), float(row["risk_score"] or 0), detection)
            )
    objects = [
        RiskyObject(
            name=names[key],
            type=key[1],
            score=sum(event.score for event in own),
            events=tuple(sorted(own, key=lambda event: event.time)),
        )
        for key, own in events.items()
    ]
    return sorted(objects, key=lambda risky: (-risky.score, risky.name.lower(), risky.type))


def _list_techniques(rows: Sequence[FoundRow]) -> list[SeenTechnique]:
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for technique in row.techniques:
            seen[technique][row.detection] += 1
    known = {t.id: t for t in find_techniques(tuple(seen))[0]}
    return [
        SeenTechnique(known.get(name, Technique(name, "", ())), seen[name]) for name in sorted(seen)
    ]


def _find_gaps(hunt: Hunt, workspace: Workspace, events: Sequence[SourceCount]) -> Gaps:
    """The detections that were ruled out since no row can be there for them.

    Either none of the tables that the search reads has a row in the window; or it reads raw events,
    and the content says of which sources, and there is no event of any of them. Correlations read
    what other detections found, and miss no log.
    """
    snapshot = workspace.lake.snapshot()
    raw = {schema.table for schema in snapshot.raw_tables()}
    filled = {s.table for s in workspace.lake.tables if snapshot.files(s.table, workspace.within)}
    held = {fold_origin(name) for event in events for name in (event.source, event.sourcetype)}
    origins = name_origins(workspace.content)
    titles = _name_tables(workspace.lake.tables)
    missing: dict[str, list[str]] = defaultdict(list)
    lacking: list[str] = []
    few = len(hunt.matches) < FEWEST_SCREENED
    for match in hunt.matches:
        if few and not match.failed:
            match = _screen(match, workspace, snapshot)
        tables = _list_tables(match, filled)
        if match.rows.num_rows or tables is None or match.detection.type == "Correlation":
            continue
        named = {n: find_origin(n, origins) for n in list_sources(match.detection)}
        absent = [
            origin or n for n, origin in named.items() if fold_origin(origin or n) not in held
        ]
        told = named and all(named.values()) and len(absent) == len(named) and tables <= raw
        if not told and (tables & filled or not tables):
            continue
        lacking.append(match.detection.name)
        for source in dict.fromkeys(absent or sorted(titles[t] for t in tables)):
            missing[source].append(match.detection.name)
    largest = sorted(missing, key=lambda source: (-len(missing[source]), source))
    return Gaps(tuple(lacking), tuple(MissingSource(s, tuple(missing[s])) for s in largest))


def _screen(match: Match, workspace: Workspace, snapshot: Snapshot) -> Match:
    """The match with what its search needs, which a hunt of a few detections does not ask."""
    engine = workspace.engine_of(snapshot)
    filled = Filled.of(snapshot)
    screen = screen_detection(match.detection, filled, engine, workspace.knowledge, workspace.now)
    return replace(match, ruled_out=screen)


def _list_tables(match: Match, filled: Collection[str]) -> set[str] | None:
    """The tables that can have what a search needs, of several needs those that have nothing; None
    where it was run, since something met its needs, or only running it tells."""
    if match.ruled_out is None or not match.ruled_out.needs:
        return None
    groups = [{need.table for need in group} for group in match.ruled_out.needs]
    tables = next((g for g in groups if not g & set(filled)), groups[0])
    return tables if tables == {RISK} else tables - OWN_TABLES


def _name_tables(tables: Tables) -> dict[str, str]:
    """Table -> what it is called: dataset of a model, or source."""
    titles = {schema.table: schema.table.removeprefix("raw_") for schema in tables.raw}
    for model, dataset in tables.models.datasets():
        schema = tables.models.dataset(model, dataset)
        if schema is not None:
            titles.setdefault(schema.table, f"{model}.{dataset}")
    return titles


def _list_unread(report: IngestReport) -> Unread:
    told = [
        Problem((d.span.file if d.span else None) or "", d.code, d.message)
        for d in report.diagnostics
        if d.severity is not Severity.INFO
    ]
    return Unread(
        rejected=report.rejected,
        blind=report.blind,
        file_time=report.count_notes(Kind.FILE_TIME),
        other_lines=report.count_notes(Kind.OTHER_LINES),
        files=tuple(told),
    )


def _list_failed(hunt: Hunt) -> Iterator[Problem]:
    for match in hunt.matches:
        for diagnostic in match.diagnostics:
            if diagnostic.severity is Severity.ERROR:
                yield Problem(match.detection.name, diagnostic.code, diagnostic.message)
