"""What a search asks to be changed: lookups, indexes. Binding only records it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from escudo.core.schema import MV_SEPARATOR
from escudo.spl import coerce


@dataclass(frozen=True)
class LookupOutput:
    """``outputlookup``: rows (all text) for a lookup. ``key_field`` names the field by which rows
    of a collection are replaced; ``append`` adds to what is there."""

    lookup: str
    rows: pa.Table
    append: bool = False
    key_field: str | None = None
    override_if_empty: bool = True
    create_empty: bool = True


@dataclass(frozen=True)
class IndexOutput:
    """``collect``: rows to become events of an index."""

    index: str
    rows: pa.Table
    source: str | None = None
    sourcetype: str = "stash"
    host: str | None = None
    marker: str | None = None


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


def plain_text(rows: pa.Table) -> pa.Table:
    """The rows with all cells as text; several values are joined by ``MV_SEPARATOR``.

    >>> plain_text(pa.table({"a": [1.0, None], "b": [["x", "y"], ["z"]]})).to_pylist()
    [{'a': '1', 'b': 'x\\x1ey'}, {'a': None, 'b': 'z'}]
    """
    columns = {n: pa.array(map(_text, rows[n].to_pylist()), pa.string()) for n in rows.column_names}
    return pa.table(columns)


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, list):
        return MV_SEPARATOR.join(v for v in map(_text, value) if v is not None)
    if isinstance(value, int | float):
        return coerce.number_text(value)
    return str(value)
