"""What a search asks to be changed: lookups, indexes, models. Binding records it, and the caller
carries it out (``lake.effects``) or does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from escudo.spl.relation.values import number_text


@dataclass(frozen=True)
class LookupOutput:
    """``outputlookup``: rows (text, or lists of text) for a lookup.

    ``append`` adds to what is there. ``key_field`` names the field by which rows of a collection
    are replaced (with ``allow_updates``; else those that are there stay). ``multivalues`` keeps
    the values of a field apart in a file, too. Without rows, ``override_if_empty`` takes away what
    is there, and ``create_empty`` puts an empty table in its place.
    """

    lookup: str
    rows: pa.Table
    append: bool = False
    key_field: str | None = None
    allow_updates: bool = True
    override_if_empty: bool = True
    create_empty: bool = False
    multivalues: bool = False


@dataclass(frozen=True)
class IndexOutput:
    """``collect``: events (``spl.stash``) for an index; ``source`` may be null in them, then the
    name of the search goes there."""

    index: str
    rows: pa.Table


@dataclass(frozen=True)
class Deletion:
    """``delete``: events, by ``_event_id``, that no search shall find any more."""

    event_ids: Sequence[int]


@dataclass(frozen=True)
class ModelOutput:
    """``fit ... into``: a model under its name, as bytes that ``apply`` reads."""

    model: str
    content: bytes


Effect = LookupOutput | IndexOutput | Deletion | ModelOutput


def as_texts(rows: pa.Table) -> pa.Table:
    """The rows with all cells as text, or as lists of text where a field has several values.

    >>> as_texts(pa.table({"a": [1.0, None], "b": [["x", "y"], ["z"]]})).to_pylist()
    [{'a': '1', 'b': ['x', 'y']}, {'a': None, 'b': ['z']}]
    """
    return pa.table({name: _texts(rows[name]) for name in rows.column_names})


def _texts(column: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_integer(kind):
        return column.cast(pa.string())
    if kind == pa.list_(pa.string()) and not pc.list_flatten(column).null_count:
        return column
    cells = column.to_pylist()
    if not any(isinstance(c, list) for c in cells):
        return pa.array(map(text_of, cells), pa.string())
    lists = [None if c is None else [text_of(v) for v in c if v is not None] for c in cells]
    return pa.array(lists, pa.list_(pa.string()))


def text_of(value: object) -> str | None:
    """One value as SPL prints it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value)
    return None if value is None else str(value)
