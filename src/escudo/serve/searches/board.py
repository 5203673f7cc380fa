"""Requests for searches -> jobs: queued, run by ``pool``'s processes, cancelled, forgotten; routes
call it, as ``server.searches``.

One thread has the processes: what others ask of it comes over a queue, so that no process is ever
written to by two, and a search that is cancelled is killed at once, whatever it does.
"""

from __future__ import annotations

import itertools
import os
import re
import secrets
import shutil
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from multiprocessing import Pipe
from multiprocessing.connection import wait
from pathlib import Path
from threading import Lock, Thread
from types import TracebackType
from typing import Self

from escudo.actions.live_search import Rights
from escudo.actions.triage import OpenedFinding
from escudo.core.catalog import Macro
from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.event_log import log_event
from escudo.core.faults import explain_fault
from escudo.core.owners import make_mark
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.serve.accounts.principal import Principal
from escudo.serve.permissions import Permission
from escudo.serve.searches.job import Job, JobState, SearchRequest
from escudo.serve.searches.orders import (
    Advanced,
    Begun,
    Counted,
    Ended,
    Failed,
    Found,
    Message,
    Order,
    WorkerPlan,
)
from escudo.serve.searches.pool import Pool, Worker
from escudo.serve.texts import is_text
from escudo.spl import parse_time

MOST_QUEUED = 20
"""Searches of one user that wait, at most."""

MOST_KEPT = 500
"""Jobs that are kept, of all users; of more the oldest that have ended go."""

_TICK_SECONDS = 0.2
"""How often deadlines and memory are looked at."""

_SPARE_BYTES = 1 << 30
"""What a process may hold beside DuckDB's memory, which has a limit of its own: rows in Arrow, the
language, the interpreter."""

_AMOUNT = re.compile(r"\s*([\d.]+)\s*([KMGT]?)(i?)B?\s*\Z", re.IGNORECASE)

TIMELINE_BUCKETS = 200

REFUSED = "LAK026"
"""The code of a search that asks for a change without the right."""


@dataclass(frozen=True, kw_only=True)
class Belongings:
    """What a user's searches may name beside the plan's: saved searches, collections of the KV
    store, macros that have been tuned."""

    saved: Mapping[str, str]
    collections: Mapping[str, Path]
    tuned: Sequence[Macro] = ()


def _own_nothing(_who: Principal, _folder: Path) -> Belongings:
    return Belongings(saved={}, collections={})


def _tell_nobody(_job: Job) -> None:
    pass


