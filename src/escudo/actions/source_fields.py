"""The data sources that a detection names, what its search reads -> the fields that none of them
fills; ``validate`` asks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from escudo.cim.mapping import DatasetMapping, read_mappings
from escudo.cim.models import load as load_models
from escudo.content.elements.data_source import DataSource, split_names
from escudo.core.schema import COMMON_COLUMNS
from escudo.lake.tables import Tables
from escudo.sources import Family
from escudo.spl import Compare, InList, Search
from escudo.spl.compile import Compiled

_EVERYWHERE = frozenset(
    {"_time", "_raw", "_indextime", "index", "host", "source", "sourcetype", "eventtype", "tag"}
    | {"linecount", "punct", "splunk_server", "timestamp", "nodename"}
)
"""Fields that every event has, whatever its source."""


@dataclass(frozen=True)
class Reads:
    """What a search reads: of each table of a data model its fields, and the fields of raw events
    that its first command compares."""

    modelled: Mapping[str, frozenset[str]]
    compared: frozenset[str]


def list_reads(compiled: Compiled) -> Reads:
    """What a compiled search reads; fields that are computed from others are left out."""
    common = {c.name for c in COMMON_COLUMNS}
    modelled: dict[str, frozenset[str]] = {}
    for scan in compiled.scans:
        names = {n for n, c in scan.columns.items() if c.expr is None and n not in common}
        modelled[scan.schema.table] = modelled.get(scan.schema.table, frozenset()) | names
    first = compiled.pipeline.commands[0] if compiled.pipeline.commands else None
    compared: set[str] = set()
    if isinstance(first, Search):
        for node in first.walk(into_subsearches=False):
            if isinstance(node, Compare | InList):
                compared.add(node.field_name)
    return Reads(modelled, frozenset(compared) - _EVERYWHERE)


class SourceFields:
    """What data sources fill, by the sources that a lake knows, and by their own lists of fields.

    Args:
        sources: those of the content.
    """

    def __init__(self, tables: Tables, sources: Iterable[DataSource]) -> None:
        self._families = tables.families
        self._models = load_models()
        self._sources = {source.name: source for source in sources}
        self._mappings: dict[str, Sequence[DatasetMapping]] = {}

    def find_gaps(self, names: Iterable[str], reads: Reads) -> Iterator[str]:
        """What none of some data sources fills, in words; nothing where one of them is not known.

        Args:
            names: as a detection has them, several with ``AND`` between them.
        """
        parts = [part for name in names for part in split_names(name)]
        if not parts or any(part not in self._sources for part in parts):
            return
        sources = [self._sources[part] for part in parts]
        yield from self._find_raw_gaps(sources, reads.compared)
        families = [self._find_family(source) for source in sources]
        known = [(s, f) for s, f in zip(sources, families, strict=True) if f is not None]
        if len(known) < len(sources):
            return
        for table, fields in reads.modelled.items():
            yield from self._find_model_gaps(known, table, fields)

    def _find_raw_gaps(
        self, sources: Sequence[DataSource], compared: frozenset[str]
    ) -> Iterator[str]:
        if not compared or not all(source.fields for source in sources):
            return
        filled = {name for source in sources for name in source.fields}
        for source in sources:
            family = self._find_family(source)
            filled |= set(family.schema.by_name) if family is not None else set()
        missing = sorted(compared - filled)
        if missing:
            yield f"none of the data sources lists the field {', '.join(missing)}"

    def _find_model_gaps(
        self, known: Sequence[tuple[DataSource, Family]], table: str, fields: frozenset[str]
    ) -> Iterator[str]:
        root = next((d for d in self._models.roots() if d.schema.table == table), None)
        if root is None or root.schema.rest is not None:
            return
        title = f"{root.model}.{root.name}"
        mappings = [m for s, f in known for m in self._list_mappings(f, s, table)]
        if not mappings:
            yield f"none of the data sources gives events of {title}"
            return
        filled = {name for mapping in mappings for name in mapping.fields}
        mapped = {n for f in self._families.values() for n in self._list_filled(f, table)}
        missing = sorted((fields & mapped) - filled)
        if missing:
            yield f"none of the data sources fills {', '.join(missing)} of {title}"

    def _list_filled(self, family: Family, table: str) -> Iterator[str]:
        for mapping in self._read_mappings(family):
            if mapping.dataset.schema.table == table:
                yield from mapping.fields

    def _list_mappings(
        self, family: Family, source: DataSource, table: str
    ) -> Iterator[DatasetMapping]:
        """The entries of a source by which its events become rows of a table: all of them where it
        does not say which events they are."""
        mappings = self._read_mappings(family)
        kind = source.separator_value or source.name.split()[-1]
        known = {value for m in mappings for values in m.events.values() for value in values}
        named = source.separator_value or kind in known or re.search(r"\d", kind)
        for mapping in mappings:
            wanted = mapping.events.values()
            if mapping.dataset.schema.table == table and (
                not named or not wanted or any(kind in values for values in wanted)
            ):
                yield mapping

    def _read_mappings(self, family: Family) -> Sequence[DatasetMapping]:
        if family.name not in self._mappings:
            self._mappings[family.name] = read_mappings(family, self._models)
        return self._mappings[family.name]

    def _find_family(self, source: DataSource) -> Family | None:
        """The source of the lake whose events have this source and sourcetype."""
        named = (source.source.lower(), source.sourcetype.lower())
        for family in self._families.values():
            if (family.source.lower(), family.sourcetype.lower()) == named:
                return family
        return None
