"""The state -> what runs, what was missed, how far behind it is; ``escudo status`` shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from escudo.core.owners import is_gone
from escudo.schedule.database import State
from escudo.schedule.suppressions import Suppression, list_suppressions
from escudo.schedule.tables import (
    DONE,
    FAILED,
    GAPS,
    OUTBOX,
    READY,
    RUNNING,
    SEARCHES,
    SINKS,
    THROTTLES,
    WINDOWS,
    WORKERS,
)

MOST_ERRORS = 20
"""Errors that are told, the last ones."""


@dataclass(frozen=True, slots=True)
class GapStatus:
    """Windows that were missed together: so many of so many searches, due between two times."""

    first_due: float
    last_due: float
    searches: int
    windows: int
    reason: str


@dataclass(frozen=True, slots=True)
class ErrorStatus:
    """A search whose last windows failed; ``due`` is the last of them."""

    search: str
    due: float
    windows: int
    code: str
    error: str


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    token: str
    began: float
    seen: float
    gone: bool
    windows: int
    """Windows that it has now."""


@dataclass(frozen=True, slots=True)
class SinkStatus:
    name: str
    waiting: int
    failures: int
    error: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """Times are epoch seconds, ``lag`` is the age of the oldest window that waits, in seconds.

    ``windows`` counts them by state, ``searches`` by type. A window that failed is no gap, and it
    is no success: back-filling runs both.
    """

    now: float
    searches: Mapping[str, int]
    windows: Mapping[str, int]
    reopened: int
    last_run: float | None
    last_due: float | None
    lag: float
    gaps: Sequence[GapStatus]
    errors: Sequence[ErrorStatus]
    workers: Sequence[WorkerStatus]
    sinks: Sequence[SinkStatus]
    suppressions: Sequence[Suppression]
    throttles: int
    findings: int
    risk_events: int

    @property
    def missed(self) -> int:
        """Windows that were not run."""
        return sum(gap.windows for gap in self.gaps)


def read_status(state: State, *, now: float) -> Status:
    """What the state says at a time."""
    suppressions = list_suppressions(state, in_force_at=now)
    with state.read() as connection:
        return _read(connection, suppressions, now)


def _read(connection: sa.Connection, suppressions: Sequence[Suppression], now: float) -> Status:
    live = SEARCHES.c.retired.is_(None)
    kinds = connection.execute(
        sa.select(SEARCHES.c.kind, sa.func.count()).where(live).group_by(SEARCHES.c.kind)
    ).all()
    counted = connection.execute(
        sa.select(WINDOWS.c.state, sa.func.count()).group_by(WINDOWS.c.state)
    ).all()
    windows = dict.fromkeys((READY, RUNNING, DONE, FAILED), 0) | dict(counted)
    sums = connection.execute(
        sa.select(
            sa.func.max(WINDOWS.c.ran).label("last_run"),
            sa.func.coalesce(sa.func.sum(WINDOWS.c.findings), 0).label("findings"),
            sa.func.coalesce(sa.func.sum(WINDOWS.c.risk_events), 0).label("risk_events"),
            sa.func.count().filter(WINDOWS.c.runs > 1).label("reopened"),
        )
    ).one()
    last_due = connection.execute(
        sa.select(sa.func.max(WINDOWS.c.due)).where(WINDOWS.c.state == DONE)
    ).scalar()
    waiting = WINDOWS.c.state.in_((READY, RUNNING))
    oldest = connection.execute(
        sa.select(sa.func.min(WINDOWS.c.due)).where(waiting, WINDOWS.c.due <= now)
    ).scalar()
    throttles = connection.execute(
        sa.select(sa.func.count()).select_from(THROTTLES).where(THROTTLES.c.until > now)
    ).scalar()
    return Status(
        now=now,
        searches=dict(sorted((kind, number) for kind, number in kinds)),
        windows=windows,
        reopened=sums.reopened,
        last_run=sums.last_run,
        last_due=last_due,
        lag=0.0 if oldest is None else max(0.0, now - oldest),
        gaps=_read_gaps(connection),
        errors=_read_errors(connection),
        workers=_read_workers(connection),
        sinks=_read_sinks(connection),
        suppressions=suppressions,
        throttles=throttles or 0,
        findings=int(sums.findings),
        risk_events=int(sums.risk_events),
    )


def _read_gaps(connection: sa.Connection) -> list[GapStatus]:
    together = (GAPS.c.first_due, GAPS.c.last_due, GAPS.c.reason)
    rows = connection.execute(
        sa.select(
            *together,
            sa.func.count(sa.distinct(GAPS.c.search_id)).label("searches"),
            sa.func.sum(GAPS.c.windows).label("windows"),
        )
        .group_by(*together)
        .order_by(*together)
    ).all()
    return [GapStatus(r.first_due, r.last_due, r.searches, int(r.windows), r.reason) for r in rows]


def _read_errors(connection: sa.Connection) -> list[ErrorStatus]:
    rows = connection.execute(
        sa.select(
            SEARCHES.c.name,
            sa.func.max(WINDOWS.c.due).label("due"),
            sa.func.count().label("windows"),
            sa.func.max(WINDOWS.c.code).label("code"),
            sa.func.max(WINDOWS.c.error).label("error"),
        )
        .join(SEARCHES, SEARCHES.c.id == WINDOWS.c.search_id)
        .where(WINDOWS.c.state == FAILED)
        .group_by(SEARCHES.c.name)
        .order_by(sa.func.max(WINDOWS.c.due).desc(), SEARCHES.c.name)
        .limit(MOST_ERRORS)
    ).all()
    return [ErrorStatus(r.name, r.due, r.windows, r.code or "", r.error or "") for r in rows]


def _read_workers(connection: sa.Connection) -> list[WorkerStatus]:
    held = connection.execute(
        sa.select(WINDOWS.c.worker, sa.func.count())
        .where(WINDOWS.c.state == RUNNING)
        .group_by(WINDOWS.c.worker)
    ).all()
    windows: dict[str, int] = {worker: n for worker, n in held}  # noqa
    rows = connection.execute(sa.select(WORKERS).order_by(WORKERS.c.began)).all()
    return [
        WorkerStatus(r.token, r.began, r.seen, bool(is_gone(r.token)), windows.get(r.token, 0))
        for r in rows
    ]


def _read_sinks(connection: sa.Connection) -> list[SinkStatus]:
    out = []
    for row in connection.execute(sa.select(SINKS).order_by(SINKS.c.name)).all():
        waiting = connection.execute(
            sa.select(sa.func.count()).select_from(OUTBOX).where(OUTBOX.c.id > row.sent_to)
        ).scalar()
        out.append(SinkStatus(row.name, waiting or 0, row.failures, row.error))
    return out
