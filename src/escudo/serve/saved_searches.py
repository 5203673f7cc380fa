"""The state -> searches that users have kept; the API, Splunk's REST and searches that name one
call it. A search of the owner ``nobody`` is everybody's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from escudo.core.errors import EscudoError
from escudo.schedule.database import State
from escudo.serve.tables import SAVED_SEARCHES
from escudo.serve.texts import is_text

NOBODY = "nobody"
APP = "search"

MOST_NAME = 400


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """``settings`` has the keys of savedsearches.conf, as text; ``changed`` is epoch seconds."""

    owner: str
    app: str
    name: str
    settings: Mapping[str, str]
    changed: float

    @property
    def search(self) -> str:
        return self.settings.get("search", "")


class SavedSearches:
    """The saved searches of a state."""

    def __init__(self, state: State, *, clock: Callable[[], float]) -> None:
        self._state = state
        self._clock = clock

    def list(self, user: str) -> Sequence[SavedSearch]:
        """Those that a user sees: his own and everybody's, by name."""
        query = sa.select(SAVED_SEARCHES).where(SAVED_SEARCHES.c.owner.in_((user, NOBODY)))
        with self._state.read() as connection:
            rows = connection.execute(query.order_by(SAVED_SEARCHES.c.name, SAVED_SEARCHES.c.id))
            return [_make(row) for row in rows]

    def find(self, user: str, name: str) -> SavedSearch:
        """A user's search of a name, else everybody's.

        Raises:
            EscudoError: SRV038 where there is none.
        """
        found = [saved for saved in self.list(user) if saved.name == name]
        own = [saved for saved in found if saved.owner == user]
        if not found:
            raise EscudoError("SRV038", f"there is no saved search {name!r}")
        return (own or found)[0]

    def put(
        self, owner: str, name: str, settings: Mapping[str, str], *, app: str = APP
    ) -> SavedSearch:
        """Keeps a search under a name; one that the owner has of this name is replaced.

        Raises:
            EscudoError: SRV039 for a name that none can have.
        """
        if not name.strip() or len(name) > MOST_NAME or not name.isprintable():
            raise EscudoError("SRV039", f"{name[:80]!r} cannot be the name of a saved search")
        if not all(map(is_text, [*settings, *settings.values()])):
            raise EscudoError("SRV039", "a setting has half a character, which is no text")
        values: dict[str, Any] = {"settings": json.dumps(dict(settings)), "changed": self._clock()}
        key = (
            (SAVED_SEARCHES.c.owner == owner)
            & (SAVED_SEARCHES.c.app == app)
            & (SAVED_SEARCHES.c.name == name)
        )
        with self._state.begin() as connection:
            done = connection.execute(sa.update(SAVED_SEARCHES).where(key).values(**values))
            if not done.rowcount:
                connection.execute(
                    sa.insert(SAVED_SEARCHES).values(owner=owner, app=app, name=name, **values)
                )
        return SavedSearch(owner, app, name, dict(settings), values["changed"])

    def remove(self, saved: SavedSearch) -> None:
        with self._state.begin() as connection:
            connection.execute(
                sa.delete(SAVED_SEARCHES).where(
                    SAVED_SEARCHES.c.owner == saved.owner,
                    SAVED_SEARCHES.c.app == saved.app,
                    SAVED_SEARCHES.c.name == saved.name,
                )
            )


def _make(row: sa.Row[tuple[object, ...]]) -> SavedSearch:
    settings = {key: str(value) for key, value in json.loads(row.settings).items()}
    return SavedSearch(row.owner, row.app, row.name, settings, row.changed)
