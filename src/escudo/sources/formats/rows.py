"""From dictionaries of fields to columns: the way of events that no fast path takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from escudo.sources.assemble import Events
from escudo.sources.formats.xml_element import Field


def from_rows(rows: Sequence[Mapping[str, Field]], raws: Sequence[str]) -> Events:
    """The events as columns, in the order of the first event that has a field.

    >>> from_rows([{"a": "1"}, {"b": ["x", "y"]}], ["one", "two"]).fields["a"].to_pylist()
    ['1', None]
    """
    return Events(columns_of(rows), pa.array(raws, pa.string()))


def columns_of(rows: Sequence[Mapping[str, Field]]) -> dict[str, pa.Array]:
    """A string or list<string> array for each field; null where a row lacks it."""
    names: dict[str, bool] = {}
    for row in rows:
        for name, value in row.items():
            names[name] = names.get(name, False) or isinstance(value, list)
    fields = {}
    for name, multivalue in names.items():
        values: list[Field | None] = [row.get(name) for row in rows]
        if multivalue:
            lists = [[v] if isinstance(v, str) else v for v in values]
            fields[name] = pa.array(lists, pa.list_(pa.string()))
        else:
            fields[name] = pa.array(values, pa.string())
    return fields
