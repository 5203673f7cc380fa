"""Searches, the time -> windows that are due and gaps for those that were missed, in the state;
workers call it before they work.

Splunk calls it real-time scheduling: of several windows of a search that are due, the last one runs
and the others are gaps. With ``continuous`` all run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from escudo.schedule.database import State
from escudo.schedule.planned_search import PlannedSearch
from escudo.schedule.tables import (
    DONE,
    GAPS,
    OUTBOX,
    READY,
    RUNNING,
    SEARCHES,
    THROTTLES,
    WINDOWS,
)
from escudo.schedule.timetable import Timetable

CLOCK_TOLERANCE = 60.0
"""Seconds that the clock may go back without anything being planned anew."""

KEEP_SECONDS = 35 * 86_400.0
"""Seconds for which windows that are done are kept: so long may data be late to open them again."""

MISSED = "nothing ran the schedule when it was due"
REPLACED = "the content has another version, or none, of the search"
BACK = "the clock went back"


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning did: windows that it made, windows that it found missed, searches by the id
    that they have in the state, and when it has to be done again."""

    windows: int
    missed: int
    searches: Mapping[int, PlannedSearch]
    next_due: float | None


def plan_windows(
    state: State,
    searches: Sequence[PlannedSearch],
    now: float,
    *,
    continuous: bool = False,
    whole: bool = True,
) -> Planned:
    """Makes the windows that have become due, each once, whoever else plans at the same time.

    A version that is seen for the first time is due from its last time on. One that the content
    has no longer keeps what it ran; its windows that wait become gaps. Where the clock went back,
    what was planned for times to come is planned again when they come.

    Args:
        continuous: make the windows that were missed, too, in place of gaps.
        whole: whether the content has no other searches; else the others are left as they are.
    """
    with state.begin(alone=True) as connection:
        planning = _Planning(connection, now, continuous=continuous, whole=whole)
        return planning.plan(searches)


@dataclass(frozen=True, slots=True)
class _Group:
    """Searches with the same timetable that are planned up to the same time."""

    timetable: Timetable
    planned_to: float
    stage: int


