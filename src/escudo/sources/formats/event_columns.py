"""Dictionaries of fields -> columns: the way of events that no fast path takes; XML, JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from escudo.sources.events import Events
from escudo.sources.formats.xml_element import Field


def build_events(rows: Sequence[Mapping[str, Field]], raws: Sequence[str]) -> Events:
    """The events as columns, in the order of the first event that has a field.

    >>> build_events([{"a": "1"}, {"b": ["x", "y"]}], ["one", "two"]).fields["a"].to_pylist()
    ['1', None]
    """
    return Events(build_columns(rows), pa.array(raws, pa.string()))


def build_columns(rows: Sequence[Mapping[str, Field]]) -> dict[str, pa.Array]:
    """A string or list<string> array for each field; null where a row lacks it."""
    cells: dict[str, tuple[list[int], list[Field]]] = {}
    for number, row in enumerate(rows):
        for name, value in row.items():
            held = cells.get(name)
            if held is None:
                held = cells[name] = ([], [])
            held[0].append(number)
            held[1].append(value)
    return {name: _column(*held, len(rows)) for name, held in cells.items()}


def _column(numbers: list[int], values: list[Field], size: int) -> pa.Array:
    if any(isinstance(v, list) for v in values):
        lists = [[v] if isinstance(v, str) else v for v in values]
        column = pa.array(lists, pa.list_(pa.string()))
    else:
        column = pa.array(values, pa.string())
    if len(numbers) == size:
        return column
    place = np.zeros(size, dtype=np.int64)
    place[numbers] = np.arange(len(numbers))
    missing = np.ones(size, dtype=bool)
    missing[numbers] = False
    return column.take(pa.array(place, mask=missing))
