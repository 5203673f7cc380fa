"""What a program does while it runs -> records of Python's ``logging``, which nobody sees unless
the program has them shown; called where files are read, searches run, commits made."""

from __future__ import annotations

import logging
from typing import Any

LOGGER = logging.getLogger("escudo")
"""Its records have an event for a message (``file``, ``detection``, ``commit``, ...), and its
fields in the attribute ``fields``."""

ERROR = logging.ERROR
"""The level of what failed."""


LOGGER.addHandler(logging.NullHandler())  # else errors went to standard error, by default


def log_event(event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Records something that was done.

    Args:
        event: what it was, one word.
        level: of ``logging``.
        fields: names and values: texts, numbers, booleans.

    >>> log_event("commit", lake="lake", number=3)
    """
    if LOGGER.isEnabledFor(level):
        LOGGER.log(level, event, extra={"fields": fields})