class Searches:
    """All jobs. Use it in a ``with`` block, or close it; processes begin with the first use.

    Args:
        find_belongings: what the user of a search has; files for it go into a folder.
        tell_change: is told of a job that has written or deleted something (``Job.changes``), and
            of one that was refused it.
        size: processes; as many as there are processors, and two at least, unless given.
    """

    def __init__(
        self,
        plan: WorkerPlan,
        *,
        clock: Callable[[], float],
        zone: tzinfo = UTC,
        find_belongings: Callable[[Principal, Path], Belongings] = _own_nothing,
        tell_change: Callable[[Job], None] = _tell_nobody,
        size: int | None = None,
    ) -> None:
        self._plan = plan
        self._clock = clock
        self._zone = zone
        self._find_belongings = find_belongings
        self._tell_change = tell_change
        self._size = size or max(2, os.cpu_count() or 1)
        self._jobs: dict[str, Job] = {}
        self._timelines: dict[str, Job] = {}
        self._queue: deque[Job] = deque()
        self._asked: deque[Callable[[Pool], None]] = deque()
        self._lock = Lock()
        self._thread: Thread | None = None
        self.pool: Pool | None = None
        self._folder: Path | None = None
        self._listen, self._wake = Pipe(duplex=False)
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all searches and deletes their rows."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._wake.send(None)
            thread.join()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    # what routes ask

    def start(self, request: SearchRequest, who: Principal) -> Job:
        """Starts a search, or queues it.

        Raises:
            EscudoError: SPL120 for a time that is none, SRV031 where too many of his wait, SRV032
                for a name that a job has or cannot have.
        """
        now = self._clock() if request.now is None else request.now
        within = request.within or TimeRange(
            parse_time(request.earliest, now, self._zone),
            parse_time(request.latest, now, self._zone),
        )
        if not request.search.strip():
            raise EscudoError("SRV033", "there is no search to run")
        if not is_text(request.search):
            raise EscudoError("SRV033", "half a character is no text to search for")
        return self._add(request, who, within=within)

    def find_evidence(self, opened: OpenedFinding, who: Principal) -> Job:
        """Looks for what is behind a finding (``Job.evidence``), as a search of somebody's.

        Raises:
            EscudoError: SRV031 where too many of his wait.
        """
        request = SearchRequest(search=f"evidence of {opened.finding.event_hash}")
        return self._add(request, who, within=ALL_TIME, opened=opened)

    def _add(
        self,
        request: SearchRequest,
        who: Principal,
        *,
        within: TimeRange,
        buckets: int | None = None,
        opened: OpenedFinding | None = None,
    ) -> Job:
        self._begin()
        assert self._folder is not None
        now = self._clock()
        sid = request.sid or f"{now:.3f}.{next(self._numbers)}_{secrets.token_hex(4)}"
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,120}", sid) or sid.startswith("."):
            raise EscudoError("SRV032", f"{sid!r} cannot name a job")
        folder = self._folder / sid
        job = Job(
            sid, who, request, folder, now, within, buckets, opened, touched=now, ttl=request.ttl
        )
        with self._lock:
            if sid in self._jobs:
                raise EscudoError("SRV032", f"there is a job {sid!r}")
            waiting = sum(other.owner.name == who.name for other in self._queue)
            if waiting >= MOST_QUEUED:
                raise EscudoError("SRV031", f"{waiting} searches of {who.name} wait already")
            folder.mkdir(mode=0o700)
            self._jobs[sid] = job
            self._queue.append(job)
        self._wake.send(None)
        return job

    def find(self, sid: str, who: Principal) -> Job:
        """A job; who looks at it keeps it from being forgotten.

        Raises:
            EscudoError: SRV030 where there is none of the name that he may see: his own, and to
                administrators all.
        """
        job = self._jobs.get(sid)
        if job is None or not _may_see(job, who):
            raise EscudoError("SRV030", f"there is no search {sid!r}")
        job.touched = self._clock()
        return job

    def list(self, who: Principal) -> list[Job]:
        """The jobs that he may see, the newest first; without those that count events or
        look behind a finding."""
        jobs = [*self._jobs.values()]
        seen = [j for j in jobs if j.buckets is None and j.opened is None and _may_see(j, who)]
        return sorted(seen, key=lambda job: -job.created)

    def cancel(self, job: Job) -> None:
        """Ends a job. When this returns its process is dead, if it had one."""
        self._ask(job, JobState.CANCELLED)

    def finalize(self, job: Job) -> None:
        """Ends a job that keeps the rows it has."""
        job.finalized = True
        self._ask(job, JobState.DONE)

    def release(self, job: Job) -> None:
        """Lets a job be done that was held."""
        self._ask(job, JobState.DONE)

    def pause(self, job: Job, *, paused: bool) -> None:
        """Stops the process of a job where it is, or lets it go on. Its time goes on.

        One that waits is not begun while it is paused.
        """

        def stop(pool: Pool) -> None:
            worker = pool.find(job.sid)
            if job.state.ended:
                return
            if worker is not None:
                os.kill(worker.process.pid, signal.SIGSTOP if paused else signal.SIGCONT)
            job.paused = paused

        self._asked.append(stop)
        self._wake.send(None)

    def _ask(self, job: Job, state: JobState) -> None:
        self._asked.append(lambda pool: self._stop(job, state, pool))
        self._wake.send(None)
        job.wait(10)

    def remove(self, job: Job) -> None:
        """Ends a job and deletes its rows."""
        self.cancel(job)
        self._forget(job)

    def count_events(self, job: Job) -> Job:
        """The job that counts a job's events over the time; it may still run."""
        with self._lock:
            known = self._timelines.get(job.sid)
        if known is not None and known.sid in self._jobs:
            known.touched = self._clock()
            return known
        request = replace(job.request, sid=None, saved=None, held=False)
        made = self._add(request, job.owner, within=job.within, buckets=TIMELINE_BUCKETS)
        with self._lock:
            self._timelines[job.sid] = made
        return made

    # the thread that has the processes

    def _begin(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            name = f"escudo-searches-{make_mark()}-"
            self._folder = Path(tempfile.mkdtemp(prefix=name))
            self._thread = Thread(target=self._run, name="escudo-searches", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        self.pool = pool = Pool(self._plan, self._size)
        try:
            pool.fill()
            while self._thread is not None:
                ready = wait([self._listen, *pool.connections], _TICK_SECONDS)
                if self._listen in ready:
                    self._listen.recv()
                for worker in [w for w in pool.workers if w.connection in ready]:
                    self._hear(worker, pool)
                while self._asked:
                    self._asked.popleft()(pool)
                self._look_after(pool)
                self._hand_out(pool)
        finally:
            for job in [*self._jobs.values()]:
                self._end(job, JobState.CANCELLED)
            pool.close()

    def _hear(self, worker: Worker, pool: Pool) -> None:
        """Takes one message of a process; the end of it where it has died."""
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            sid = worker.sid
            pool.kill(worker)
            pool.fill()
            if sid is not None and sid in self._jobs:
                self._fail(self._jobs[sid], "SRV034", "the search's process has died")
            return
        if message is None:
            worker.ready = True
        elif worker.sid is not None and (job := self._jobs.get(worker.sid)) is not None:
            ended = _take(job, message)
            if _is_about_change(message):
                self._tell_change(job)
            if ended:
                worker.sid = None
                if isinstance(message, Failed):
                    self._end(job, JobState.FAILED)
                elif job.request.held:
                    job.held = True
                else:
                    self._end(job, JobState.DONE)
            job.tell()

    def _stop(self, job: Job, state: JobState, pool: Pool) -> None:
        if (worker := pool.find(job.sid)) is not None:
            pool.kill(worker)
        self._end(job, state)
        pool.fill()

    def _fail(self, job: Job, code: str, text: str) -> None:
        if not job.state.ended:
            job.messages.append(Diagnostic(code, text, source=job.request.search))
            self._end(job, JobState.FAILED)

    def _end(self, job: Job, state: JobState) -> None:
        if job.state.ended:
            return
        with suppress(ValueError):
            self._queue.remove(job)
        job.ended = job.touched = self._clock()
        job.paused = False
        job.progress = 1.0 if state is JobState.DONE else job.progress
        job.state = state
        log_event(
            "search",
            sid=job.sid,
            user=job.owner.name,
            state=state.value,
            rows=job.rows,
            seconds=round(job.count_seconds(job.ended), 3),
        )
        job.tell()

    def _look_after(self, pool: Pool) -> None:
        """Ends searches that take too long or too much, and forgets those that nobody asks for."""
        now = self._clock()
        for worker in [w for w in pool.workers if w.sid is not None]:
            job = self._jobs.get(worker.sid or "")
            if job is None or job.started is None:
                continue
            limits = job.owner.limits
            most = min(limits.seconds, job.request.seconds or limits.seconds)
            if now - job.started > most:
                self._overrun(job, pool, "SRV035", f"it ran for {most:g} seconds")
            elif worker.count_bytes() > _count_bytes(limits.memory) + _SPARE_BYTES:
                self._overrun(job, pool, "SRV036", f"it took more than {limits.memory}")
        for job in [*self._jobs.values()]:
            if job.state.ended and now - job.touched > job.ttl:
                self._forget(job)
        over = len(self._jobs) - MOST_KEPT
        if over > 0:
            ended = [j for j in self._jobs.values() if j.state.ended]
            for job in sorted(ended, key=lambda j: j.touched)[:over]:
                self._forget(job)

    def _overrun(self, job: Job, pool: Pool, code: str, text: str) -> None:
        worker = pool.find(job.sid)
        assert worker is not None
        pool.kill(worker)
        pool.fill()
        self._fail(job, code, text)

    def _hand_out(self, pool: Pool) -> None:
        """Gives waiting searches to free processes, in turn; none more than a user may have."""
        running = [j.owner.name for j in self._jobs.values() if j.state is JobState.RUNNING]
        for job in [*self._queue]:
            if job.paused or running.count(job.owner.name) >= job.owner.limits.at_once:
                continue
            worker = pool.find_free()
            if worker is None:
                return
            try:
                order = self._write_order(job)
            except Exception as error:  # the state or the disk: of this search, not of all
                job.messages.append(explain_fault(error))
                self._end(job, JobState.FAILED)
                continue
            self._queue.remove(job)
            job.state, job.started = JobState.RUNNING, self._clock()
            worker.sid = job.sid
            running.append(job.owner.name)
            try:
                worker.connection.send(order)
            except OSError:
                continue  # it has died, which is heard of next
            job.tell()

    def _write_order(self, job: Job) -> Order:
        who, limits = job.owner, job.owner.limits
        own = self._find_belongings(who, job.folder)
        most = min(limits.rows, job.request.limit or limits.rows)
        jobs = {
            other.sid: other.parts
            for other in self._jobs.values()
            if other.owner.name == who.name and other.sid != job.sid and other.parts
        }
        return Order(
            sid=job.sid,
            search=job.request.search,
            now=job.created if job.request.now is None else job.request.now,
            most=most,
            memory=limits.memory,
            folder=job.folder,
            indexes=who.indexes,
            rights=Rights(
                write=who.may(Permission.WRITE),
                delete=who.may(Permission.DELETE),
                sealed=frozenset(own.collections),
            ),
            within=job.within,
            zone=self._zone,
            saved=own.saved,
            jobs=jobs,
            collections=own.collections,
            tuned=own.tuned,
            buckets=job.buckets,
            opened=job.opened,
            brief=job.request.brief,
        )

    def _forget(self, job: Job) -> None:
        with self._lock:
            self._jobs.pop(job.sid, None)
            counting = self._timelines.pop(job.sid, None)
        shutil.rmtree(job.folder, ignore_errors=True)
        if counting is not None:
            counting.ttl = 0.0


def _take(job: Job, message: Message) -> bool:
    """Puts what a process says into a job; whether that was the last of it."""
    match message:
        case Begun(diagnostics, changes, by_event):
            job.messages += diagnostics
            job.messages += [Diagnostic("SRV037", text, Severity.INFO) for text in changes]
            job.changes, job.by_event = changes, by_event
        case Advanced(part, fields, done, anew):
            known = () if anew else job.fields
            job.fields = tuple(dict.fromkeys((*known, *fields)))
            if part is not None:
                job.parts = (part,) if anew else (*job.parts, part)
            job.progress = max(job.progress, min(done, 0.99))
        case Counted(span, buckets):
            job.span, job.histogram = span, buckets
        case Found(evidence):
            job.evidence = evidence
        case Ended(cut):
            job.cut = cut
            return True
        case Failed(diagnostic):
            job.messages.append(diagnostic)
            return True
    return False


def _is_about_change(message: Message) -> bool:
    """Whether it says that a search has changed something, or may not."""
    match message:
        case Begun(changes=changes):
            return bool(changes)
        case Failed(diagnostic):
            return diagnostic.code == REFUSED
    return False


def _may_see(job: Job, who: Principal) -> bool:
    return job.owner.name == who.name or who.may(Permission.ADMINISTER)


def _count_bytes(amount: str) -> int:
    """The bytes of an amount as DuckDB writes it.

    >>> _count_bytes("2GB"), _count_bytes("512MiB")
    (2000000000, 536870912)
    """
    read = _AMOUNT.match(amount)
    if read is None:
        return 1 << 62
    power = "BKMGT".index(read[2].upper() or "B")
    return int(float(read[1]) * (1024 if read[3] else 1000) ** power)
