"""A state -> dashboards: panels that each show what a search finds; their pages call it.

A panel has a copy of its search, so that whoever may see the dashboard sees it, whatever becomes of
the saved search that it was made of.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import sqlalchemy as sa

from escudo.core.errors import EscudoError
from escudo.schedule.database import State
from escudo.serve.tables import CONFIGURATION

KIND = "dashboard"
MOST_PANELS = 24
LONGEST_NAME = 200
SHAPES: Mapping[str, str] = {
    "auto": "What fits",
    "table": "Table",
    "column": "Columns",
    "line": "Lines",
    "area": "Areas",
}
"""How a panel can show its rows, with names; ``auto`` draws a chart where there are numbers for
it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A search with its time, and how its rows are shown; ``wide`` takes the whole width."""

    title: str
    search: str
    earliest: str = ""
    latest: str = ""
    show: str = "auto"
    wide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """Panels under a name; ``owner`` may change them."""

    name: str
    owner: str
    about: str = ""
    panels: tuple[Panel, ...] = ()


class Dashboards:
    """The dashboards of a state; all users see them.

    Args:
        clock: gives epoch seconds.
    """

    def __init__(self, state: State, *, clock: Callable[[], float]) -> None:
        self._state = state
        self._clock = clock

    def list(self) -> Sequence[Dashboard]:
        """All, by name."""
        asked = (
            sa.select(CONFIGURATION.c.name, CONFIGURATION.c.value)
            .where(CONFIGURATION.c.kind == KIND)
            .order_by(CONFIGURATION.c.name)
        )
        with self._state.read() as connection:
            return [_read(row.name, row.value) for row in connection.execute(asked)]

    def find(self, name: str) -> Dashboard:
        """One dashboard. Raises EscudoError: SRV073 for a name that none has."""
        with self._state.read() as connection:
            return _find(connection, name)

    def add(self, dashboard: Dashboard) -> Dashboard:
        """A new one.

        Raises:
            EscudoError: SRV074 where its name is taken, or cannot be one.
        """
        name = dashboard.name.strip()
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise EscudoError("SRV074", f"a name has 1 to {LONGEST_NAME} characters")
        made = replace(dashboard, name=name)
        try:
            with self._state.begin() as connection:
                connection.execute(
                    sa.insert(CONFIGURATION).values(
                        kind=KIND, name=name, value=_write(made), changed=self._clock()
                    )
                )
        except sa.exc.IntegrityError as error:
            raise EscudoError("SRV074", f"there is a dashboard {name!r}") from error
        except EscudoError as error:
            if isinstance(error.__cause__, sa.exc.IntegrityError):
                raise EscudoError("SRV074", f"there is a dashboard {name!r}") from error
            raise
        return made

    def add_panel(self, name: str, panel: Panel) -> Dashboard:
        """Adds a panel at the end.

        Raises:
            EscudoError: SRV073 no such dashboard, SRV074 for a panel without a search, of a shape
                that is none, or one too many.
        """
        if not panel.search.strip() or panel.show not in SHAPES:
            raise EscudoError("SRV074", f"a panel has a search, and is one of {', '.join(SHAPES)}")
        return self._change(name, lambda panels: (*panels, panel))

    def remove_panel(self, name: str, number: int) -> Dashboard:
        """Removes a panel by its number, from 0. Raises EscudoError: SRV073."""
        return self._change(name, lambda panels: (*panels[:number], *panels[number + 1 :]))

    def remove(self, name: str) -> None:
        """Removes a dashboard. Raises EscudoError: SRV073."""
        with self._state.begin() as connection:
            done = connection.execute(sa.delete(CONFIGURATION).where(*_own(name)))
        if not done.rowcount:
            raise EscudoError("SRV073", f"no dashboard {name!r}")

    def _change(
        self, name: str, change: Callable[[tuple[Panel, ...]], tuple[Panel, ...]]
    ) -> Dashboard:
        with self._state.begin() as connection:
            before = _find(connection, name)
            after = replace(before, panels=change(before.panels))
            if len(after.panels) > MOST_PANELS:
                raise EscudoError("SRV074", f"a dashboard has at most {MOST_PANELS} panels")
            connection.execute(
                sa.update(CONFIGURATION)
                .where(*_own(name))
                .values(value=_write(after), changed=self._clock())
            )
        return after


def _own(name: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return CONFIGURATION.c.kind == KIND, CONFIGURATION.c.name == name


def _find(connection: sa.Connection, name: str) -> Dashboard:
    row = connection.execute(sa.select(CONFIGURATION.c.value).where(*_own(name))).first()
    if row is None:
        raise EscudoError("SRV073", f"no dashboard {name!r}")
    return _read(name, row.value)


def _read(name: str, text: str) -> Dashboard:
    value = json.loads(text)
    panels = tuple(Panel(**panel) for panel in value["panels"])
    return Dashboard(name=name, owner=value["owner"], about=value["about"], panels=panels)


def _write(dashboard: Dashboard) -> str:
    value = asdict(dashboard)
    del value["name"]
    return json.dumps(value)
