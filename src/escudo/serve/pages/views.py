"""Queries of pages that somebody keeps under a name: saved in the state, shown as tabs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from escudo.core.errors import EscudoError
from escudo.schedule.database import State
from escudo.serve.tables import CONFIGURATION

_KIND = "findings view"
_LONGEST = 80
_MOST = 100
SHARED = "*"


@dataclass(frozen=True, slots=True)
class SavedView:
    """A query under a name. ``owner`` is a user, or ``*``: all see it."""

    owner: str
    name: str
    query: str


def list_views(state: State, user: str) -> Sequence[SavedView]:
    """The views that somebody sees: the shared ones, then his own, by name."""
    query = sa.select(CONFIGURATION.c.value).where(CONFIGURATION.c.kind == _KIND)
    with state.read() as connection:
        views = [SavedView(**json.loads(value)) for (value,) in connection.execute(query)]
    seen = [view for view in views if view.owner in (SHARED, user)]
    return sorted(seen, key=lambda view: (view.owner != SHARED, view.name.lower()))


def keep_view(state: State, view: SavedView, *, now: float) -> None:
    """Keeps a view, in place of one of its name.

    Raises:
        EscudoError: SRV051 a name that is empty or too long, or too many views.
    """
    if not 0 < len(view.name) <= _LONGEST or not view.name.isprintable():
        raise EscudoError("SRV051", f"a view has a name of 1 to {_LONGEST} characters")
    if len(list_views(state, view.owner)) >= _MOST:
        raise EscudoError("SRV051", f"there are {_MOST} views already")
    key = _key(view.owner, view.name)
    value = json.dumps({"owner": view.owner, "name": view.name, "query": view.query[:4000]})
    with state.begin() as connection:
        connection.execute(_delete(key))
        connection.execute(
            sa.insert(CONFIGURATION).values(kind=_KIND, name=key, value=value, changed=now)
        )


def remove_view(state: State, owner: str, name: str) -> None:
    """Takes a view away; one that is not there is no error."""
    with state.begin() as connection:
        connection.execute(_delete(_key(owner, name)))


def _key(owner: str, name: str) -> str:
    return f"{owner}/{name}"


def _delete(key: str) -> sa.Delete:
    return sa.delete(CONFIGURATION).where(
        CONFIGURATION.c.kind == _KIND, CONFIGURATION.c.name == key
    )
