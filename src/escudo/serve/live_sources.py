"""A lake -> how its sources do, kept for some seconds: several people look at the page, and it asks
all events of its window; the API and the page of sources call it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from escudo.actions.source_activity import Activity, Part

KEPT_SECONDS = 30.0
MOST_KEPT = 32


@dataclass(frozen=True, slots=True)
class _Kept:
    activity: Activity
    commit: int
    asked: float


@dataclass
class LiveSources:
    """What was asked in the last seconds, or of a lake that is still the same."""

    _kept: dict[tuple[Part, str, tuple[str, ...]], _Kept] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def read(
        self,
        by: Part,
        window: str,
        ask: Callable[[], Activity],
        *,
        indexes: tuple[str, ...],
        commit: int,
        now: float,
        moves: bool,
    ) -> Activity:
        """The activity of a window by its name.

        Args:
            ask: finds it where it is not known.
            indexes: those whose events are counted.
            commit: of the lake, now.
            moves: whether the window ends now, so that it is another one some seconds later.
        """
        with self._lock:
            known = self._kept.get((by, window, indexes))
            if known is not None:
                fresh = known.asked <= now < known.asked + KEPT_SECONDS
                if fresh or (known.commit == commit and not moves):
                    return known.activity
            activity = ask()
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[by, window, indexes] = _Kept(activity, commit, now)
            return activity
