"""The error codes of inputs that keep coming."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

_ROWS = (
    ErrorCode(
        "INP001",
        "nothing is there to follow",
        "Name a folder that is there, or a file in one: the file itself may come later.",
    ),
    ErrorCode(
        "INP002",
        "standard input beside other inputs",
        "Follow `-` alone, and the folders and files by a second `escudo follow`.",
    ),
    ErrorCode(
        "INP003",
        "a file was cut short while it was followed",
        "It is read from its new beginning. What was written between the last look and the cut is "
        "lost, unless a copy of the file lies beside it (logrotate's copytruncate makes one).",
    ),
    ErrorCode(
        "INP004",
        "more events wait for the lake than may",
        "Send them again a little later. If it lasts, the lake's disk or processor is too slow for "
        "what comes.",
    ),
    ErrorCode(
        "INP005",
        "events that were sent cannot be kept",
        "The sender has them still. The message says why; it is a fault that we want to know of.",
    ),
)

CODES: Mapping[str, ErrorCode] = {row.code: row for row in _ROWS}
