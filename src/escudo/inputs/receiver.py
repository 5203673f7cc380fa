"""Events that senders bring -> commits of a lake, a second's worth at a time; front doors of the
server call it, from any thread.

What is accepted waits in memory, up to a bound, until all that waits is committed together; what
comes next is read meanwhile. The receipt of an item is durable once the lake's ledger has the
commit. So a sender that is answered by then loses nothing, whoever dies; one that is not answered
sends again.

A process can die after a commit and before its sender is answered. Each commit therefore keeps, as
a mark of the ledger, the keys of the requests in it, until they are answered. A request with such a
key that comes to the next process was committed and never answered: it is taken as done, once.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from types import TracebackType
from typing import Self, TypeAlias

from escudo.cim.normalise import Normaliser
from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.event_log import ERROR, log_event
from escudo.core.faults import explain_fault
from escudo.core.metrics import Metrics
from escudo.inputs.received import Received
from escudo.inputs.received_batches import ReceivedReader
from escudo.lake import Lake
from escudo.lake.ingest import IngestRun
from escudo.lake.ingest_source import Begin, End, Step
from escudo.lake.known_names import read_known_names
from escudo.lake.ledger import Mark
from escudo.lake.normalising import make_normaliser
from escudo.lake.report import Silent
from escudo.lake.writer import Writer
from escudo.sources.date_order import DateOrder
from escudo.sources.inventory import Inventory

COMMIT_BYTES = 24 << 20
"""Bytes that are committed at once, whatever the time: with more, memory and the time to an answer
would grow, and a commit costs some tenths of a second beside its events (2026-11-29, 2 cores)."""

WORTH_BYTES = 1 << 20
"""Bytes that are worth a commit before its time if nothing more comes: then who sends waits for an
answer, and a second less is a second won."""
_QUIET_SECONDS = 0.15
"""Seconds in which nothing comes, by which senders seem to wait. Those that a commit has answered
have sent again by then: shorter, and half of them are in every other commit."""

ANSWERS = "answers:"
"""Marks that begin so hold the keys of requests that were committed and not yet answered."""
ANSWER_SECONDS = 3600.0
"""Seconds after which a sender that was not answered is not waited for any more."""

_NAME = "received"


class Receipt:
    """What became of something that was accepted. ``done`` ends once it is in the lake, or with an
    EscudoError if it cannot be kept: its sender has it still."""

    def __init__(self, answer: Callable[[], None] | None = None) -> None:
        self.done: Future[None] = Future()
        self._answer = answer

    @property
    def durable(self) -> bool:
        """Whether it is in the lake."""
        return self.done.done() and self.done.exception() is None

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until it is in the lake; False if that takes longer (seconds).

        Raises:
            EscudoError: it cannot be kept.
        """
        try:
            self.done.result(timeout)
        except TimeoutError:
            return False
        return True

    def answered(self) -> None:
        """Takes note that the sender has been told."""
        answer, self._answer = self._answer, None
        if answer is not None:
            answer()


_Taken: TypeAlias = list[tuple[Received, Receipt]]


