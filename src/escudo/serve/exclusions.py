"""Exclusions of detections in the state; the pages make and remove them, ``live_content`` asks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import sqlalchemy as sa

from escudo.actions.tuning import Exclusion
from escudo.schedule.database import State
from escudo.serve.tables import CONFIGURATION

_KIND = "exclusion"


def list_exclusions(state: State) -> Sequence[Exclusion]:
    """All that are kept, the oldest first, those that are over, too."""
    query = sa.select(CONFIGURATION.c.value).where(CONFIGURATION.c.kind == _KIND)
    with state.read() as connection:
        found = [Exclusion(**json.loads(value)) for (value,) in connection.execute(query)]
    return sorted(found, key=lambda exclusion: exclusion.id)


def add_exclusion(
    state: State,
    *,
    detection: str,
    fields: Mapping[str, str],
    author: str,
    reason: str,
    now: float,
    expires: float | None,
) -> Exclusion:
    """Keeps an exclusion. Raises EscudoError: TRI006 for one that cannot be."""
    with state.begin(alone=True) as connection:
        names = connection.execute(
            sa.select(CONFIGURATION.c.name).where(CONFIGURATION.c.kind == _KIND)
        )
        number = max((int(name) for (name,) in names), default=0) + 1
        made = Exclusion(
            id=number,
            detection=detection,
            fields=dict(fields),
            author=author,
            reason=reason.strip(),
            created=now,
            expires=expires,
        )
        made.check(now)
        connection.execute(
            sa.insert(CONFIGURATION).values(
                kind=_KIND, name=str(number), value=json.dumps(asdict(made)), changed=now
            )
        )
    return made


def remove_exclusion(state: State, number: int) -> Exclusion | None:
    """Takes one away, and gives it; None where there was none."""
    found = next((e for e in list_exclusions(state) if e.id == number), None)
    with state.begin() as connection:
        connection.execute(
            sa.delete(CONFIGURATION).where(
                CONFIGURATION.c.kind == _KIND, CONFIGURATION.c.name == str(number)
            )
        )
    return found
