"""What most actions work with: content, a lake, engines, a clock; made by who calls them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Protocol, Self, TypeAlias

from escudo.content import Content
from escudo.content.cached import KeyedContent
from escudo.core.catalog import Catalog, Knowledge
from escudo.core.disk_cache import DiskCache
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.detect.screening import Screener
from escudo.engines.execute import Engine
from escudo.lake import Lake
from escudo.lake.knowledge import LakeKnowledge

EngineOf: TypeAlias = Callable[[Catalog], Engine]
"""Makes an engine over a catalog (``actions.engines`` has some)."""


class SearchPlace(Protocol):
    """Where a search runs, and with what: all that is needed of a ``Workspace`` where nothing asks
    for its content. ``now`` is the clock, in epoch seconds."""

    @property
    def lake(self) -> Lake: ...
    @property
    def knowledge(self) -> Knowledge: ...
    @property
    def engine_of(self) -> EngineOf: ...
    @property
    def now(self) -> float: ...
    @property
    def within(self) -> TimeRange: ...


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """``now`` is the clock of the searches, in epoch seconds; ``within`` the time they look at."""

    content: Content
    lake: Lake
    engine_of: EngineOf
    now: float
    within: TimeRange = ALL_TIME
    zone: tzinfo = UTC
    """Whose days the searches that are typed are about; detections are about UTC's."""
    screener: Screener | None = field(default_factory=Screener)
    """What rules out detections that can find nothing; None: all are run."""

    @classmethod
    def prepare(
        cls,
        loaded: KeyedContent,
        lake: Lake,
        *,
        engine_of: EngineOf,
        cache: DiskCache,
        now: float,
        within: TimeRange = ALL_TIME,
    ) -> Self:
        """A workspace whose screener keeps in a cache what it has bound."""
        return cls(
            content=loaded.content,
            lake=lake,
            engine_of=engine_of,
            now=now,
            within=within,
            screener=Screener(cache, loaded.key),
        )

    @property
    def knowledge(self) -> LakeKnowledge:
        """The content's macros and lookups, under what searches have left in the lake."""
        return LakeKnowledge(self.content.knowledge, self.lake.artifacts)
