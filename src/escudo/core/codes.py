"""The error codes of what no package expected, for ``docs/errors.md``."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

CODES: Mapping[str, ErrorCode] = {
    row.code: row
    for row in (
        ErrorCode(
            "SYS001",
            "the disk is full",
            "Free some room, for the lake or for temporary files (TMPDIR), and repeat. What was "
            "committed is safe.",
        ),
        ErrorCode(
            "SYS002",
            "a file cannot be read or written",
            "Check that it is there, its rights, and whether its disk can be written to.",
        ),
        ErrorCode(
            "SYS003",
            "memory ran out",
            "Look at a shorter time range, or give less to do at once.",
        ),
        ErrorCode(
            "SYS004",
            "a fault of Escudo itself",
            "Please report it with the command and the message. What was committed is safe.",
        ),
        ErrorCode("SYS005", "too deeply nested", "Nest less."),
        ErrorCode(
            "SYS006",
            "a URL where a path is asked for",
            "Logs and content are on this machine: copy or mount them. A lake may be elsewhere; a "
            "program gives its URL as a text.",
        ),
        ErrorCode(
            "SYS007",
            "nothing can be served there",
            "Give HOST:PORT with a port that is free, such as 127.0.0.1:9108.",
        ),
    )
}
