"""Who did what -> rows of the audit log in the state; whoever changes something calls it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from escudo.core.event_log import log_event
from escudo.schedule.database import State
from escudo.serve.tables import AUDIT

DONE, REFUSED = "done", "refused"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act. ``id`` counts up; ``at`` is in epoch seconds; ``outcome`` is ``done`` or
    ``refused``."""

    id: int
    at: float
    who: str
    address: str
    action: str
    target: str
    outcome: str
    detail: Mapping[str, Any]


class Audit:
    """The audit log of a state. Secrets are never given to it."""

    def __init__(self, state: State, *, clock: Callable[[], float]) -> None:
        self._state = state
        self._clock = clock

    def note(
        self,
        action: str,
        *,
        who: str,
        address: str = "",
        target: str = "",
        outcome: str = DONE,
        **detail: Any,
    ) -> None:
        """Writes an act down."""
        with self._state.begin() as connection:
            connection.execute(
                sa.insert(AUDIT).values(
                    at=self._clock(),
                    who=who[:200],
                    address=address[:80],
                    action=action,
                    target=target,
                    outcome=outcome,
                    detail=json.dumps(detail, default=str),
                )
            )
        log_event("audit", who=who, action=action, target=target, outcome=outcome)

    def list(
        self,
        *,
        most: int = 200,
        before: int | None = None,
        who: str | None = None,
        action: str | None = None,
    ) -> Sequence[AuditEntry]:
        """The newest entries, the newest first: those ``before`` an id, of one user, of one
        kind."""
        query = sa.select(AUDIT).order_by(AUDIT.c.id.desc()).limit(most)
        if before is not None:
            query = query.where(AUDIT.c.id < before)
        if who:
            query = query.where(AUDIT.c.who == who)
        if action:
            query = query.where(AUDIT.c.action == action)
        with self._state.read() as connection:
            rows = connection.execute(query).all()
        return [
            AuditEntry(
                id=row.id,
                at=row.at,
                who=row.who,
                address=row.address,
                action=row.action,
                target=row.target,
                outcome=row.outcome,
                detail=json.loads(row.detail),
            )
            for row in rows
        ]

    def list_actions(self) -> Sequence[str]:
        """The kinds of acts that there are, by name."""
        query = sa.select(AUDIT.c.action).distinct().order_by(AUDIT.c.action)
        with self._state.read() as connection:
            return [row.action for row in connection.execute(query)]
