"""The error codes of triage."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

_ROWS = (
    ErrorCode(
        "TRI001",
        "a value that a field of a finding cannot have",
        "Give one of those that the message lists.",
    ),
    ErrorCode("TRI002", "a change that changes nothing", "Give a field, or a comment."),
    ErrorCode("TRI003", "too many findings at once", "Change fewer, or narrow the queue down."),
    ErrorCode(
        "TRI004",
        "a finding that somebody else has changed meanwhile",
        "Look at what it is now, then change it again.",
    ),
    ErrorCode("TRI005", "no such finding", "Look at the queue; it may have expired."),
    ErrorCode(
        "TRI006",
        "an exclusion that cannot be",
        "Give one to ten fields with values that say something, a reason, and a time ahead.",
    ),
    ErrorCode(
        "TRI007",
        "a detection that has no filter to exclude anything with",
        "Suppress its findings, or end its search with its filter macro.",
    ),
)

CODES: Mapping[str, ErrorCode] = {row.code: row for row in _ROWS}
