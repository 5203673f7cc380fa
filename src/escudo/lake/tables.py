"""Which tables a lake has, and how each is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

from escudo.cim import models
from escudo.core.schema import RAW_COLUMNS, RAW_REST, TableSchema
from escudo.lake.layout import Layout, layout_of
from escudo.sources import families

RISK = "raw_risk"
NOTABLE = "raw_notable"
STASH = "raw_stash"
"""What ``collect`` writes, whatever index it names."""


class DataModels(Protocol):
    """The data models as a catalog needs them; ``cim.models.Models`` is one."""

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None: ...

    def datasets(self) -> Sequence[tuple[str, str]]: ...


@dataclass(frozen=True)
class Tables:
    """The tables that can be in a lake.

    Attributes:
        models: names -> datasets.
        raw: the tables of raw events.
        modelled: the tables of data models (a table that several datasets share is there once).
        sort: table -> the fields that its rows are sorted by within an hour.
    """

    models: DataModels
    raw: tuple[TableSchema, ...]
    modelled: tuple[TableSchema, ...] = ()
    sort: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def layout(self, table: str) -> Layout:
        """How a table's files are written; KeyError for a table that no schema names."""
        return self._layouts[table]

    def __iter__(self) -> Iterator[TableSchema]:
        yield from self.raw
        yield from self.modelled

    def __post_init__(self) -> None:
        layouts = {s.table: layout_of(s, self.sort.get(s.table, ())) for s in self}
        object.__setattr__(self, "_layouts", layouts)

    _layouts: Mapping[str, Layout] = field(init=False, repr=False, compare=False)


@cache
def installed() -> Tables:
    """The tables of the installed source families and data models, and of what findings write."""
    loaded = models.load()
    roots = list(loaded.roots())
    raw = {f.schema.table: f.schema for f in families().values()}
    raw |= {d.schema.table: d.schema for d in roots if d.schema.rest is not None}
    for table in (NOTABLE, STASH):
        raw.setdefault(table, TableSchema(table, RAW_COLUMNS, rest=RAW_REST))
    return Tables(
        models=loaded,
        raw=tuple(raw.values()),
        modelled=tuple(d.schema for d in roots if d.schema.rest is None),
        sort={d.schema.table: d.sort for d in roots},
    )
