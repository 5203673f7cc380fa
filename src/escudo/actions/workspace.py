"""What most actions work with: content, a lake, engines, a clock; made by who calls them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TypeAlias

from escudo.content import Content
from escudo.core.catalog import Catalog
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.detect.screening import Screener
from escudo.engines.execute import Engine
from escudo.lake import Lake
from escudo.lake.knowledge import LakeKnowledge

EngineOf: TypeAlias = Callable[[Catalog], Engine]
"""Makes an engine over a catalog (``actions.engines`` has some)."""


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

    @property
    def knowledge(self) -> LakeKnowledge:
        """The content's macros and lookups, under what searches have left in the lake."""
        return LakeKnowledge(self.content.knowledge, self.lake.artifacts)
