"""Parquet files <-> versions of one table's Delta log; writers, snapshots, maintenance call it.

Readers always open a table at the version that the ledger gives. Files are described to the log
with the least and greatest ``_time`` of their rows, which is what a time window prunes by.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from math import isqrt
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from escudo.core.errors import EscudoError
from escudo.storage import Storage
from escudo.storage.folder import sync_folder

CHECKPOINT_EVERY = 10
"""Versions from one checkpoint to the next at least, so that opening a table stays quick: an append
takes 24 ms of CPU, with 20 it takes 31; 5 saves little more, and a checkpoint of a table of 5,000
files takes 95 (2026-11-29)."""

_LOG_ERRORS = (DeltaError, TableNotFoundError, OSError, ValueError, KeyError, pa.ArrowException)
"""What deltalake raises for a log that it cannot read or write."""

_MACHINE = ("no space left on device", "read-only file system", "permission denied", "quota")
"""What a library's text says where the machine is at fault, and no file is damaged."""

_FAILING = ("generic s3", "generic gcs", "generic microsoftazure", "error sending request", "hdfs")
_REFUSED = ("status 403", "status 401", "permissiondenied", "unauthenticated")
"""What the text says where a storage elsewhere fails, or refuses."""

_SECOND_LOOK = frozenset({"LAK006", "STO001"})
"""Codes that may come of a list that is behind, of a writer that was cut off and went on, or of a
connection that was lost: the table is opened anew."""

_STRICT = CommitProperties(max_commit_retries=0)
"""A version is ours or none: the library would put a commit behind that of another writer, which
the ledger does not know."""

_NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
# A hook could clean up log entries of a version that the ledger still pins.

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A Parquet file of a table; times in microseconds since the epoch, None where unknown."""

    path: str
    rows: int
    size: int
    low: int | None
    high: int | None


def append(
    table: Storage,
    schema: pa.Schema,
    added: Sequence[DataFile],
    removed: Sequence[DataFile] = (),
    *,
    pinned: int | None,
    same_content: bool = False,
) -> int:
    """Commits files to a table, after undoing what is ahead of the pinned version.

    The caller holds the lake's write lock. The table is created when it is not there, and gets
    the columns that the schema has and it has not. Its log is on the disk when this returns.

    Args:
        table: where the table is.
        schema: the columns of its files.
        added: new files, which lie there.
        removed: files that the table loses; they stay there.
        pinned: the ledger's version, None for a table that it does not know.
        same_content: whether the new files hold the same rows as the removed ones.

    Returns:
        The table's new version.
    """

    def append() -> int:
        opened = _open_for_writing(table, schema, pinned)
        try:
            _widen(opened, schema, table.name)
            now = int(time.time() * 1000)
            content_changes = not same_content
            actions: list[AddAction | RemoveAction] = [
                RemoveAction(f.path, content_changes, now, f.size, {}) for f in removed
            ]
            actions += [
                AddAction(f.path, f.size, {}, now, content_changes, _statistics(f)) for f in added
            ]
            before = int(opened.version())
            opened.create_write_transaction(
                actions,
                "append",
                opened.schema(),
                post_commithook_properties=_NO_HOOKS,
                commit_properties=_STRICT,
            )
            # Without hooks the library's object stays at the version before.
            _sync_log(table, 0 if pinned is None else pinned + 1, before + 1)
            return before + 1
        except _LOG_ERRORS as error:
            raise explain_log_error(table.name, "cannot be written", error) from error

    return _look_twice(table, append)


def _look_twice(table: Storage, action: Callable[[], T]) -> T:
    """What an action gives, which opens a table anew each time; a folder's needs no second look."""
    if table.path is not None:
        return action()
    ask_again: Callable[..., T] = import_module("escudo.storage.retrying").ask_again
    return ask_again(action, _needs_second_look, attempts=6)


def _needs_second_look(error: Exception) -> bool:
    return isinstance(error, EscudoError) and error.code in _SECOND_LOOK


def _sync_log(table: Storage, first: int, last: int) -> None:
    """Waits until entries of a table's log are on the disk, where it is one of this machine."""
    if table.path is None:
        return
    log = table.path / "_delta_log"
    for number in range(first, last + 1):
        sync(log / _name_entry(number))
    sync_folder(table.path)
    sync_folder(log)


def _open(table: Storage, version: int | None = None) -> DeltaTable:
    options = table.options
    return DeltaTable(
        table.url if table.path is None else table.path,
        version=version,
        storage_options=None if options is None else dict(options),
    )


def _name_entry(version: int) -> str:
    return f"{version:020}.json"


def checkpoint(table: Storage, before: int, version: int) -> None:
    """Makes a checkpoint at an acknowledged version if it is due since an earlier version.

    It saves readers time and no more, so a disk without room for it is no error.
    """
    if before // CHECKPOINT_EVERY != version // CHECKPOINT_EVERY:
        with suppress(*_LOG_ERRORS, EscudoError):
            if _needs_checkpoint(table, version):
                _open(table, version).create_checkpoint()


