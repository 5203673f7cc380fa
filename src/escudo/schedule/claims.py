"""The state -> windows for one worker, and back what became of them; workers call it.

Windows run in the order in which they are due, and stage by stage. Those of one time and stage are
shared by all workers; who has none left waits for the others. A claim is a lease: where a worker
is gone, or has not renewed it in time, its windows are another's.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from escudo.core.owners import is_gone, make_mark
from escudo.core.timerange import TimeRange
from escudo.schedule.database import State
from escudo.schedule.tables import (
    DONE,
    FAILED,
    OUTBOX,
    READY,
    RUNNING,
    SINKS,
    THROTTLES,
    WINDOWS,
    WORKERS,
)

LEASE_SECONDS = 120.0
"""Seconds that a claim holds unless it is renewed."""

FORGET_SECONDS = 600.0
"""Seconds after which a worker that says nothing is forgotten."""

LATE = "data came late"
TAKEN_OVER = "its worker was gone"
_LEAST_SHARE = 50
"""Windows that a worker takes at once, at least: they are asked together."""

MOST_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows that look at the same time, by id, with the ids of their searches. ``taken_over``:
    another worker had at least one of them, and may have written what it found."""

    due: float
    within: TimeRange
    windows: Mapping[int, int]
    taken_over: bool


