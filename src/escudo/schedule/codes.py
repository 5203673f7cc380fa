"""The error codes of running searches by their schedules."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

_ROWS = (
    ErrorCode(
        "SCH001",
        "The state of the schedule cannot be opened",
        "Name a database that is there and may be written: an SQLite file, or "
        "postgresql://user@host/name.",
    ),
    ErrorCode(
        "SCH002",
        "The state was written by a newer Escudo",
        "Use that version, or another state. Nothing was changed.",
    ),
    ErrorCode(
        "SCH003",
        "An extra is missing",
        "A state in PostgreSQL needs `pip install 'escudo[postgres]'`.",
    ),
    ErrorCode(
        "SCH004",
        "A schedule that cannot be read",
        "A cron line has five fields (`0 * * * *`); earliest and latest are times such as -70m@m. "
        "The search is not run until then.",
    ),
    ErrorCode(
        "SCH005",
        "A type without a deployment",
        "Add a deployment file for the type to the content or to the overlay.",
    ),
    ErrorCode(
        "SCH006",
        "No such suppression",
        "`escudo suppress list` shows those that there are, with their numbers.",
    ),
    ErrorCode(
        "SCH007",
        "A suppression that cannot be made",
        "Write --field NAME=VALUE (* stands for any characters) and --for 7d, or --until a time.",
    ),
    ErrorCode(
        "SCH008",
        "A range of time that cannot be back-filled",
        "Give --earliest and --latest with the earlier one first, both of the past.",
    ),
    ErrorCode(
        "SCH009",
        "a text that cannot be kept",
        "Write it in UTF-8: it has bytes, or halves of characters, that are no text.",
    ),
)

CODES: Mapping[str, ErrorCode] = {row.code: row for row in _ROWS}
