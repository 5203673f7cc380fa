"""The state -> whatever is a name with settings: indexes, stanzas of conf files, collections; the
routes that keep such call it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from escudo.schedule.database import State
from escudo.serve.tables import CONFIGURATION


@dataclass(frozen=True, slots=True)
class Setting:
    """``changed`` is epoch seconds."""

    kind: str
    name: str
    value: Mapping[str, Any]
    changed: float


class Configuration:
    """The settings of a state, by kind and name."""

    def __init__(self, state: State, *, clock: Callable[[], float]) -> None:
        self._state = state
        self._clock = clock

    def list(self, kind: str) -> Sequence[Setting]:
        """Those of a kind, by name."""
        query = sa.select(CONFIGURATION).where(CONFIGURATION.c.kind == kind)
        with self._state.read() as connection:
            rows = connection.execute(query.order_by(CONFIGURATION.c.name)).all()
        return [_make_setting(row) for row in rows]

    def find(self, kind: str, name: str) -> Setting | None:
        key = (CONFIGURATION.c.kind == kind) & (CONFIGURATION.c.name == name)
        with self._state.read() as connection:
            row = connection.execute(sa.select(CONFIGURATION).where(key)).first()
        return None if row is None else _make_setting(row)

    def put(self, kind: str, name: str, value: Mapping[str, Any]) -> Setting:
        """Keeps settings under a name, in place of those that there are."""
        changed = self._clock()
        values: dict[str, Any] = {"value": json.dumps(dict(value)), "changed": changed}
        key = (CONFIGURATION.c.kind == kind) & (CONFIGURATION.c.name == name)
        with self._state.begin() as connection:
            done = connection.execute(sa.update(CONFIGURATION).where(key).values(**values))
            if not done.rowcount:
                row = {"kind": kind, "name": name, **values}
                connection.execute(sa.insert(CONFIGURATION).values(**row))
        return Setting(kind, name, dict(value), changed)

    def remove(self, kind: str, name: str) -> bool:
        """Forgets settings; whether there were any."""
        key = (CONFIGURATION.c.kind == kind) & (CONFIGURATION.c.name == name)
        with self._state.begin() as connection:
            return bool(connection.execute(sa.delete(CONFIGURATION).where(key)).rowcount)


def _make_setting(row: sa.Row[tuple[object, ...]]) -> Setting:
    return Setting(row.kind, row.name, json.loads(row.value), row.changed)