class _Planning:
    def __init__(
        self, connection: sa.Connection, now: float, *, continuous: bool, whole: bool
    ) -> None:
        self._connection = connection
        self._now = now
        self._continuous = continuous
        self._whole = whole

    def plan(self, searches: Sequence[PlannedSearch]) -> Planned:
        self._meet_clock_that_went_back()
        self._forget_old()
        ids, planned_to = self._match(searches)
        groups: dict[_Group, list[int]] = defaultdict(list)
        for number, search in ids.items():
            groups[_Group(search.timetable, planned_to[number], search.stage)].append(number)
        windows = missed = 0
        for group, members in groups.items():
            made, gone = self._plan_group(group, members)
            windows += made
            missed += gone
        dues = (t.find_next(self._now) for t in {g.timetable for g in groups})
        return Planned(windows, missed, ids, min((d for d in dues if d is not None), default=None))

    def _forget_old(self) -> None:
        """Lets go of what ran long ago; gaps and failures stay until they are filled."""
        limit = self._now - KEEP_SECONDS
        for rows in (
            sa.delete(WINDOWS).where(WINDOWS.c.state == DONE, WINDOWS.c.due < limit),
            sa.delete(THROTTLES).where(THROTTLES.c.until < limit),
            sa.delete(OUTBOX).where(OUTBOX.c.payload.is_(None), OUTBOX.c.found < limit),
        ):
            self._connection.execute(rows)

    def _match(
        self, searches: Sequence[PlannedSearch]
    ) -> tuple[dict[int, PlannedSearch], dict[int, float]]:
        """The searches by their ids, which new ones get, and up to when each is planned."""
        rows = self._connection.execute(sa.select(SEARCHES)).mappings().all()
        known = {(r["identity"], r["version"]): r for r in rows}
        last: dict[Timetable, float] = {}
        ids: dict[int, PlannedSearch] = {}
        planned_to: dict[int, float] = {}
        fresh: list[PlannedSearch] = []
        for search in {(s.identity, s.version): s for s in searches}.values():
            row = known.get((search.identity, search.version))
            if row is None:
                fresh.append(search)
                continue
            ids[row["id"]] = search
            planned_to[row["id"]] = row["planned_to"]
            changed = self._find_changes(search, row)
            if row["retired"] is not None:
                changed |= {"retired": None}
                planned_to[row["id"]] = max(
                    row["planned_to"], self._find_begin(search.timetable, last)
                )
            if changed:
                self._connection.execute(
                    sa.update(SEARCHES).where(SEARCHES.c.id == row["id"]).values(**changed)
                )
        if fresh:
            new = [
                self._describe(search, self._find_begin(search.timetable, last)) for search in fresh
            ]
            self._connection.execute(sa.insert(SEARCHES), new)
            rows = self._connection.execute(sa.select(SEARCHES)).mappings().all()
            known = {(r["identity"], r["version"]): r for r in rows}
            for search in fresh:
                row = known[search.identity, search.version]
                ids[row["id"]] = search
                planned_to[row["id"]] = row["planned_to"]
        if self._whole:
            self._retire([r["id"] for r in rows if r["retired"] is None and r["id"] not in ids])
        return ids, planned_to

    def _find_begin(self, timetable: Timetable, last: dict[Timetable, float]) -> float:
        """Up to when a search counts as planned that begins now: just before it was due last."""
        if timetable not in last:
            due = timetable.find_last(self._now)
            last[timetable] = self._now if due is None else due - 0.001
        return last[timetable]

    def _describe(self, search: PlannedSearch, begin: float) -> dict[str, Any]:
        return {
            "identity": search.identity,
            "version": search.version,
            "kind": search.kind,
            "first_seen": self._now,
            "planned_to": begin,
            **_describe_schedule(search),
        }

    def _find_changes(self, search: PlannedSearch, row: sa.RowMapping) -> dict[str, Any]:
        return {k: v for k, v in _describe_schedule(search).items() if row[k] != v}

    def _retire(self, ids: Sequence[int]) -> None:
        """Runs no more windows of some searches, nor of those that were retired before."""
        if ids:
            gone = sa.update(SEARCHES).where(SEARCHES.c.id.in_(ids))
            self._connection.execute(gone.values(retired=self._now))
        retired = sa.select(SEARCHES.c.id).where(SEARCHES.c.retired.is_not(None))
        waiting = sa.and_(WINDOWS.c.state == READY, WINDOWS.c.search_id.in_(retired))
        found = sa.select(WINDOWS.c.search_id, WINDOWS.c.due).where(waiting)
        for number, due in self._connection.execute(found).all():
            self._add_gap([number], [due], REPLACED)
        self._connection.execute(sa.delete(WINDOWS).where(waiting))

    def _plan_group(self, group: _Group, members: Sequence[int]) -> tuple[int, int]:
        dues = group.timetable.list_due(group.planned_to, self._now)
        if not dues:
            return 0, 0
        runs = dues if self._continuous else dues[-1:]
        skipped = dues[: len(dues) - len(runs)]
        for due in runs:
            add_windows(self._connection, group.timetable, due, members, stage=group.stage)
        if skipped:
            self._add_gap(members, skipped, MISSED)
        self._connection.execute(
            sa.update(SEARCHES).where(SEARCHES.c.id.in_(members)).values(planned_to=dues[-1])
        )
        return len(runs) * len(members), len(skipped) * len(members)

    def _add_gap(self, members: Iterable[int], dues: Sequence[float], reason: str) -> None:
        add_gap(self._connection, members, dues, reason=reason, now=self._now)

    def _meet_clock_that_went_back(self) -> None:
        limit = self._now + CLOCK_TOLERANCE
        ahead = sa.select(sa.func.count()).where(SEARCHES.c.planned_to > limit)
        if not self._connection.execute(ahead).scalar():
            return
        self._connection.execute(
            sa.delete(WINDOWS).where(WINDOWS.c.due > limit, WINDOWS.c.state != RUNNING)
        )
        self._connection.execute(sa.delete(GAPS).where(GAPS.c.first_due > limit))
        rows = self._connection.execute(sa.select(GAPS).where(GAPS.c.last_due > limit))
        for row in rows.mappings().all():
            share = (self._now - row["first_due"]) / (row["last_due"] - row["first_due"])
            kept = max(1, int(share * (row["windows"] - 1) + 1e-6) + 1)
            self._connection.execute(
                sa.update(GAPS)
                .where(GAPS.c.id == row["id"])
                .values(last_due=self._now, windows=kept)
            )
        self._connection.execute(
            sa.update(SEARCHES).where(SEARCHES.c.planned_to > limit).values(planned_to=self._now)
        )


def _describe_schedule(search: PlannedSearch) -> dict[str, Any]:
    return {
        "name": search.element.name,
        "cron": search.timetable.cron,
        "earliest": search.timetable.earliest,
        "latest": search.timetable.latest,
    }


def add_windows(
    connection: sa.Connection,
    timetable: Timetable,
    due: float,
    members: Iterable[int],
    *,
    stage: int,
    reason: str = "",
) -> None:
    """Adds the windows of some searches that are due at a time; none of them is there."""
    within = timetable.find_window(due)
    usual = {
        "due": due,
        "stage": stage,
        "earliest": within.earliest,
        "latest": within.latest,
        "state": READY,
        "reason": reason,
        "runs": 0,
        "stale": 0,
        "rows": 0,
        "risk_events": 0,
        "findings": 0,
        "throttled": 0,
        "suppressed": 0,
    }
    connection.execute(sa.insert(WINDOWS), [{"search_id": m, **usual} for m in members])


def add_gap(
    connection: sa.Connection,
    members: Iterable[int],
    dues: Sequence[float],
    *,
    reason: str,
    now: float,
) -> None:
    """Notes that the windows of some searches, due at these times, were not run."""
    usual = {
        "first_due": dues[0],
        "last_due": dues[-1],
        "windows": len(dues),
        "reason": reason,
        "noticed": now,
    }
    connection.execute(sa.insert(GAPS), [{"search_id": m, **usual} for m in members])
