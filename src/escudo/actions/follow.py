"""Inputs that keep coming, detections -> findings as they come; called by ``escudo follow``.

One thread reads and commits, as fast as events come. Another one runs detections over what has been
committed since it last looked, be that one batch or many. So a slow search makes findings late, and
never the ingest. The thread that asks for findings only waits, so that Ctrl-C ends it at once.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import BinaryIO, TypeVar

from escudo.actions.delivery import list_findings
from escudo.actions.workspace import Workspace
from escudo.content import Content, Detection
from escudo.core.disk_cache import DiskCache
from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.event_log import log_event
from escudo.core.interrupts import find_stop, meet_stop
from escudo.core.timerange import ALL_TIME
from escudo.detect import run_detections
from escudo.detect.row_times import date_matches
from escudo.detect.running import FEWEST_SCREENED
from escudo.engines.execute import Engine
from escudo.findings import Schemas, judge_match
from escudo.findings.store import write_judgements
from escudo.inputs import CommittedBatch, FollowOptions, follow_inputs
from escudo.inputs.batches import join_batches, list_batches
from escudo.lake.ledger import Mark
from escudo.lake.report import IngestReport, Progress
from escudo.lake.tables import NOTABLE, RISK
from escudo.sinks import Finding
from escudo.spl.compile import find_batch_obstacle

T = TypeVar("T")

_KIND = "arrival"
"""What the cache calls the reasons why detections cannot run on events as they come."""

_POLL_SECONDS = 0.5
"""Seconds until Ctrl-C is looked at, where the system's wait does not end by it."""

_END_SECONDS = 4.0
"""Seconds that a commit or a search under way has when it is to end. What is not searched then is
searched at the next start."""


@dataclass(frozen=True, slots=True)
class ArrivalPlan:
    """``detections`` run on each batch; ``others`` need all events at once, or do not parse: each
    with the reason."""

    detections: tuple[Detection, ...]
    others: tuple[tuple[Detection, Diagnostic], ...]


def plan_arrival(
    detections: Sequence[Detection],
    content: Content,
    *,
    cache: DiskCache | None = None,
    key: bytes | None = None,
) -> ArrivalPlan:
    """Tells detections that can run on events as they come from those that cannot.

    Correlations read the risk of others, so they are left to their schedule. To parse a thousand
    searches takes three seconds, so what came of it is kept in a cache, where ``key`` says what
    tells the content from any other.
    """
    cache = cache if cache is not None and key is not None else DiskCache(None)
    kept = cache.find(_KIND, key or b"")
    known: dict[str, Diagnostic | None] = kept if isinstance(kept, dict) else {}
    before = len(known)
    arriving: list[Detection] = []
    others: list[tuple[Detection, Diagnostic]] = []
    for detection in detections:
        if not detection.enabled:
            continue
        name = f"{detection.id}|{detection.search}"
        if name not in known:
            known[name] = _find_obstacle(detection, content)
        reason = known[name]
        if reason is None:
            arriving.append(detection)
        else:
            others.append((detection, reason))
    if len(known) > before:
        cache.keep(_KIND, key or b"", known)
    return ArrivalPlan(tuple(arriving), tuple(others))


