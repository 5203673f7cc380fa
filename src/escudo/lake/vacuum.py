"""Deletes files that no reader can still want: of old states, of crashes; for ``maintenance``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from escudo.lake import delta
from escudo.lake.ledger import Commit, Ledger
from escudo.storage import Storage

ABANDONED = timedelta(days=1)
"""A file that no commit names belongs to a writer at work, or, this old, to one that died."""

REMOVING = frozenset({"compact", "expire", "delete"})
"""The kinds of commits that files leave by; all others only add."""


def vacuum(tables: Storage, ledger: Ledger, retention: timedelta) -> int:
    """Deletes files of states that ended longer ago than the retention period.

    Args:
        tables: where the tables are.
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
        kept = list_named(tables.below(table), after)
        gone = list_named(tables.below(table), before) - kept
        freed += _delete(tables.below(table), kept, gone)
        removed += [f"{table}/{name}" for name in sorted(gone)]
    # Only now: what died before this would leave files that nothing names.
    with ledger.exclusive() as transaction:
        transaction.unpin(ended)
        transaction.forget_intact(removed)
    for table in sorted({name for commit in after for name in commit.versions}):
        _forget(tables.below(table), min(c.versions[table] for c in after if table in c.versions))
    return freed


def list_named(table: Storage, commits: Sequence[Commit]) -> set[str]:
    """The files that a table has at some of consecutive commits: those that it has at the last one,
    and those that left it since the first one. Its log is opened once, whatever their number."""
    paths: set[str] = set()
    for earlier, commit in pairwise(commits):
        if commit.kind in REMOVING and table.name in earlier.versions:
            before, version = earlier.versions[table.name], commit.versions[table.name]
            paths |= delta.list_removed(table, before, version)
    if commits and table.name in commits[-1].versions:
        active = delta.list_active(table, commits[-1].versions[table.name])
        paths |= set(active["path"].to_pylist())
    return paths


def _delete(table: Storage, kept: set[str], gone: set[str]) -> int:
    abandoned = time.time() - ABANDONED.total_seconds()
    freed = 0
    for stored in table.list_files():
        left = stored.name not in kept and stored.modified < abandoned
        if stored.name.endswith(".parquet") and (stored.name in gone or left):
            table.delete(stored.name)
            freed += stored.size
    return freed


def _forget(table: Storage, oldest: int) -> None:
    """Deletes the log before the last checkpoint that the oldest version in use needs."""
    log = table.below("_delta_log")
    entries = [s.name for s in log.list_files() if s.name[:1].isdigit()]
    numbers = sorted(int(n[:20]) for n in entries if n.endswith(".checkpoint.parquet"))
    needed = max((n for n in numbers if n <= oldest), default=0)
    for name in entries:
        if int(name[:20]) < needed:
            log.delete(name)
