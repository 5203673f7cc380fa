"""The arguments of a process -> what Linux' audit system writes of them, for ``drawn_tables``.

Source: auditd's record fields (linux-audit/audit-documentation, "Audit Event Fields"): a value with
spaces, quotes or control characters is written as hex digits; a process title has its arguments
separated by NUL.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_PLAIN = re.compile(r"[!#-~]+")


def quoted(value: str) -> str:
    """A value as a record holds it.

    >>> quoted("ls"), quoted("a b")
    ('"ls"', '612062')
    """
    return f'"{value}"' if _PLAIN.fullmatch(value) else value.encode().hex().upper()


def execve(arguments: Sequence[str]) -> str:
    """The fields of an EXECVE record.

    >>> execve(["ls", "-l"])
    'argc=2 a0="ls" a1="-l"'
    """
    values = " ".join(f"a{i}={quoted(value)}" for i, value in enumerate(arguments))
    return f"argc={len(arguments)} {values}"


def proctitle(arguments: Sequence[str]) -> str:
    """The process title.

    >>> proctitle(["id"]), proctitle(["ls", "-l"])
    ('"id"', '6C73002D6C')
    """
    return quoted("\0".join(arguments))
