"""What people do with findings -> rows of the state, each change with who, when and why; called by
``actions.triage``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from threading import Lock
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from escudo.core.errors import EscudoError
from escudo.schedule.database import State
from escudo.triage.tables import FINDING_CHANGES, FINDING_STATES
from escudo.triage.values import DISPOSITIONS, STATUSES, UNASSIGNED, UNDETERMINED, URGENCIES

MOST_AT_ONCE = 1_000
"""Findings that one change may be about: a page of the queue, many times over."""

LONGEST_COMMENT = 20_000
LONGEST_OWNER = 200

_IN_ONE = 500
"""Names in one statement; SQLite takes 999 values, unless it was built for more."""

STATE_SCHEMA = pa.schema(
    [
        ("event_hash", pa.string()),
        ("status", pa.string()),
        ("owner", pa.string()),
        ("urgency", pa.string()),
        ("disposition", pa.string()),
        ("changed", pa.float64()),
        ("revision", pa.int64()),
    ]
)
"""The states of findings as a table."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingState:
    """What a finding has become. ``revision`` counts its changes."""

    status: str
    owner: str = UNASSIGNED
    urgency: str | None = None
    disposition: str = UNDETERMINED
    changed: float | None = None
    revision: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """What is to be changed of findings; None leaves it as it is."""

    status: str | None = None
    owner: str | None = None
    urgency: str | None = None
    disposition: str | None = None
    comment: str = ""

    @property
    def values(self) -> Mapping[str, str]:
        """The fields that are given a value."""
        names = (f.name for f in fields(self) if f.name != "comment")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def check(self) -> None:
        """Raises EscudoError: TRI001 a value that its field cannot have, TRI002 nothing to do."""
        for field, allowed in (
            ("status", tuple(STATUSES)),
            ("disposition", tuple(DISPOSITIONS)),
            ("urgency", URGENCIES),
        ):
            value = getattr(self, field)
            if value is not None and value not in allowed:
                raise EscudoError(
                    "TRI001", f"{field} cannot be {value!r}", hint=f"one of {', '.join(allowed)}"
                )
        if self.owner is not None and not 0 < len(self.owner) <= LONGEST_OWNER:
            raise EscudoError("TRI001", f"an owner has 1 to {LONGEST_OWNER} characters")
        if len(self.comment) > LONGEST_COMMENT:
            raise EscudoError("TRI001", f"a comment has at most {LONGEST_COMMENT:,} characters")
        if not self.values and not self.comment.strip():
            raise EscudoError("TRI002", "neither a field nor a comment is given")


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change of a finding: field -> what it was and what it became. ``at`` is in epoch
    seconds."""

    at: float
    who: str
    changes: Mapping[str, tuple[str | None, str | None]]
    comment: str


class Triage:
    """The triage of a state. ``clock`` gives epoch seconds.

    >>> with State.open("sqlite://") as state:
    ...     triage = Triage(state, clock=lambda: 60.0)
    ...     first = {"abc": FindingState(status="new")}
    ...     done = triage.change(first, Edit(owner="ana", comment="mine"), who="ana")
    ...     done["abc"].owner, triage.read_history("abc")[0].changes
    ('ana', {'owner': ('unassigned', 'ana')})
    """

    def __init__(self, state: State, *, clock: Callable[[], float]) -> None:
        self._state = state
        self._clock = clock
        self._lock = Lock()
        self._table: tuple[tuple[int, int], pa.Table] | None = None

    def read(self, hashes: Sequence[str]) -> dict[str, FindingState]:
        """The states of those findings that somebody has changed."""
        with self._state.read() as connection:
            return _read(connection, hashes)

    def read_table(self) -> pa.Table:
        """All states (``STATE_SCHEMA``); read anew where one has changed."""
        marks = sa.select(
            sa.func.count(), sa.func.coalesce(sa.func.sum(FINDING_STATES.c.revision), 0)
        )
        with self._state.read() as connection, self._lock:
            count, revisions = connection.execute(marks).one()
            mark = (int(count), int(revisions))
            if self._table is None or self._table[0] != mark:
                names = STATE_SCHEMA.names
                rows = connection.execute(sa.select(*(FINDING_STATES.c[n] for n in names))).all()
                columns = zip(*rows, strict=True) if rows else [[] for _ in names]
                arrays = [
                    pa.array(list(values), field.type)
                    for values, field in zip(columns, STATE_SCHEMA, strict=True)
                ]
                self._table = mark, pa.table(arrays, STATE_SCHEMA)
            return self._table[1]

    def read_history(self, event_hash: str) -> list[HistoryEntry]:
        """The changes of a finding, the newest first."""
        query = (
            sa.select(FINDING_CHANGES)
            .where(FINDING_CHANGES.c.event_hash == event_hash)
            .order_by(FINDING_CHANGES.c.at.desc(), FINDING_CHANGES.c.id.desc())
        )
        with self._state.read() as connection:
            rows = connection.execute(query).all()
        return [
            HistoryEntry(
                row.at,
                row.who,
                {name: (old, new) for name, (old, new) in json.loads(row.changes).items()},
                row.comment,
            )
            for row in rows
        ]

    def list_owners(self) -> list[str]:
        """Who has findings."""
        query = sa.select(FINDING_STATES.c.owner).distinct().order_by(FINDING_STATES.c.owner)
        with self._state.read() as connection:
            return [owner for (owner,) in connection.execute(query)]

    def change(
        self,
        findings: Mapping[str, FindingState],
        edit: Edit,
        *,
        who: str,
        revisions: Mapping[str, int] | None = None,
    ) -> dict[str, FindingState]:
        """Changes findings, all of them or, where one cannot be, none; their states afterwards.

        Args:
            findings: ``event_hash`` -> the state that it has where nobody has changed it yet.
            revisions: what the one who changes has seen; a finding that is at another revision
                by now is not overwritten.

        Raises:
            EscudoError: TRI001 a value that cannot be, TRI002 nothing to do, TRI003 too many
                findings, TRI004 one was changed meanwhile.
        """
        edit.check()
        if len(findings) > MOST_AT_ONCE:
            raise EscudoError("TRI003", f"{len(findings):,} findings; {MOST_AT_ONCE:,} at most")
        now, comment = self._clock(), edit.comment.strip()
        with self._state.begin(alone=True) as connection:
            states = {**findings, **_read(connection, list(findings))}
            for event_hash, seen in (revisions or {}).items():
                if event_hash in states and states[event_hash].revision != seen:
                    raise EscudoError("TRI004", f"finding {event_hash} was changed meanwhile")
            after: dict[str, FindingState] = {}
            log: list[dict[str, Any]] = []
            for event_hash, before in states.items():
                changes = {
                    name: (getattr(before, name), value)
                    for name, value in edit.values.items()
                    if getattr(before, name) != value
                }
                if not changes and not comment:
                    after[event_hash] = before
                    continue
                values = {
                    name: changes[name][1] if name in changes else getattr(before, name)
                    for name in ("status", "owner", "urgency", "disposition")
                }
                after[event_hash] = FindingState(
                    **values, changed=now, revision=before.revision + 1
                )
                log.append(
                    {
                        "event_hash": event_hash,
                        "at": now,
                        "who": who,
                        "changes": json.dumps(changes),
                        "comment": comment,
                    }
                )
            if log:
                _write(connection, {row["event_hash"]: after[row["event_hash"]] for row in log})
                connection.execute(sa.insert(FINDING_CHANGES), log)
        return after


def _read(connection: sa.Connection, hashes: Sequence[str]) -> dict[str, FindingState]:
    states: dict[str, FindingState] = {}
    for start in range(0, len(hashes), _IN_ONE):
        some = hashes[start : start + _IN_ONE]
        query = sa.select(FINDING_STATES).where(FINDING_STATES.c.event_hash.in_(some))
        for row in connection.execute(query):
            states[row.event_hash] = FindingState(
                status=row.status,
                owner=row.owner,
                urgency=row.urgency,
                disposition=row.disposition,
                changed=row.changed,
                revision=row.revision,
            )
    return states


def _write(connection: sa.Connection, states: Mapping[str, FindingState]) -> None:
    names = list(states)
    for start in range(0, len(names), _IN_ONE):
        some = names[start : start + _IN_ONE]
        connection.execute(sa.delete(FINDING_STATES).where(FINDING_STATES.c.event_hash.in_(some)))
    connection.execute(
        sa.insert(FINDING_STATES),
        [
            {
                "event_hash": event_hash,
                "status": state.status,
                "owner": state.owner,
                "urgency": state.urgency,
                "disposition": state.disposition,
                "changed": state.changed,
                "revision": state.revision,
            }
            for event_hash, state in states.items()
        ],
    )
