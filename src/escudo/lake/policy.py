"""A policy of how long a lake keeps what -> maintenance by it, beside writers and readers; called
by ``escudo lake maintain`` and by what follows inputs.

A policy is a TOML file:

    retain = "90d"        # events older than that go; without it they stay
    compact = true        # small files become large ones
    keep_files = "24h"    # what left the tables stays so long for those who still read it

    [tables]              # tables that are kept for another time
    raw_sysmon = "30d"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from escudo.core.errors import EscudoError
from escudo.lake import maintenance
from escudo.lake.maintenance import RETENTION, Maintained
from escudo.lake.store import Lake

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
FOREVER = "forever"


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What is kept, and how. ``retain``: how old events get, None for ever; ``tables``: the same
    for single tables; ``keep_files``: how long files stay that left the tables."""

    retain: timedelta | None = None
    compact: bool = True
    keep_files: timedelta = RETENTION
    tables: Mapping[str, timedelta | None] = field(default_factory=dict)

    def oldest(self, table: str, now: float) -> float | None:
        """The time (epoch seconds) before which events of a table go; None if all stay."""
        kept = self.tables.get(table, self.retain)
        return None if kept is None else now - kept.total_seconds()


def parse_duration(text: str) -> timedelta | None:
    """A duration of a policy; ``forever`` is None.

    >>> parse_duration("90d"), parse_duration("forever")
    (datetime.timedelta(days=90), None)
    """
    if text == FOREVER:
        return None
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no time such as 90d, 24h, 30m or {FOREVER}")
    return timedelta(seconds=float(found[1]) * _UNITS[found[2]])


def read_policy(path: Path) -> Policy:
    """The policy in a file.

    Raises:
        EscudoError: LAK021 for a file that is none, with what is wrong.
    """
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise EscudoError("LAK021", f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, UnicodeDecodeError are such
        raise EscudoError("LAK021", f"{path} is no TOML: {error}") from error
    try:
        return _build(given)
    except (ValueError, OverflowError) as error:
        raise EscudoError("LAK021", f"{path}: {error}") from error


def _build(given: Mapping[str, Any]) -> Policy:
    known = ("retain", "compact", "keep_files", "tables")
    for name in given:
        if name not in known:
            raise ValueError(f"unknown key {name!r}; known are {', '.join(known)}")
    compact, tables = given.get("compact", True), given.get("tables", {})
    if not isinstance(compact, bool):
        raise ValueError("compact is true or false")
    if not isinstance(tables, dict):
        raise ValueError("tables is a table of names and times")
    keep_files = parse_duration(str(given.get("keep_files", "24h")))
    if keep_files is None:
        raise ValueError("keep_files is a time such as 24h")
    return Policy(
        retain=parse_duration(str(given.get("retain", FOREVER))),
        compact=compact,
        keep_files=keep_files,
        tables={name: parse_duration(str(text)) for name, text in tables.items()},
    )


def apply_policy(lake: Lake, policy: Policy, now: float) -> tuple[Maintained, Maintained]:
    """Drops what is too old, then merges small files; both while others read and write.

    Returns:
        What was dropped and what was merged, each with the bytes that were freed.

    Raises:
        EscudoError: LAK021 for a table that the lake cannot have.
    """
    unknown = sorted(lake.tables.unknown(policy.tables))
    if unknown:
        raise EscudoError("LAK021", f"no table is called {unknown[0]!r}")
    expired = maintenance.expire_tables(
        lake, lambda table: policy.oldest(table, now), retention=policy.keep_files
    )
    merged = Maintained()
    if policy.compact:
        merged = maintenance.compact(lake, retention=policy.keep_files)
    return expired, merged