def _find_obstacle(detection: Detection, content: Content) -> Diagnostic | None:
    if detection.type == "Correlation":
        message = "a correlation sums up the risk that others have written"
        return Diagnostic("SPL331", message, Severity.INFO, detection.origin.search)
    try:
        return find_batch_obstacle(detection.search, content.knowledge, file=detection.origin.file)
    except EscudoError as error:
        return error.diagnostic


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came of some events: ``events`` of them were searched, ``findings`` came of it,
    ``seconds`` after the oldest of them was read, of which the search took ``search_seconds``;
    ``diagnostics`` say what was wrong with detections."""

    events: int
    findings: tuple[Finding, ...]
    diagnostics: tuple[Diagnostic, ...]
    seconds: float
    search_seconds: float


class FollowListener:
    """Is told how it goes, from the thread that reads (``tell_ingested``, ``tell_behind``) or that
    which searches; this one does not care."""

    def tell_ingested(self, report: IngestReport) -> None:
        """Events are in the lake; the report is of one commit."""

    def tell_behind(self, size: int) -> None:
        """So many bytes of files wait to be read."""

    def tell_waiting(self, batches: int) -> None:
        """So many batches wait to be searched."""


@dataclass(frozen=True, slots=True)
class _Ended:
    error: BaseException | None = None


def follow_logs(
    paths: Sequence[Path | str],
    workspace: Workspace,
    plan: ArrivalPlan,
    *,
    options: FollowOptions | None = None,
    deliver: Callable[[Sequence[Finding]], object] = lambda _findings: None,
    listener: FollowListener | None = None,
    clock: Callable[[], float] = time.time,
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
) -> Generator[Arrival, None, None]:
    """Follows inputs into the workspace's lake; gives what detections find in each batch.

    Risk events and findings are in the lake, and ``deliver`` (called from a thread of its own) has
    returned, before the batch counts as searched. A batch that was committed and not searched (the
    process died) is searched when the same inputs are followed again; so no finding is lost, and
    one may be delivered twice, with the same ``finding_id``. Ctrl-C ends it: what was read is
    committed then.

    Raises:
        EscudoError: what ``follow_inputs`` and the lake say.
        KeyboardInterrupt: the stop, once all is in order.
    """
    kind = f"follow:{_identify(paths)}"
    options = replace(options or FollowOptions(), kind=kind)
    listener = listener or FollowListener()
    following = _Following(workspace, plan, mark=kind, deliver=deliver, clock=clock)
    missed = following.list_missed()
    batches: queue.Queue[CommittedBatch | _Ended] = queue.Queue()
    arrivals: queue.Queue[Arrival | _Ended] = queue.Queue()
    stop = threading.Event()

    def read() -> Iterator[CommittedBatch]:
        return follow_inputs(
            paths,
            workspace.lake,
            options,
            stop=stop,
            stdin=stdin,
            progress=progress,
            tell=listener.tell_ingested,
            measure=listener.tell_behind,
        )

    def search() -> Iterator[Arrival]:
        following.prepare()
        for together in missed:
            yield following.search(together)
        ended = False
        while not ended and not stop.is_set():
            some, ended = _take(batches)
            listener.tell_waiting(len(some))
            together_now = join_batches(some)
            if together_now is not None:
                yield following.search(together_now)
                listener.tell_waiting(0)

    threads = [_start("escudo-follow", read, batches), _start("escudo-search", search, arrivals)]
    try:
        while True:
            try:
                arrival = arrivals.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if not isinstance(arrival, _Ended):
                yield arrival
            elif arrival.error is not None:
                raise arrival.error
            else:
                return
    except KeyboardInterrupt as error:
        meet_stop()
        raise find_stop(error) from None
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=_END_SECONDS)


def _start(name: str, make: Callable[[], Iterator[T]], out: queue.Queue[T | _Ended]) -> Thread:
    """A thread that puts the items of an iterator into a queue, and how it ended."""

    def run() -> None:
        try:
            for item in make():
                out.put(item)
        except BaseException as error:
            out.put(_Ended(error))
        else:
            out.put(_Ended())

    thread = Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def _identify(paths: Sequence[Path | str]) -> str:
    """The same for the same inputs."""
    places = sorted(str(p) if str(p) == "-" else str(Path(p).resolve()) for p in paths)
    text = "\0".join(places).encode(errors="surrogateescape")
    return hashlib.blake2b(text, digest_size=6).hexdigest()


def _take(waiting: queue.Queue[CommittedBatch | _Ended]) -> tuple[list[CommittedBatch], bool]:
    """All batches that are there, once one is; whether they are the last.

    Raises what has ended the reader.
    """
    batches: list[CommittedBatch] = []
    while not batches or not waiting.empty():
        item = waiting.get()
        if isinstance(item, CommittedBatch):
            batches.append(item)
        elif item.error is not None:
            raise item.error
        else:
            return batches, True
    return batches, False


class _Following:
    """Searches batches, and keeps in the lake how far it is."""

    def __init__(
        self,
        workspace: Workspace,
        plan: ArrivalPlan,
        *,
        mark: str,
        deliver: Callable[[Sequence[Finding]], object],
        clock: Callable[[], float],
    ) -> None:
        self._workspace = workspace
        self._plan = plan
        self._mark = mark
        self._deliver = deliver
        self._clock = clock
        self._value = workspace.lake.ledger.marks(mark).get(mark)
        raw = {t.table: t for t in workspace.lake.tables.raw}
        self._schemas = Schemas(risk=raw[RISK], notable=raw[NOTABLE])

    @property
    def searched(self) -> int:
        """The last commit that has been searched; 0 before the first."""
        return int((self._value or "0").partition("-")[0])

    @property
    def begun(self) -> int:
        """The last commit of those that were being searched together when the process died; they
        are searched together again, so that their sums, and the ids of findings, are the same."""
        return int((self._value or "0").rpartition("-")[2])

    def list_missed(self) -> list[CommittedBatch]:
        """What was committed by earlier runs and not searched to the end: what was being searched
        together when the process died, and all else."""
        missed = list(list_batches(self._workspace.lake, kind=self._mark, after=self.searched))
        begun = [b for b in missed if b.commits[-1] <= self.begun]
        joined = (join_batches(some) for some in (begun, missed[len(begun) :]))
        return [batch for batch in joined if batch is not None]

    def prepare(self) -> None:
        """Binds what the screener asks of each search, before there is anything to search."""
        lake = self._workspace.lake
        self._screen(CommittedBatch(lake.tables_folder, lake.tables, (), {}))

    def _screen(self, batch: CommittedBatch) -> tuple[Engine, list[Detection]]:
        """The detections that may find something in a batch; an engine over it."""
        workspace = self._workspace
        engine = workspace.engine_of(batch)
        detections = list(self._plan.detections)
        if workspace.screener is None or len(detections) < FEWEST_SCREENED:
            return engine, detections
        screened = workspace.screener.screen(
            detections,
            batch,
            engine,
            workspace.knowledge,
            within=ALL_TIME,
            now=self._clock(),
        )
        kept = [d for d, out in zip(detections, screened.ruled_out, strict=True) if out is None]
        return engine, kept

    def search(self, batch: CommittedBatch) -> Arrival:
        """Runs the detections over a batch, writes and delivers what they find."""
        workspace, now = self._workspace, self._clock()
        self._move(f"{self.searched}-{batch.commits[-1]}")
        begun = time.monotonic()
        engine, possible = self._screen(batch)
        matches = list(
            run_detections(possible, batch, engine, workspace.knowledge, within=ALL_TIME, now=now)
        )
        diagnostics = [d for m in matches for d in m.diagnostics if d.severity is Severity.ERROR]
        found = date_matches([m for m in matches if m.rows.num_rows], batch, engine)
        deployments = workspace.content.deployments
        judged = [judge_match(m, deployments, self._schemas) for m in found]
        findings = tuple(list_findings(judged))
        if findings:
            write_judgements(workspace.lake, judged, self._schemas)
            self._deliver(findings)
        self._move(str(batch.commits[-1]))
        took = time.monotonic() - begun
        log_event(
            "batch",
            commits=len(batch.commits),
            events=batch.events,
            findings=len(findings),
            seconds=round(took, 3),
        )
        seconds = max(0.0, self._clock() - batch.begun)
        return Arrival(batch.events, findings, tuple(diagnostics), seconds, took)

    def _move(self, value: str) -> None:
        self._workspace.lake.ledger.move_mark(Mark(self._mark, self._value, value))
        self._value = value