@dataclass(frozen=True, slots=True)
class Throttle:
    """A row that keeps others of its key quiet."""

    key: str
    event_hash: str
    since: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a window. Risk events and findings are those that are new; ``code`` and
    ``error`` are those of a search that failed, ``seconds`` is how long it took."""

    rows: int = 0
    risk_events: int = 0
    findings: int = 0
    throttled: int = 0
    suppressed: int = 0
    code: str | None = None
    error: str | None = None
    seconds: float = 0.0
    throttles: tuple[Throttle, ...] = ()
    messages: tuple[tuple[str, str], ...] = ()
    """Findings to send: hash and JSON text."""


def make_token() -> str:
    """The name of a worker: it tells the machine, the process, and one worker of it."""
    return f"{make_mark()}.{uuid.uuid4().hex[:12]}"


class Claims:
    """The claims of one worker.

    ``time`` of the methods is the wall clock, by which leases run, not that of the schedule.
    """

    def __init__(self, state: State, *, lease: float = LEASE_SECONDS) -> None:
        self._state = state
        self.lease = lease
        self.token = make_token()

    def say_alive(self, time: float) -> None:
        """Tells that this worker works, and renews what it holds."""
        mine = sa.and_(WINDOWS.c.worker == self.token, WINDOWS.c.state == RUNNING)
        with self._state.begin() as connection:
            seen = sa.update(WORKERS).where(WORKERS.c.token == self.token).values(seen=time)
            if not connection.execute(seen).rowcount:
                connection.execute(
                    sa.insert(WORKERS).values(token=self.token, began=time, seen=time)
                )
            connection.execute(sa.update(WINDOWS).where(mine).values(lease=time + self.lease))

    def leave(self) -> None:
        """Gives back what this worker holds, and its name."""
        with self._state.begin() as connection:
            _release(connection, [self.token])
            connection.execute(sa.delete(WORKERS).where(WORKERS.c.token == self.token))

    def take(self, now: float, time: float, searches: Collection[int]) -> Batch | None:
        """Windows of some searches that are due now; None where there are none for this worker."""
        own = WINDOWS.c.search_id.in_(searches)
        with self._state.begin() as connection:
            _release_dead(connection, time)
            unfinished = sa.and_(WINDOWS.c.state.in_((READY, RUNNING)), own)
            first = connection.execute(
                sa.select(WINDOWS.c.due, WINDOWS.c.stage)
                .where(unfinished, WINDOWS.c.due <= now)
                .order_by(WINDOWS.c.due, WINDOWS.c.stage)
                .limit(1)
            ).first()
            if first is None:
                return None
            waiting = sa.and_(
                own,
                WINDOWS.c.state == READY,
                WINDOWS.c.due == first.due,
                WINDOWS.c.stage == first.stage,
            )
            ends = connection.execute(
                sa.select(WINDOWS.c.earliest, WINDOWS.c.latest, sa.func.count().label("windows"))
                .where(waiting)
                .group_by(WINDOWS.c.earliest, WINDOWS.c.latest)
                .order_by(WINDOWS.c.earliest, WINDOWS.c.latest)
                .limit(1)
            ).first()
            if ends is None:
                return None
            workers = connection.execute(sa.select(sa.func.count()).select_from(WORKERS)).scalar()
            share = max(_LEAST_SHARE, -(-ends.windows // max(1, workers or 1)))
            taken = connection.execute(
                sa.select(WINDOWS.c.id, WINDOWS.c.search_id, WINDOWS.c.reason)
                .where(
                    waiting,
                    WINDOWS.c.earliest.is_not_distinct_from(ends.earliest),
                    WINDOWS.c.latest.is_not_distinct_from(ends.latest),
                )
                .order_by(WINDOWS.c.id)
                .limit(min(share, MOST_AT_ONCE))
                .with_for_update(skip_locked=True)
            ).all()
            if not taken:
                return None
            connection.execute(
                sa.update(WINDOWS)
                .where(WINDOWS.c.id.in_([row.id for row in taken]))
                .values(
                    state=RUNNING,
                    worker=self.token,
                    lease=time + self.lease,
                    runs=WINDOWS.c.runs + 1,
                    stale=0,
                )
            )
            return Batch(
                first.due,
                TimeRange(ends.earliest, ends.latest),
                {row.id: row.search_id for row in taken},
                any(row.reason == TAKEN_OVER for row in taken),
            )

    def is_held_up(self, now: float, searches: Collection[int]) -> bool:
        """Whether windows of some searches are due that other workers have, or that wait for
        those."""
        with self._state.begin() as connection:
            unfinished = sa.and_(
                WINDOWS.c.state.in_((READY, RUNNING)), WINDOWS.c.search_id.in_(searches)
            )
            due = sa.select(WINDOWS.c.id).where(unfinished, WINDOWS.c.due <= now).limit(1)
            return connection.execute(due).first() is not None

    def finish(
        self, batch: Batch, outcomes: Mapping[int, Outcome], *, commit_id: int, ran: float
    ) -> list[int]:
        """Writes what became of windows, with all that follows from it, in one transaction.

        Windows that another worker took meanwhile are left to it. One that data came for while it
        ran is open again.

        Returns:
            The windows that were still this worker's.
        """
        # Who sends goes by the numbers of the outbox, so they must become visible in their order.
        posts = any(outcome.messages for outcome in outcomes.values())
        with self._state.begin(alone=posts) as connection:
            rows = connection.execute(
                sa.select(WINDOWS.c.id, WINDOWS.c.stale)
                .where(WINDOWS.c.id.in_(list(outcomes)), WINDOWS.c.worker == self.token)
                .where(WINDOWS.c.state == RUNNING)
                .with_for_update()
            ).all()
            alike: dict[tuple[Outcome, int], list[int]] = defaultdict(list)
            for row in rows:
                alike[outcomes[row.id], row.stale].append(row.id)
            for (outcome, stale), ids in alike.items():
                connection.execute(
                    sa.update(WINDOWS)
                    .where(WINDOWS.c.id.in_(ids))
                    .values(
                        state=READY if stale else FAILED if outcome.code else DONE,
                        reason=LATE if stale else "",
                        worker=None,
                        lease=None,
                        ran=ran,
                        commit_id=commit_id,
                        rows=outcome.rows,
                        risk_events=WINDOWS.c.risk_events + outcome.risk_events,
                        findings=WINDOWS.c.findings + outcome.findings,
                        throttled=outcome.throttled,
                        suppressed=outcome.suppressed,
                        code=outcome.code,
                        error=outcome.error,
                        seconds=outcome.seconds,
                    )
                )
                for number in ids:
                    _keep_throttles(connection, batch.windows[number], outcome.throttles)
                _post(connection, outcome.messages, ran)
            return [row.id for row in rows]


def _release_dead(connection: sa.Connection, time: float) -> None:
    held = connection.execute(
        sa.select(WINDOWS.c.worker, sa.func.min(WINDOWS.c.lease))
        .where(WINDOWS.c.state == RUNNING)
        .group_by(WINDOWS.c.worker)
    ).all()
    _release(connection, [w for w, lease in held if lease < time or is_gone(w)])
    workers = connection.execute(sa.select(WORKERS.c.token, WORKERS.c.seen)).all()
    gone = [w for w, seen in workers if seen < time - FORGET_SECONDS or is_gone(w)]
    if gone:
        connection.execute(sa.delete(WORKERS).where(WORKERS.c.token.in_(gone)))


def _release(connection: sa.Connection, tokens: Sequence[str]) -> None:
    if tokens:
        connection.execute(
            sa.update(WINDOWS)
            .where(WINDOWS.c.state == RUNNING, WINDOWS.c.worker.in_(tokens))
            .values(state=READY, reason=TAKEN_OVER, worker=None, lease=None)
        )


def _keep_throttles(
    connection: sa.Connection, search_id: int, throttles: Sequence[Throttle]
) -> None:
    for throttle in throttles:
        known = sa.select(THROTTLES.c.id).where(
            THROTTLES.c.search_id == search_id, THROTTLES.c.event_hash == throttle.event_hash
        )
        if connection.execute(known).first() is None:
            connection.execute(
                sa.insert(THROTTLES).values(
                    search_id=search_id,
                    key=throttle.key,
                    event_hash=throttle.event_hash,
                    since=throttle.since,
                    until=throttle.until,
                )
            )


def _post(connection: sa.Connection, messages: Sequence[tuple[str, str]], ran: float) -> None:
    if not messages or connection.execute(sa.select(SINKS.c.name).limit(1)).first() is None:
        return
    for event_hash, payload in messages:
        known = sa.select(OUTBOX.c.id).where(OUTBOX.c.event_hash == event_hash)
        if connection.execute(known).first() is None:
            connection.execute(
                sa.insert(OUTBOX).values(event_hash=event_hash, payload=payload, found=ran)
            )
