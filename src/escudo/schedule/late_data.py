"""Commits of a lake since the last look -> windows that ran without their events, open again;
called by workers.

What counts is when events came in, not how old they are: a window saw one commit of the lake, and
every later commit with events of its time opens it again. Findings that it has brought are known by
their hash, so running it anew adds only what is new.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa

from escudo.core.errors import EscudoError
from escudo.core.timerange import TimeRange
from escudo.lake import Lake, Snapshot
from escudo.lake.delta import DataFile
from escudo.lake.ledger import Commit
from escudo.lake.tables import NOTABLE, RISK, STASH
from escudo.schedule.claims import LATE
from escudo.schedule.database import State
from escudo.schedule.planned_search import STAGE_OF_CORRELATIONS
from escudo.schedule.tables import DONE, FAILED, NOTES, READY, RUNNING, SEARCHES, WINDOWS
from escudo.storage import open_file

_LOOKED_AT = "late_commit"
_OWN_TABLES = frozenset({RISK, NOTABLE, STASH})

_BRING_EVENTS = frozenset({"ingest", "append", "follow"})
_BRING_RISK = "findings"
"""Kinds of commits that bring events (of ``follow:...``, before the colon), and of those that bring
risk, which correlations read. What searches collect counts for nothing: a search that collects
would open itself again and again."""

_STEP = 60.0
"""Seconds to which the times of events are rounded down."""


@dataclass(frozen=True, slots=True)
class _Arrival:
    """Events that one commit brought: the minutes in which they were."""

    commit: int
    correlations_only: bool
    minutes: npt.NDArray[np.float64]


def reopen_windows(state: State, lake: Lake) -> int:
    """Opens windows again for which events came after they had run; how many they are.

    Raises:
        EscudoError: what the lake raises where its log cannot be read.
    """
    head = lake.ledger.head()
    with state.begin() as connection:
        before = _read_note(connection)
        if before is None:
            _write_note(connection, head.id)
            return 0
        if head.id <= before:
            return 0
    return _reopen(state, lake, before, head)


def _reopen(state: State, lake: Lake, before: int, head: Commit) -> int:
    arrivals = list(_list_arrivals(state, lake, before))
    opened = 0
    with state.begin(alone=True) as connection:
        if _read_note(connection) != before:
            return 0  # another worker was faster
        for arrival in arrivals:
            opened += _open_touched(connection, arrival)
        _write_note(connection, head.id)
    return opened


def _list_arrivals(state: State, lake: Lake, before: int) -> Iterable[_Arrival]:
    earlier = lake.ledger.find_commit(before) or Commit(before, 0.0, "", {})
    old = Snapshot(lake.tables_folder, lake.tables, earlier)
    events = risk = False
    for commit in lake.ledger.list_commits(after=before):
        events |= commit.kind.partition(":")[0] in _BRING_EVENTS
        risk |= commit.kind == _BRING_RISK
        if not commit.versions:
            continue  # nobody knows its files any more: they count with those of the next one
        new = Snapshot(lake.tables_folder, lake.tables, commit)
        if events or risk:
            looked_at = _find_oldest_end(state, correlations=not events)
            minutes = _read_minutes(lake, old, new, looked_at, risk_only=not events)
            if len(minutes):
                yield _Arrival(commit.id, not events, minutes)
        old, events, risk = new, False, False


def _find_oldest_end(state: State, *, correlations: bool) -> TimeRange:
    """The time that windows have looked at, all together."""
    with state.begin() as connection:
        query = sa.select(sa.func.min(WINDOWS.c.earliest), sa.func.max(WINDOWS.c.latest)).where(
            WINDOWS.c.state != READY, WINDOWS.c.earliest.is_not(None)
        )
        if correlations:
            query = query.where(WINDOWS.c.stage == STAGE_OF_CORRELATIONS)
        low, high = connection.execute(query).one()
    return TimeRange(0.0, 0.0) if low is None else TimeRange(low, high)


def _read_minutes(
    lake: Lake, old: Snapshot, new: Snapshot, within: TimeRange, *, risk_only: bool
) -> npt.NDArray[np.float64]:
    """The minutes of the events that came between two states, of those that windows have looked
    at."""
    raw = {schema.table for schema in lake.tables.raw}
    names = {RISK} if risk_only else raw - _OWN_TABLES
    parts = [
        _read_file(lake.tables_folder.place(f"{name}/{file.path}"), file, within)
        for name, files in new.list_added(old, sorted(names)).items()
        for file in files
        if _may_touch(file, within)
    ]
    return np.unique(np.concatenate(parts)) if parts else np.array([])


def _may_touch(file: DataFile, within: TimeRange) -> bool:
    if file.low is None or file.high is None:
        return False
    return within.overlaps(file.low / 1_000_000, file.high / 1_000_000)


def _read_file(place: str, file: DataFile, within: TimeRange) -> npt.NDArray[np.float64]:
    try:
        times = pq.read_table(open_file(place), columns=["_time"])["_time"].drop_null()
    except FileNotFoundError:  # compacted since: its ends have to do
        assert file.low is not None
        assert file.high is not None
        seconds = np.arange(file.low / 1_000_000, file.high / 1_000_000 + _STEP, _STEP)
    except (OSError, pa.ArrowException) as error:
        raise EscudoError("LAK018", f"{place}: {error}") from error
    else:
        seconds = pc.cast(times, pa.int64()).to_numpy() / 1_000_000
    low = -np.inf if within.earliest is None else within.earliest
    high = np.inf if within.latest is None else within.latest
    seconds = seconds[(seconds >= low) & (seconds < high)]
    return np.unique(np.floor(seconds / _STEP) * _STEP)


def _open_touched(connection: sa.Connection, arrival: _Arrival) -> int:
    """Opens the windows that have one of the minutes in them; those that run are marked."""
    touched = sa.and_(
        WINDOWS.c.earliest < float(arrival.minutes[-1]) + _STEP,
        WINDOWS.c.latest > float(arrival.minutes[0]),
        sa.or_(
            sa.and_(WINDOWS.c.state.in_((DONE, FAILED)), WINDOWS.c.commit_id < arrival.commit),
            sa.and_(WINDOWS.c.state == RUNNING, WINDOWS.c.stale == 0),
        ),
    )
    in_content = sa.select(SEARCHES.c.id).where(SEARCHES.c.retired.is_(None))
    touched = sa.and_(touched, WINDOWS.c.search_id.in_(in_content))
    if arrival.correlations_only:
        touched = sa.and_(touched, WINDOWS.c.stage == STAGE_OF_CORRELATIONS)
    ranges = sa.select(WINDOWS.c.earliest, WINDOWS.c.latest).where(touched).distinct()
    opened = 0
    for low, high in connection.execute(ranges).all():
        at = int(np.searchsorted(arrival.minutes, low - _STEP, side="right"))
        if at == len(arrival.minutes) or arrival.minutes[at] >= high:
            continue
        same = sa.and_(touched, WINDOWS.c.earliest == low, WINDOWS.c.latest == high)
        marked = sa.update(WINDOWS).where(same, WINDOWS.c.state == RUNNING).values(stale=1)
        connection.execute(marked)
        done = sa.and_(same, WINDOWS.c.state != RUNNING)
        reopened = sa.update(WINDOWS).where(done).values(state=READY, reason=LATE)
        opened += connection.execute(reopened).rowcount
    return opened


def _read_note(connection: sa.Connection) -> int | None:
    found = connection.execute(sa.select(NOTES.c.value).where(NOTES.c.name == _LOOKED_AT)).scalar()
    return None if found is None else int(json.loads(found))


def _write_note(connection: sa.Connection, number: int) -> None:
    connection.execute(sa.delete(NOTES).where(NOTES.c.name == _LOOKED_AT))
    connection.execute(sa.insert(NOTES).values(name=_LOOKED_AT, value=json.dumps(number)))
