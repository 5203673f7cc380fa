"""A kernel is a row: a name, its types, and the function of plain values behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

TEXT = pa.string()
NUMBER = pa.float64()
INTEGER = pa.int64()
BOOLEAN = pa.bool_()
LIST = pa.list_(pa.string())


@dataclass(frozen=True)
class Kernel:
    """``function`` takes one plain value for each argument (never None) and gives one or None.

    Equal arguments are computed once a batch; a batch of detections' rows repeats its values.
    """

    name: str
    takes: tuple[pa.DataType, ...]
    gives: pa.DataType
    function: Callable[..., Any]

    def __call__(self, *columns: pa.Array) -> pa.Array:
        """The result for each row of the columns; null where one holds a null.

        >>> Kernel("twice", (TEXT,), TEXT, lambda s: s + s)(pa.array(["a", None])).to_pylist()
        ['aa', None]
        """
        function = self.function
        known: dict[tuple[Any, ...], Any] = {}
        out: list[Any] = []
        for row in zip(*(c.to_pylist() for c in columns), strict=True):
            key = tuple(map(_hashable, row))
            if key not in known:
                known[key] = None if any(map(_is_null, row)) else function(*row)
            out.append(known[key])
        return pa.array(out, type=self.gives)


def _is_null(value: Any) -> bool:
    """Whether an argument, or one of the values of a list, is null."""
    return value is None or (isinstance(value, list) and None in value)


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
