"""The content that a server was started with, what is changed while it runs -> the content that
holds now; routes read it, the schedule takes it up."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

import sqlalchemy as sa

from escudo.actions.detection_switches import Switch, apply_switches
from escudo.actions.tuning import Exclusion, tune_content
from escudo.content import Content
from escudo.content.elements.common import Schedule
from escudo.core.catalog import Macro
from escudo.schedule.database import State
from escudo.serve.exclusions import list_exclusions
from escudo.serve.tables import CONFIGURATION

KIND = "detection"
"""The kind of a switch in the table of configurations; its name is the detection's id."""


@dataclass(frozen=True, slots=True)
class _Version:
    number: int
    content: Content
    exclusions: tuple[Exclusion, ...] = ()


class LiveContent:
    """The content that holds now. Several threads may ask and change it.

    Args:
        loaded: the content as it was loaded.
        state: keeps what is changed of detections, and exclusions.
        clock: gives epoch seconds.
    """

    def __init__(
        self, loaded: Content, state: State, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._loaded = loaded
        self._state = state
        self._clock = clock
        self._lock = Lock()
        self._held = _Version(0, loaded)
        self._apply()

    @property
    def current(self) -> Content:
        return self._held.content

    @property
    def version(self) -> int:
        """Another number whenever the content is another."""
        return self._held.number

    @property
    def untuned(self) -> Content:
        """The content without exclusions."""
        return self._loaded

    @property
    def tuned(self) -> bool:
        """Whether exclusions hold."""
        return bool(self._held.exclusions)

    def list_tuned_macros(self) -> list[Macro]:
        """The macros that are other ones than in the content without exclusions."""
        held = self._held
        if not held.exclusions:
            return []
        known = {(macro.name, len(macro.arguments)): macro for macro in self._loaded.macros}
        macros = held.content.macros
        return [m for m in macros if known.get((m.name, len(m.arguments))) != m]

    def refresh(self) -> None:
        """Takes up exclusions that have been made or taken away, or are over."""
        with self._lock:
            now = self._clock()
            held = [e for e in list_exclusions(self._state) if not e.is_over(now)]
            if held != list(self._held.exclusions):
                self._apply()

    def replace(self, loaded: Content) -> None:
        """Takes content that was loaded anew; what is changed of detections stays changed."""
        with self._lock:
            self._loaded = loaded
            self._apply()

    def switch(self, identity: str, switch: Switch, *, now: float) -> None:
        """Changes one detection, by its id; an empty switch makes it as the content has it."""
        with self._lock:
            _keep_switch(self._state, identity, switch, now)
            self._apply()

    def find_switch(self, identity: str) -> Switch:
        """What is changed of a detection."""
        return read_switches(self._state).get(identity, Switch())

    def _apply(self) -> None:
        now = self._clock()
        held = tuple(e for e in list_exclusions(self._state) if not e.is_over(now))
        content = tune_content(self._loaded, held, now)
        content = apply_switches(content, read_switches(self._state))
        self._held = _Version(self._held.number + 1, content, held)


def read_switches(state: State) -> dict[str, Switch]:
    """What is changed of detections, by their ids."""
    asked = sa.select(CONFIGURATION.c.name, CONFIGURATION.c.value).where(
        CONFIGURATION.c.kind == KIND
    )
    with state.read() as connection:
        rows = connection.execute(asked).all()
    return {row.name: _read(json.loads(row.value)) for row in rows}


def _read(value: Mapping[str, str | bool | None]) -> Switch:
    enabled, cron = value.get("enabled"), value.get("cron")
    schedule = None
    if isinstance(cron, str):
        schedule = Schedule(cron, str(value.get("earliest", "")), str(value.get("latest", "")))
    return Switch(enabled=enabled if isinstance(enabled, bool) else None, schedule=schedule)


def _keep_switch(state: State, identity: str, switch: Switch, now: float) -> None:
    value: dict[str, str | bool] = {}
    if switch.enabled is not None:
        value["enabled"] = switch.enabled
    if switch.schedule is not None:
        value["cron"] = switch.schedule.cron
        value["earliest"] = switch.schedule.earliest
        value["latest"] = switch.schedule.latest
    own = CONFIGURATION.c.kind == KIND, CONFIGURATION.c.name == identity
    with state.begin() as connection:
        connection.execute(sa.delete(CONFIGURATION).where(*own))
        if value:
            connection.execute(
                sa.insert(CONFIGURATION).values(
                    kind=KIND, name=identity, value=json.dumps(value), changed=now
                )
            )
