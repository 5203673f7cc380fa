"""A server's content, lake and state -> its detections with what is known of them, kept for some
seconds; the pages and the API of detections ask it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from threading import Lock

from escudo.actions.detection_catalog import CatalogRow, HeldLogs, find_held_logs, read_catalog
from escudo.content import Content
from escudo.engines.execute import Engine
from escudo.lake import Lake, Snapshot
from escudo.schedule.database import State

HELD_SECONDS = 60.0
"""Seconds for which the sources of a lake are taken to be the same: all events are asked."""


class LiveCatalog:
    """The catalogue of detections. Several threads may ask it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held = HeldLogs(frozenset(), frozenset())
        self._commit: int | None = None
        self._asked = -math.inf

    def read(
        self,
        content: Content,
        lake: Lake,
        state: State,
        *,
        engine: Engine,
        now: float,
    ) -> Sequence[CatalogRow]:
        """All detections, by name."""
        snapshot = lake.snapshot()
        held = self.find_held(snapshot, engine, now)
        return read_catalog(content, snapshot, engine, state=state, held=held, now=now)

    def find_held(self, snapshot: Snapshot, engine: Engine, now: float) -> HeldLogs:
        """The sources that a lake has."""
        with self._lock:
            old = not self._asked <= now < self._asked + HELD_SECONDS
            if self._commit is None or (old and snapshot.commit.id != self._commit):
                self._held = find_held_logs(snapshot, engine)
                self._commit, self._asked = snapshot.commit.id, now
            return self._held
