"""Gaps and ranges of time -> windows that wait to be run; ``actions.backfill`` calls it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from escudo.core.errors import EscudoError
from escudo.core.timerange import TimeRange
from escudo.schedule.database import State
from escudo.schedule.planned_search import PlannedSearch
from escudo.schedule.planning import add_gap, add_windows
from escudo.schedule.tables import FAILED, GAPS, READY, WINDOWS
from escudo.schedule.timetable import Timetable

BACKFILLED = "back-filled"


@dataclass(frozen=True, slots=True)
class Opened:
    """How many windows wait now that were gaps or had never been, and that had failed."""

    added: int
    again: int


def open_gaps(
    state: State,
    searches: Mapping[int, PlannedSearch],
    within: TimeRange | None = None,
    *,
    now: float,
) -> Opened:
    """Has windows run that were not, and those whose search failed.

    Args:
        searches: by their ids in the state, as planning gives them.
        within: the time of events for which every window is wanted, whether the schedule knew of it
            or not; without it the gaps that it knows of are filled.
        now: windows that are due later are left to the schedule.

    Raises:
        EscudoError: SCH008 where the range is open or lies ahead.
    """
    if within is not None and (
        within.earliest is None
        or within.latest is None
        or within.earliest >= min(within.latest, now)
    ):
        raise EscudoError("SCH008", "a range of the past is wanted, with both its ends")
    groups: dict[tuple[Timetable, int], list[int]] = defaultdict(list)
    for number, search in searches.items():
        groups[search.timetable, search.stage].append(number)
    added = again = 0
    with state.begin(alone=True) as connection:
        for (timetable, stage), members in groups.items():
            gaps = _read_gaps(connection, timetable, members)
            wanted = _list_wanted(timetable, members, gaps, within, now)
            again += _open_failed(connection, members, timetable, within, now)
            added += _add(connection, timetable, stage, wanted)
            _cut_gaps(connection, gaps, wanted, now)
    return Opened(added, again)


@dataclass(frozen=True, slots=True)
class _Gap:
    id: int
    search: int
    dues: tuple[float, ...]
    reason: str
    noticed: float


def _read_gaps(
    connection: sa.Connection, timetable: Timetable, members: Sequence[int]
) -> list[_Gap]:
    rows = connection.execute(sa.select(GAPS).where(GAPS.c.search_id.in_(members))).all()
    listed: dict[tuple[float, float], tuple[float, ...]] = {}
    out = []
    for row in rows:
        ends = row.first_due, row.last_due
        if ends not in listed:
            listed[ends] = tuple(timetable.list_due(row.first_due - 0.001, row.last_due))
        out.append(_Gap(row.id, row.search_id, listed[ends], row.reason, row.noticed))
    return out


def list_touching(timetable: Timetable, within: TimeRange, now: float) -> list[float]:
    """The times, now at the latest, at which a search was due whose window has a part of a range.

    >>> hourly = Timetable("0 * * * *", "-70m@m", "-10m@m")
    >>> hourly.list_due(0, 10_800)
    [3600.0, 7200.0, 10800.0]
    >>> list_touching(hourly, TimeRange(3600, 7200), 10_800)
    [7200.0, 10800.0]
    """
    assert within.earliest is not None
    assert within.latest is not None
    reach = timetable.find_window(now)
    back = now - reach.earliest if reach.earliest is not None else 0.0
    slack = 3600.0  # a window may be cut to the hour or day, which moves with the time
    until = min(now, within.latest + back + 24 * slack)
    out = []
    for due in timetable.list_due(within.earliest - slack, until):
        window = timetable.find_window(due)
        begin = window.earliest if window.earliest is not None else -math.inf
        end = window.latest if window.latest is not None else due
        if begin < within.latest and end > within.earliest:
            out.append(due)
    return out


def _list_wanted(
    timetable: Timetable,
    members: Sequence[int],
    gaps: Sequence[_Gap],
    within: TimeRange | None,
    now: float,
) -> dict[float, set[int]]:
    """The searches that are wanted at each time."""
    wanted: dict[float, set[int]] = defaultdict(set)
    if within is not None:
        for due in list_touching(timetable, within, now):
            wanted[due].update(members)
        return wanted
    for gap in gaps:
        for due in gap.dues:
            if due <= now:
                wanted[due].add(gap.search)
    return wanted


def _open_failed(
    connection: sa.Connection,
    members: Sequence[int],
    timetable: Timetable,
    within: TimeRange | None,
    now: float,
) -> int:
    failed = sa.and_(WINDOWS.c.search_id.in_(members), WINDOWS.c.state == FAILED)
    if within is not None:
        failed = sa.and_(failed, WINDOWS.c.due.in_(list_touching(timetable, within, now)))
    opened = sa.update(WINDOWS).where(failed).values(state=READY, reason=BACKFILLED)
    return connection.execute(opened).rowcount


def _add(
    connection: sa.Connection, timetable: Timetable, stage: int, wanted: Mapping[float, set[int]]
) -> int:
    added = 0
    for due, members in sorted(wanted.items()):
        there = connection.execute(
            sa.select(WINDOWS.c.search_id).where(
                WINDOWS.c.due == due, WINDOWS.c.search_id.in_(members)
            )
        ).scalars()
        missing = sorted(members - set(there))
        if missing:
            add_windows(connection, timetable, due, missing, stage=stage, reason=BACKFILLED)
            added += len(missing)
    return added


def _cut_gaps(
    connection: sa.Connection,
    gaps: Sequence[_Gap],
    wanted: Mapping[float, set[int]],
    now: float,
) -> None:
    """Takes the windows that wait now out of the gaps; what is left of one may be several."""
    cut = [g for g in gaps if any(g.search in wanted.get(due, ()) for due in g.dues)]
    if cut:
        connection.execute(sa.delete(GAPS).where(GAPS.c.id.in_([g.id for g in cut])))
    for gap in cut:
        for rest in _split(gap, wanted):
            add_gap(connection, [gap.search], rest, reason=gap.reason, now=gap.noticed)


def _split(gap: _Gap, wanted: Mapping[float, set[int]]) -> Iterator[list[float]]:
    rest: list[float] = []
    for due in gap.dues:
        if gap.search not in wanted.get(due, ()):
            rest.append(due)
        elif rest:
            yield rest
            rest = []
    if rest:
        yield rest
