"""What a reader could not make an event of, with its place; the lake keeps it."""

from __future__ import annotations

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
