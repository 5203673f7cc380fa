"""Large tables -> the same in files that are mapped into memory, so that the system may let go of
what nobody reads; who keeps many results for long calls it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable

import pyarrow as pa

LEAST_BYTES = 1 << 20
"""Bytes from which on a table goes to a file."""

MOST_HELD = 32 << 20
"""Bytes of parts that are in memory before they go to a file."""


def spool(table: pa.Table) -> pa.Table:
    """The table as it is, its values in a file without a name, which goes when the table goes.

    A small one stays in memory, and so does one for which the disk has no room.

    >>> spool(pa.table({"a": [1]})).to_pylist()
    [{'a': 1}]
    """
    if table.nbytes < LEAST_BYTES:
        return table
    handle, path = tempfile.mkstemp(prefix="escudo-", suffix=".arrow")
    try:
        with os.fdopen(handle, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        return pa.ipc.open_file(pa.memory_map(path)).read_all()
    except OSError:
        return table
    finally:
        os.unlink(path)


def spool_parts(parts: Iterable[pa.Table], empty: pa.Table) -> pa.Table:
    """The table of some parts, as ``spool``: so that few of them are in memory; ``empty`` where
    there are none.

    >>> parts = [pa.table({"a": [1]}), pa.table({"a": [2]})]
    >>> spool_parts(parts, parts[0].slice(0, 0))["a"].to_pylist()
    [1, 2]
    """
    kept: list[pa.Table] = []
    held: list[pa.Table] = []
    for part in parts:
        held.append(part)
        if sum(p.nbytes for p in held) >= MOST_HELD:
            kept.append(spool(pa.concat_tables(held)))
            held = []
    if held:
        kept.append(spool(pa.concat_tables(held)))
    return pa.concat_tables(kept) if kept else empty