class Receiver:
    """Takes events in until its ``with`` block ends; then what waits is committed still.

    Args:
        commit_seconds: from the begin of one commit to the next while events come; after a pause
            the first waits for a tenth of that, for half of it where much has come.
        waiting_bytes: how much may wait, in bytes.

    >>> from escudo.inputs.received import ReceivedText
    >>> from escudo.lake.labels import Labels
    >>> with Lake.create_temporary() as lake, Receiver(lake, commit_seconds=0.1) as receiver:
    ...     text = ReceivedText(data=b"up", labels=Labels(host="a"), origin="test", received=0.0)
    ...     receiver.accept(text).wait(60)
    True
    """

    def __init__(
        self,
        lake: Lake,
        *,
        commit_seconds: float = 1.0,
        waiting_bytes: int = 256 << 20,
        metrics: Metrics | None = None,
        date_order: DateOrder | None = None,
    ) -> None:
        self._lake = lake
        self._every = commit_seconds
        self._most = waiting_bytes
        self._metrics = metrics or Metrics()
        self._reader = ReceivedReader(lake.tables.families, date_order)
        self._made: Normaliser | None = None
        self._writer: Writer | None = None
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Received, Receipt]] = deque()
        self._waiting_bytes = 0
        self._held_bytes = 0
        self._ended = False
        self._settled = threading.Event()
        """Set while nothing is being committed."""
        self._answers = _Answers(lake)
        self._begun = time.monotonic() - commit_seconds
        self._thread = threading.Thread(target=self._run, name="escudo-receive", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join()

    @property
    def held_bytes(self) -> int:
        """The bytes that were accepted and are not in the lake yet."""
        return self._held_bytes

    @property
    def is_full(self) -> bool:
        """Whether nothing more is accepted now."""
        return self._ended or self._held_bytes >= self._most

    def accept(self, item: Received) -> Receipt:
        """Takes events in; the receipt says when they are in the lake.

        Raises:
            EscudoError: INP004 where as much waits as may, or the receiver has ended: nothing of
                it is taken, and the sender is to try again.
        """
        receipt = Receipt()
        if item.key is not None:
            if self._answers.take(item.key):
                receipt.done.set_result(None)
                return receipt
            receipt = Receipt(answer=partial(self._answers.answer, item.key))
        with self._changed:
            if self._ended or (self._held_bytes and self._held_bytes + item.size > self._most):
                self._metrics.turned_away.inc()
                raise EscudoError("INP004", f"{self._held_bytes:,} bytes of events wait")
            self._held_bytes += item.size
            self._waiting_bytes += item.size
            self._waiting.append((item, receipt))
            if len(self._waiting) == 1 or self._waiting_bytes >= COMMIT_BYTES:
                self._changed.notify_all()
        self._metrics.received_bytes.set(self._held_bytes)
        return receipt

    # the thread that commits, and the one that reads ahead of it

    def _run(self) -> None:
        with ThreadPoolExecutor(1, "escudo-receive-read") as ahead:
            self._settled.set()
            coming = ahead.submit(self._take_and_read)
            while True:
                taken, steps = coming.result()
                if not taken:
                    self._leave_writer()
                    return
                self._settled.clear()
                coming = ahead.submit(self._take_and_read)
                try:
                    self._keep(taken, steps)
                finally:
                    self._settled.set()
                    with self._changed:
                        self._held_bytes -= sum(item.size for item, _ in taken)
                    self._metrics.received_bytes.set(self._held_bytes)

    def _take_and_read(self) -> tuple[_Taken, Sequence[Step] | None]:
        """What is to be committed next, and what it holds: None where that cannot be read."""
        taken = self._take()
        self._reader.inventory = cache(self._wait_for_names)
        try:
            return taken, list(self._reader.read([item for item, _ in taken]))
        except Exception:  # it is read again, and the fault told, when it is to be committed
            return taken, None

    def _wait_for_names(self) -> Inventory:
        """The names that came before, those of what is being committed among them."""
        self._settled.wait()
        return self._known_names()

    def _take(self) -> _Taken:
        """What is to be committed now, once there is some; nothing at the end."""
        with self._changed:
            while not self._waiting and not self._ended:
                self._changed.wait()
            least = self._every / (2 if self._waiting_bytes >= WORTH_BYTES else 10)
            due = max(self._begun + self._every, time.monotonic() + least)
            size = -1
            while self._waiting_bytes < COMMIT_BYTES and not self._ended:
                left = due - time.monotonic()
                if left <= 0 or (size == self._waiting_bytes and size >= WORTH_BYTES):
                    break
                size = self._waiting_bytes
                self._changed.wait(min(left, _QUIET_SECONDS))
            self._begun = time.monotonic()
            taken: _Taken = []
            size = 0
            while self._waiting and (not taken or size < COMMIT_BYTES):
                taken.append(self._waiting.popleft())
                size += taken[-1][0].size
            self._waiting_bytes -= size
            return taken

    def _keep(self, taken: _Taken, steps: Sequence[Step] | None) -> None:
        """Commits, and settles the receipts. Where a fault stops it, one by one: so what cannot be
        read stops nobody else. Without steps, it reads first."""
        failed: Exception | None = None
        items = [item for item, _ in taken]
        try:
            self._commit(items, self._read_again(items) if steps is None else steps)
        except EscudoError as error:
            failed = error
        except Exception as error:
            if len(taken) > 1:
                for each in taken:
                    self._keep([each], None)
                return
            failed = EscudoError("INP005", explain_fault(error).message)
        if failed is not None:
            log_event("commit failed", level=ERROR, error=str(failed))
        for _, receipt in taken:
            if failed is None:
                receipt.done.set_result(None)
            else:
                receipt.done.set_exception(failed)

    def _read_again(self, items: Sequence[Received]) -> Sequence[Step]:
        """By a reader of its own: that of the other thread is reading."""
        families, names = self._lake.tables.families, cache(self._known_names)
        return list(ReceivedReader(families, self._reader.date_order, names).read(items))

    def _commit(self, items: Sequence[Received], steps: Sequence[Step]) -> None:
        try:
            self._try_commit(items, steps)
        except EscudoError as error:
            if error.code != "LAK020":
                raise
            self._answers.abandon()
            self._try_commit(items, steps)

    def _try_commit(self, items: Sequence[Received], steps: Sequence[Step]) -> None:
        """By one writer as long as all goes well: it has ids and threads already."""
        if self._writer is None:
            self._writer = self._lake.writer()
        try:
            self._write(items, steps, self._writer)
        except BaseException:
            self._leave_writer()
            raise

    def _leave_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.__exit__(None, None, None)

    def _write(self, items: Sequence[Received], steps: Sequence[Step], writer: Writer) -> None:
        run = IngestRun(
            self._lake,
            writer,
            Silent(),
            force=False,
            normaliser=self._normaliser(),
        )
        run.take(Begin(_NAME, None, lasting=True))
        for step in steps:
            if isinstance(step, Diagnostic):
                log_event("input", level=ERROR, code=step.code, text=step.message)
            run.take(step)
        marks = self._answers.prepare([item.key for item in items if item.key is not None])
        run.take(End(None, tuple(marks)))
        run.commit()
        self._answers.keep(marks)
        report = run.report
        for family, events in report.families.items():
            self._metrics.events.labels(family).inc(events)
        self._metrics.rejected.inc(report.rejected)
        self._metrics.commits.inc()
        self._metrics.last_commit.set_to_current_time()

    def _normaliser(self) -> Normaliser:
        if self._made is None:
            self._made = make_normaliser(self._lake.tables.models)
        return self._made

    def _known_names(self) -> Inventory:
        return read_known_names(self._lake.snapshot(), Inventory())


@dataclass(slots=True, eq=False)
class _Open:
    """A mark, and how many of its requests were not answered; ``own``: this process committed
    them."""

    value: str
    keys: Sequence[str]
    at: float
    own: bool
    left: int

    @property
    def is_over(self) -> bool:
        return self.left <= 0 or self.at < time.time() - ANSWER_SECONDS


def _read_mark(value: str, *, own: bool) -> _Open:
    kept = json.loads(value)
    return _Open(value, kept["keys"], kept["at"], own, len(kept["keys"]))


class _Answers:
    """The requests that were committed and not answered: of this process, and of those before."""

    def __init__(self, lake: Lake) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, _Open] = {}
        self._by_key: dict[tuple[bool, str], deque[_Open]] = {}
        for name, value in lake.ledger.marks(ANSWERS).items():
            self._add(name, _read_mark(value, own=False))

    def take(self, key: str) -> bool:
        """Whether a request is one that a process before committed and did not answer."""
        return self._count_down(key, own=False)

    def answer(self, key: str) -> None:
        """Takes note that a request has been answered."""
        self._count_down(key, own=True)

    def _count_down(self, key: str, *, own: bool) -> bool:
        with self._lock:
            waiting = self._by_key.get((own, key))
            while waiting:
                each = waiting.popleft()
                if not waiting:
                    del self._by_key[own, key]
                if not each.is_over:
                    each.left -= 1
                    return True
        return False

    def prepare(self, keys: Sequence[str]) -> list[Mark]:
        """The marks of a commit of such requests, and the ends of those that are answered."""
        with self._lock:
            marks = [Mark(n, each.value, None) for n, each in self._open.items() if each.is_over]
        if keys:
            value = json.dumps({"at": time.time(), "keys": list(keys)})
            marks.append(Mark(f"{ANSWERS}{uuid.uuid4().hex}", None, value))
        return marks

    def keep(self, marks: Sequence[Mark]) -> None:
        """Takes note that marks are in the ledger."""
        with self._lock:
            for mark in marks:
                if mark.value is None:
                    self._remove(mark.name)
                else:
                    self._add(mark.name, _read_mark(mark.value, own=True))

    def abandon(self) -> None:
        """Leaves the marks that are over to the process that has ended them already."""
        with self._lock:
            for name in [name for name, each in self._open.items() if each.is_over]:
                self._remove(name)

    def _add(self, name: str, mark: _Open) -> None:
        self._open[name] = mark
        for key in mark.keys:
            self._by_key.setdefault((mark.own, key), deque()).append(mark)

    def _remove(self, name: str) -> None:
        mark = self._open.pop(name)
        for key in mark.keys:
            waiting = self._by_key.get((mark.own, key))
            if waiting is not None and mark in waiting:
                waiting.remove(mark)
                if not waiting:
                    del self._by_key[mark.own, key]
