"""Findings that nobody wants to see for a time: kept in the state, asked by workers; ``escudo
suppress`` writes them.

As in Splunk ES a suppressed finding is still written, with the status ``suppressed``, and the risk
is scored; it is sent to nobody.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from escudo.core.errors import EscudoError
from escudo.schedule.database import State
from escudo.schedule.tables import SUPPRESSIONS

STATUS = "suppressed"


@dataclass(frozen=True, slots=True)
class Suppression:
    """Rows of a detection (its name or id; any if empty) whose fields have these values.

    ``*`` stands for any characters, case does not count, and all fields must match; one value of a
    field with several is enough. ``expires`` is in epoch seconds; None is never.
    """

    id: int
    detection: str
    fields: Mapping[str, str]
    reason: str
    created: float
    expires: float | None

    def is_over(self, now: float) -> bool:
        return self.expires is not None and self.expires <= now

    def matches(self, names: Sequence[str], row: Mapping[str, Any]) -> bool:
        """Whether it is about a row of a detection of these names.

        >>> quiet = Suppression(1, "", {"dest": "lab-*"}, "", 0.0, None)
        >>> quiet.matches(["Any"], {"dest": "LAB-7"}), quiet.matches(["Any"], {"dest": "web"})
        (True, False)
        """
        if self.detection and self.detection.lower() not in (n.lower() for n in names):
            return False
        return all(_match_value(row.get(f), pattern) for f, pattern in self.fields.items())


def _match_value(value: Any, pattern: str) -> bool:
    values = value if isinstance(value, list) else [value]
    wanted = pattern.lower().replace("[", "[[]").replace("?", "[?]")
    return any(fnmatch.fnmatchcase(str(v).lower(), wanted) for v in values if v is not None)


def add_suppression(
    state: State,
    *,
    detection: str = "",
    fields: Mapping[str, str] | None = None,
    reason: str = "",
    now: float,
    expires: float | None = None,
) -> int:
    """Keeps a suppression; its number.

    Raises:
        EscudoError: SCH007 where it says neither a detection nor a field, or is over already.
    """
    if not detection and not fields:
        raise EscudoError("SCH007", "a suppression needs a detection or a field")
    if expires is not None and expires <= now:
        raise EscudoError("SCH007", "it would be over already")
    values = {
        "detection": _escape(detection),
        "fields": json.dumps(dict(fields or {}), sort_keys=True),
        "reason": _escape(reason),
        "created": now,
        "expires": expires,
    }
    with state.begin() as connection:
        made = connection.execute(sa.insert(SUPPRESSIONS).values(**values))
        assert made.inserted_primary_key is not None
        return int(made.inserted_primary_key[0])


def _escape(text: str) -> str:
    """A text that any database takes: bytes that are no text are written out."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def remove_suppression(state: State, number: int) -> None:
    """Takes a suppression away.

    Raises:
        EscudoError: SCH006 where there is none of the number.
    """
    with state.begin() as connection:
        gone = connection.execute(sa.delete(SUPPRESSIONS).where(SUPPRESSIONS.c.id == number))
        if not gone.rowcount:
            raise EscudoError("SCH006", f"there is no suppression {number}")


def list_suppressions(state: State, *, in_force_at: float | None = None) -> list[Suppression]:
    """The suppressions, the oldest first; those in force at a time, if one is given."""
    with state.read() as connection:
        rows = connection.execute(sa.select(SUPPRESSIONS).order_by(SUPPRESSIONS.c.id)).all()
    every = [
        Suppression(r.id, r.detection, json.loads(r.fields), r.reason, r.created, r.expires)
        for r in rows
    ]
    return [s for s in every if in_force_at is None or not s.is_over(in_force_at)]
