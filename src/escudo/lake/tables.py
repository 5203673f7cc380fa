"""Sources and data models -> the tables of a lake, and how each is written; who opens one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from escudo.cim import models
from escudo.cim.compile import check_family
from escudo.cim.entity_lists import read_lists
from escudo.cim.models import Models
from escudo.core.errors import EscudoError
from escudo.core.schema import RAW_COLUMNS, RAW_REST, TableSchema
from escudo.lake.layout import Layout, build_layout
from escudo.sources import Families, load_families

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
        families: the sources whose events the lake takes.
        raw: the tables of raw events.
        modelled: the tables of data models (a table that several datasets share is there once).
        sort: table -> the fields that its rows are sorted by within an hour.
    """

    models: DataModels
    families: Families
    raw: tuple[TableSchema, ...]
    modelled: tuple[TableSchema, ...] = ()
    sort: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def layout(self, table: str) -> Layout:
        """How a table's files are written; LAK008 for a table that no schema names."""
        if table not in self._layouts:
            schema = self._schemas.get(table)
            if schema is None:
                raise EscudoError("LAK008", f"no schema names a table {table}")
            self._layouts[table] = build_layout(schema, self.sort.get(table, ()))
        return self._layouts[table]

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Those of some tables that no schema names."""
        return [name for name in names if name not in self._schemas]

    def __iter__(self) -> Iterator[TableSchema]:
        yield from self.raw
        yield from self.modelled

    def __post_init__(self) -> None:
        object.__setattr__(self, "_schemas", {s.table: s for s in self})

    _schemas: Mapping[str, TableSchema] = field(init=False, repr=False, compare=False)
    _layouts: dict[str, Layout] = field(init=False, repr=False, compare=False, default_factory=dict)


def load_tables(source_folders: Sequence[Path] = ()) -> Tables:
    """The tables of Escudo's own sources and data models, and of the sources in some folders.

    Lists of assets and identities in these folders fill rows of the data models.

    It takes 30 to 100 ms, most of it the first time: load them once, for all lakes.

    Raises:
        EscudoError: SRC002, SRC050 to SRC053, CIM010 to CIM012 with the place of what is wrong in
            a source's file; CIM020 for a list.
    """
    families = load_families(source_folders)
    loaded = models.load()
    if (lists := read_lists(source_folders)) is not None:
        loaded = loaded.with_lists(lists)
    for family in families.own:
        check_family(family, loaded)
    return build_tables(families, loaded)


def build_tables(families: Families, loaded: Models) -> Tables:
    """The tables of some sources and data models, and of what searches and findings write.

    Raises:
        EscudoError: SRC051 for a source whose table the lake has for itself.
    """
    roots = list(loaded.roots())
    raw = {f.schema.table: f.schema for f in families.values()}
    reserved = [d.schema for d in roots if d.schema.rest is not None]
    reserved += [TableSchema(t, RAW_COLUMNS, rest=RAW_REST) for t in (NOTABLE, STASH)]
    for schema in reserved:
        if schema.table in raw:
            name = schema.table.removeprefix("raw_")
            message = f"the lake has a table {schema.table!r} of its own; name the source otherwise"
            raise families[name].definition.error("SRC051", message, "name")
    raw |= {s.table: s for s in reversed(reserved)}
    return Tables(
        models=loaded,
        families=families,
        raw=tuple(raw.values()),
        modelled=tuple(d.schema for d in roots if d.schema.rest is None),
        sort={d.schema.table: d.sort for d in roots},
    )
