"""Deletes files that no reader can still want: of old states, of crashes; for ``maintenance``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from escudo.lake import delta
from escudo.lake.ledger import Commit, Ledger

ABANDONED = timedelta(days=1)
"""A file that no commit names belongs to a writer at work, or, this old, to one that died."""

REMOVING = frozenset({"compact", "expire", "delete"})
"""The kinds of commits that files leave by; all others only add."""


def vacuum(folder: Path, ledger: Ledger, retention: timedelta) -> int:
    """Deletes files of states that ended longer ago than the retention period.

    Args:
        folder: the folder of the tables.
        ledger: says which states of the tables may still be read.
        retention: how long a state may be read after the next one.

    Returns:
        The bytes freed.
    """
    ended = time.time() - retention.total_seconds()
    with ledger.exclusive() as transaction:
        before = transaction.pinned()
    oldest = max((c.id for c in before if c.committed < ended), default=0)
    after = [c for c in before if c.id >= oldest]
    freed = 0
    removed: list[str] = []
    for table in sorted({name for commit in after for name in commit.versions}):
        kept = _named(folder / table, after)
        gone = _named(folder / table, before) - kept
        freed += _delete(folder / table, kept, gone)
        removed += [f"{table}/{name}" for name in sorted(gone)]
    # Only now: what died before this would leave files that nothing names.
    with ledger.exclusive() as transaction:
        transaction.unpin(ended)
        transaction.forget_intact(removed)
    for table in sorted({name for commit in after for name in commit.versions}):
        _forget(folder / table, min(c.versions[table] for c in after if table in c.versions))
    return freed


def _named(table: Path, commits: Sequence[Commit]) -> set[str]:
    """The files that a table has at some of consecutive commits."""
    paths: set[str] = set()
    for number, commit in enumerate(commits):
        last = number + 1 == len(commits) or commits[number + 1].kind in REMOVING
        if last and table.name in commit.versions:
            version = commit.versions[table.name]
            paths |= {f.path for f in delta.active_files(table, version)}
    return paths


def _delete(folder: Path, kept: set[str], gone: set[str]) -> int:
    abandoned = time.time() - ABANDONED.total_seconds()
    freed = 0
    for path in folder.glob("*.parquet"):
        stat = path.stat()
        if path.name in gone or (path.name not in kept and stat.st_mtime < abandoned):
            path.unlink()
            freed += stat.st_size
    return freed


def _forget(folder: Path, oldest: int) -> None:
    """Deletes the log before the last checkpoint that the oldest version in use needs."""
    log = folder / "_delta_log"
    numbers = sorted(int(p.name[:20]) for p in log.glob("*.checkpoint.parquet"))
    needed = max((n for n in numbers if n <= oldest), default=0)
    for path in log.glob("[0-9]*"):
        if int(path.name[:20]) < needed:
            path.unlink()
