"""Findings that wait -> sinks: each gets every finding at least once, with an id; workers call it.

A window's findings are put into the outbox by the transaction that says that it has run. What a
sink has taken is noted after it has; so it may get some again after a crash, and their
``event_hash`` tells.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa

from escudo.core.errors import EscudoError
from escudo.core.event_log import log_event
from escudo.schedule.database import State
from escudo.schedule.tables import OUTBOX, SINKS
from escudo.sinks import Sink
from escudo.sinks.dispatch import Dispatcher

AT_ONCE = 500
"""Findings that a sink gets in one call."""

FIRST_PAUSE = 5.0
"""Seconds after which a sink that failed is tried again; doubled each time, up to LONGEST_PAUSE."""

LONGEST_PAUSE = 900.0


def send_waiting(
    state: State, outlet: Dispatcher, *, worker: str, time: float, lease: float = 120.0
) -> int:
    """Sends each sink what it has not got; how many findings were taken.

    One worker at a time sends to a sink. One that takes nothing is tried again later; the others
    get theirs. What a sink refuses out of findings of which it takes the rest is a dead letter: it
    would be refused again. A sink that is new gets what is found from now on; by its name it is
    known in later runs.

    Args:
        worker: the token of who sends.
        time: the wall clock, in epoch seconds.
        lease: seconds after which another worker may send in this one's place.
    """
    sent = 0
    for sink in outlet.sinks:
        while batch := _take(state, sink.name, worker=worker, time=time, lease=lease):
            reason = _offer(outlet, sink, [payload for _, payload in batch])
            if reason is not None:
                _note_failure(state, sink.name, reason, time=time)
                break
            _note_sent(state, sink.name, batch[-1][0])
            sent += len(batch)
    _drop_sent(state)
    return sent


def _offer(outlet: Dispatcher, sink: Sink, payloads: Sequence[str]) -> str | None:
    """Why a sink took nothing, or what it refused could not be kept; None where all is well."""
    try:
        delivery = outlet.offer(sink, [json.loads(payload) for payload in payloads])
    except EscudoError as error:
        return f"{error.code}: {error.diagnostic.message}"
    return None if delivery.sent or delivery.complete else delivery.failures[0].reason


def register_sinks(state: State, sinks: Sequence[Sink]) -> None:
    """Lets new sinks begin with what is found from now on."""
    with state.begin(alone=True) as connection:
        last = connection.execute(sa.select(sa.func.max(OUTBOX.c.id))).scalar() or 0
        known = set(connection.execute(sa.select(SINKS.c.name)).scalars())
        for sink in sinks:
            if sink.name not in known:
                connection.execute(
                    sa.insert(SINKS).values(name=sink.name, sent_to=last, failures=0)
                )


def _take(
    state: State, name: str, *, worker: str, time: float, lease: float
) -> list[tuple[int, str]]:
    with state.begin(alone=True) as connection:
        row = connection.execute(sa.select(SINKS).where(SINKS.c.name == name)).mappings().one()
        if row["retry"] is not None and row["retry"] > time:
            return []
        if row["worker"] not in (None, worker) and (row["lease"] or 0) > time:
            return []
        waiting = sa.select(OUTBOX.c.id, OUTBOX.c.payload).where(
            OUTBOX.c.id > row["sent_to"], OUTBOX.c.payload.is_not(None)
        )
        found = connection.execute(waiting.order_by(OUTBOX.c.id).limit(AT_ONCE)).all()
        held = {"worker": worker, "lease": time + lease} if found else {"worker": None}
        if found or row["worker"] is not None:
            connection.execute(sa.update(SINKS).where(SINKS.c.name == name).values(**held))
        return [(r.id, r.payload) for r in found]


def _note_sent(state: State, name: str, number: int) -> None:
    with state.begin() as connection:
        done = {"sent_to": number, "failures": 0, "retry": None, "error": None}
        connection.execute(sa.update(SINKS).where(SINKS.c.name == name).values(**done))


def _note_failure(state: State, name: str, reason: str, *, time: float) -> None:
    log_event("sink failed", name=name, error=reason)
    with state.begin() as connection:
        here = SINKS.c.name == name
        failures = connection.execute(sa.select(SINKS.c.failures).where(here)).scalar() or 0
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures, 20))
        told = {
            "failures": failures + 1,
            "retry": time + pause,
            "error": reason,
            "worker": None,
        }
        connection.execute(sa.update(SINKS).where(here).values(**told))


def _drop_sent(state: State) -> None:
    """Lets go of the text of findings that all sinks have."""
    with state.begin() as connection:
        least = connection.execute(sa.select(sa.func.min(SINKS.c.sent_to))).scalar()
        if least is not None:
            sent = sa.and_(OUTBOX.c.id <= least, OUTBOX.c.payload.is_not(None))
            connection.execute(sa.update(OUTBOX).where(sent).values(payload=None))