def _needs_checkpoint(table: Storage, version: int) -> bool:
    """Whether a table has enough versions since its last checkpoint: more of them where that has
    many files. To write it takes 26 us a file, to read an entry more of the log 1.4 ms
    (2026-11-30)."""
    try:
        last = json.loads(table.below("_delta_log").read("_last_checkpoint"))
    except FileNotFoundError:
        return True
    wanted = max(CHECKPOINT_EVERY, isqrt(int(last["size"]) * 37 // 1000))
    return version - int(last["version"]) >= wanted


def active_files(table: Storage, version: int) -> list[DataFile]:
    """The files of a table at a version: LAK006 if its log cannot be read."""
    columns = list_active(table, version)
    return [DataFile(*file) for file in zip(*(c.to_pylist() for c in columns), strict=True)]


def list_active(table: Storage, version: int) -> pa.Table:
    """The same as a table: ``path``, ``rows``, ``size``, ``low``, ``high``.

    An entry of no bytes counts as damage: the library takes it for a version without changes.
    """
    if table.path is not None:
        for entry in (table.path / "_delta_log").glob("[0-9]*.json"):
            if not entry.stat().st_size and int(entry.stem) <= version:
                message = f"table {table.name}: {entry.name} of its log is empty"
                raise EscudoError("LAK006", message)
    actions = _look_twice(table, lambda: _read_actions(table, version))
    nothing = pa.nulls(actions.num_rows, pa.int64())
    numbers = [
        actions[name].cast(pa.int64()) if name in actions.column_names else nothing
        for name in ("num_records", "size_bytes", "min._time", "max._time")
    ]
    rows, size, low, high = numbers
    columns = [actions["path"].cast(pa.string()), pc.fill_null(rows, 0), size, low, high]
    return pa.table(columns, names=["path", "rows", "size", "low", "high"])


def list_removed(table: Storage, after: int, last: int) -> set[str]:
    """The names of the files that left a table after a version, up to another one.

    Raises:
        EscudoError: LAK006 if an entry of its log cannot be read.
    """
    log = table.below("_delta_log")
    removed: set[str] = set()
    for number in range(after + 1, last + 1):
        try:
            actions = [json.loads(line) for line in log.read(_name_entry(number)).splitlines()]
            removed |= {unquote(a["remove"]["path"]) for a in actions if "remove" in a}
        except (OSError, ValueError, KeyError, TypeError) as error:
            what = f"cannot be read at version {number}"
            raise explain_log_error(table.name, what, error) from error
    return removed


def _read_actions(table: Storage, version: int) -> pa.Table:
    try:
        return pa.table(_open(table, version).get_add_actions(flatten=True))
    except _LOG_ERRORS as error:
        what = f"cannot be opened at version {version}"
        raise explain_log_error(table.name, what, error) from error


def find_last_version(table: Storage) -> int:
    """The last version of a table's log, acknowledged or not."""
    try:
        return int(_open(table).version())
    except _LOG_ERRORS as error:
        raise explain_log_error(table.name, "cannot be opened", error) from error


def _open_for_writing(table: Storage, schema: pa.Schema, pinned: int | None) -> DeltaTable:
    try:
        if pinned is None:
            if table.path is not None:
                table.path.mkdir(parents=True, exist_ok=True)
            options = table.options
            opened = DeltaTable.create(
                table.url if table.path is None else table.path,
                Schema.from_arrow(schema),
                mode="ignore",
                storage_options=None if options is None else dict(options),
            )
        else:
            opened = _open(table)
        base = pinned or 0
        if opened.version() < base:
            raise EscudoError(
                "LAK006",
                f"table {table.name} is at version {opened.version()}, the ledger has {base}",
            )
        if opened.version() > base:
            opened.restore(base, post_commithook_properties=_NO_HOOKS, commit_properties=_STRICT)
            opened = _open(table)
    except _LOG_ERRORS as error:
        raise explain_log_error(table.name, "cannot be opened for writing", error) from error
    return opened


def _widen(opened: DeltaTable, schema: pa.Schema, name: str) -> None:
    """Adds the columns that a table lacks; LAK008 for one that it has with another type."""
    present = {f.name: f.type for f in opened.schema().fields}
    wanted = Schema.from_arrow(schema).fields
    for column in wanted:
        if present.get(column.name, column.type) != column.type:
            raise EscudoError("LAK008", f"table {name}, column {column.name} has another type")
    missing = [f for f in wanted if f.name not in present]
    if missing:
        opened.alter.add_columns(
            missing, post_commithook_properties=_NO_HOOKS, commit_properties=_STRICT
        )
        opened.update_incremental()


def _statistics(file: DataFile) -> str:
    """The statistics of an add action, in whole milliseconds as the Delta protocol has them."""
    stats: dict[str, object] = {"numRecords": file.rows}
    if file.low is not None and file.high is not None:
        stats["minValues"] = {"_time": _instant(file.low // 1000)}
        stats["maxValues"] = {"_time": _instant(-(-file.high // 1000))}
        stats["nullCount"] = {"_time": 0}
    return json.dumps(stats)


def _instant(millis: int) -> str:
    instant = pa.scalar(millis, pa.timestamp("ms")).cast(pa.string()).as_py()
    return str(instant).replace(" ", "T") + "Z"


def unwritable(place: object, error: OSError) -> EscudoError:
    """The error for a folder that cannot be written to."""
    # Arrow's errors have its own text where the system's should be.
    words = os.strerror(error.errno) if error.errno else "it cannot be written"
    return EscudoError("LAK013", f"{place}: {words}")


def explain_log_error(table: str, what: str, error: Exception) -> EscudoError:
    """The error for a table's log: LAK013 where the machine is at fault, STO001 and STO002 where a
    storage elsewhere is, LAK006 the log itself.

    The library's own text is about its insides; only what it says of the disk is told.
    """
    text = str(error).lower()
    if any(words in text for words in _REFUSED):
        return EscudoError("STO002", f"table {table}: no right to this")
    if any(words in text for words in _FAILING):
        return EscudoError("STO001", f"table {table}: the storage of its log does not answer")
    for words in _MACHINE:
        if words in text:
            return EscudoError("LAK013", f"table {table}: {words}")
    return EscudoError("LAK006", f"table {table} {what}: its log is missing or damaged")


def sync(file: Path) -> None:
    """Waits until a file's content is on the disk."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
