"""Numbers -> columns of text (hex digits, times), without a Python object for a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

_UPPER = np.frombuffer("".join(f"{i:02X}" for i in range(256)).encode(), np.uint8).reshape(256, 2)
_LOWER = np.frombuffer("".join(f"{i:02x}" for i in range(256)).encode(), np.uint8).reshape(256, 2)


def fixed(matrix: Bytes) -> pl.Series:
    """Each row of a matrix of ASCII bytes as a text.

    >>> fixed(np.array([[97, 98], [99, 100]], np.uint8)).to_list()
    ['ab', 'cd']
    """
    rows, width = matrix.shape
    offsets = np.arange(0, (rows + 1) * width, width or 1, dtype=np.int64)[: rows + 1]
    data = pa.py_buffer(np.ascontiguousarray(matrix))
    array = pa.Array.from_buffers(pa.large_string(), rows, [None, pa.py_buffer(offsets), data])
    return pl.Series(array, dtype=pl.String)


def hex_digits(data: Bytes, *, upper: bool = True) -> Bytes:
    """The hex digits of each row of bytes: (n, k) -> (n, 2k).

    >>> fixed(hex_digits(np.array([[1, 171]], np.uint8))).to_list()
    ['01AB']
    """
    table = _UPPER if upper else _LOWER
    return table[data].reshape(len(data), -1)


def big_endian(values: Ints, size: int) -> Bytes:
    """The last ``size`` bytes of each number, the most significant first."""
    return values.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - size :]


def numbers(values: Ints) -> pl.Series:
    """Decimal text."""
    return pl.Series(values).cast(pl.String)


def gather(table: pl.Series, index: NDArray[Any]) -> pl.Series:
    """The entry of a table for each row."""
    return table.gather(index)


def joined(parts: Sequence[pl.Series | str], rows: int) -> pl.Series:
    """Concatenate columns and constants, row by row.

    >>> joined(["<", pl.Series(["a", "b"]), ">"], 2).to_list()
    ['<a>', '<b>']
    """
    columns: dict[str, pl.Series] = {}
    exprs: list[pl.Expr] = []
    for i, part in enumerate(parts):
        if isinstance(part, str):
            exprs.append(pl.lit(part))
        else:
            columns[str(i)] = part
            exprs.append(pl.col(str(i)))
    if not columns:
        return pl.repeat("".join(p for p in parts if isinstance(p, str)), rows, eager=True)
    return pl.DataFrame(columns).select(pl.concat_str(exprs).alias("text")).to_series()


def system_times(ns: Ints) -> pl.Series:
    """``2020-10-08T11:03:46.617920300Z``: Windows event times as Splunk receives them."""
    return pl.Series(ns).cast(pl.Datetime("ns")).dt.to_string("%Y-%m-%dT%H:%M:%S%.9fZ")


def micro_times(ns: Ints) -> pl.Series:
    """``2020-10-08T11:03:46.617920Z``: the same as EVTX tools print it."""
    return pl.Series(ns).cast(pl.Datetime("ns")).dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")


def utc_times(ns: Ints) -> pl.Series:
    """``2020-10-08 11:03:46.615``: Sysmon's ``UtcTime``."""
    return pl.Series(ns).cast(pl.Datetime("ns")).dt.to_string("%Y-%m-%d %H:%M:%S%.3f")


def process_guids(machine: Ints, ns: Ints, sequence: Ints) -> pl.Series:
    """Sysmon's process GUIDs without braces: machine, start in seconds, process sequence number.

    Layout as seen in Sysmon events: the second and third group hold the start time (low half
    first), the last 8 bytes the sequence number, little end first, and a constant.

    >>> process_guids(np.array([0x96128EA2]), np.array([0x5F7EF212 * 10**9]), np.array([228]))[0]
    '96128EA2-F212-5F7E-E400-000000007F01'
    """
    rows = len(ns)
    digits = np.empty((rows, 16), np.uint8)
    seconds = big_endian(ns // 10**9, 4)
    digits[:, 0:4] = big_endian(machine, 4)
    digits[:, 4:6] = seconds[:, 2:4]
    digits[:, 6:8] = seconds[:, 0:2]
    digits[:, 8:12] = big_endian(sequence, 4)[:, ::-1]
    digits[:, 12:16] = (0, 0, 0x7F, 0x01)
    return fixed(dashed(hex_digits(digits)))


def dashed(digits: Bytes) -> Bytes:
    """32 hex digits as a GUID of 36 characters."""
    out = np.full((len(digits), 36), ord("-"), np.uint8)
    out[:, 0:8] = digits[:, 0:8]
    out[:, 9:13] = digits[:, 8:12]
    out[:, 14:18] = digits[:, 12:16]
    out[:, 19:23] = digits[:, 16:20]
    out[:, 24:36] = digits[:, 20:32]
    return out
