"""What a reader could not make an event of, with its place; the lake keeps it.

``reading`` tells lines of other programs from damaged events with ``is_other_text``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

EXCERPT_BYTES = 16_384
"""Bytes of rejected input that are shown and kept."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """One event, record or stretch of bytes that gave no row.

    ``place`` is ``line 12``, ``record 40`` or ``offset 4096`` in the unpacked stream; ``excerpt``
    is the input itself, at most ``EXCERPT_BYTES`` of it.
    """

    source_file: str
    place: str
    code: str
    message: str
    excerpt: bytes
    lines: int | None = None
    """How many lines that are not blank it is; None: those of the excerpt."""

    def count_lines(self) -> int:
        """How many lines that are not blank it is."""
        if self.lines is not None:
            return self.lines
        return sum(1 for line in self.excerpt.splitlines() if line.strip())


_BETWEEN_EVENTS = frozenset({"SRC021", "SRC030", "SRC032"})
_OF_AN_EVENT = re.compile(
    rb"""^\s*[\[{<\]}]|</|<Data|<Event|"\s*:|[}>"]\s*,?\s*$|[\x00-\x08\x0e-\x1f]"""
    rb"""|^(?:LogName|SourceName|EventCode)="""
)


def is_other_text(rejected: Rejected) -> bool:
    """Whether it is no part of an event: a line of another program, a heading between events.

    >>> [is_other_text(Rejected("x", "line 1", "SRC021", "", text)) for text in
    ...  (b"Record 12", b"Mar  5 10:20:29 pc kernel: up", b"exe</Data></EventData>")]
    [True, True, False]
    """
    text = rejected.excerpt
    return rejected.code in _BETWEEN_EVENTS and bool(text) and not _OF_AN_EVENT.search(text)
