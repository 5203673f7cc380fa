"""What several elements share: the file they come from, and where their searches stand."""

from __future__ import annotations

from dataclasses import dataclass

from escudo.core.errors import Span


@dataclass(frozen=True, slots=True)
class Origin:
    """The file of an element, the place of its search in it, and which folder layer it is in.

    ``layer`` is the content path as given; Escudo's own content has ``builtin``.
    """

    file: str
    layer: str
    search: Span | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a search runs and the window it looks at (relative times of the Search Manual)."""

    cron: str
    earliest: str
    latest: str
    window: str = "auto"
