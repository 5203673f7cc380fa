"""What several elements share: the file they come from, where their searches stand, their dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from escudo.content.reading import Section
from escudo.core.errors import Span


@dataclass(frozen=True)
class Origin:
    """The file of an element, the place of its search in it, and which folder layer it is in.

    ``layer`` is the content path as given; Escudo's own content has ``builtin``. ``root`` is the
    folder that no file which the element names may lie outside of; by default its own file's.
    """

    file: str
    layer: str
    search: Span | None = None
    root: str | None = None


@dataclass(frozen=True)
class Schedule:
    """When a search runs and the window it looks at (relative times of the Search Manual)."""

    cron: str
    earliest: str
    latest: str
    window: str = "auto"


def read_dates(section: Section) -> tuple[date | None, date | None]:
    """When an element was last changed, and when it was made.

    ESCU up to 5 has ``date``, the day of the last change; ESCU 6 has ``modification_date`` and
    ``creation_date``.
    """
    changed, modified = section.day("date"), section.day("modification_date")
    created = section.day("creation_date")
    return changed or modified or created, created
