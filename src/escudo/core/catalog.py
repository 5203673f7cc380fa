"""What the language asks of the world: tables and files, macros, lookups, searches.

A lake and content answer; so do the tables of tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import pyarrow as pa

from escudo.core.errors import Span
from escudo.core.field_rules import FieldRules
from escudo.core.schema import TableSchema
from escudo.core.timerange import TimeRange


class Catalog(Protocol):
    """Names -> schemas and files. A lake is one; a test's table of rows is another."""

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None:
        """The table of a data model's dataset (the root dataset where None); None if unknown.

        Model and dataset names are matched without regard to case, as Splunk does.
        """
        ...

    def datasets(self) -> Sequence[tuple[str, str]]:
        """All (model, dataset) names, for suggestions and the ``datamodel`` command."""
        ...

    def raw_tables(self) -> Sequence[TableSchema]:
        """The tables of raw events, one a source family."""
        ...

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        """The Parquet files of a table that can hold events of a time range."""
        ...


@dataclass(frozen=True)
class CatalogView:
    """A catalog as it is; kinds of views answer one or the other question in another way."""

    catalog: Catalog

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None:
        return self.catalog.dataset(model, dataset)

    def datasets(self) -> Sequence[tuple[str, str]]:
        return self.catalog.datasets()

    def raw_tables(self) -> Sequence[TableSchema]:
        return self.catalog.raw_tables()

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        return self.catalog.files(table, within)


@dataclass(frozen=True)
class OtherRawTables(CatalogView):
    """A catalog with other tables of raw events, or the same with other schemas."""

    raw: Sequence[TableSchema]

    def raw_tables(self) -> Sequence[TableSchema]:
        return self.raw


@dataclass(frozen=True, slots=True)
class TableVersion:
    """A table at rest in Delta's format, and the version of its log that is to be read."""

    location: str
    version: int


@runtime_checkable
class VersionedCatalog(Catalog, Protocol):
    """A catalog whose tables have Delta logs: the same files, as another reader finds them."""

    def version(self, table: str) -> TableVersion | None:
        """A table's log and version; None where it has no rows yet."""
        ...


@dataclass(frozen=True)
class Macro:
    """A search macro: ``name(arguments)`` -> text, or an eval expression that yields the text."""

    name: str
    definition: str
    arguments: tuple[str, ...] = ()
    is_eval: bool = False
    span: Span | None = None


@dataclass(frozen=True)
class Lookup:
    """A lookup definition (transforms.conf) over a CSV file or a KV-store collection.

    ``match_types`` gives ``WILDCARD`` or ``CIDR`` for a field; the others are exact. Cells of a
    ``verbatim`` file count with the blanks around them; elsewhere those are not meant. ``writer``
    is the search of the content that writes it: until that has run, it has no rows.
    """

    name: str
    path: str | None = None
    collection: str | None = None
    fields: tuple[str, ...] = ()
    match_types: Mapping[str, str] = field(default_factory=dict)
    case_sensitive: bool = True
    min_matches: int = 0
    max_matches: int = 1000
    default_match: str | None = None
    verbatim: bool = False
    writer: str | None = None
    span: Span | None = None


class Knowledge(Protocol):
    """The knowledge objects a search may name."""

    def macro(self, name: str, arity: int) -> Macro | None: ...

    def macros(self) -> Sequence[tuple[str, int]]:
        """All (name, arity), for suggestions."""
        ...

    def lookup(self, name: str) -> Lookup | None: ...

    def lookups(self) -> Sequence[str]: ...

    def saved_search(self, name: str) -> str | None:
        """The SPL of a saved search (``| savedsearch``, ``| from savedsearch:``)."""
        ...

    def field_rules(self) -> FieldRules:
        """The search-time fields of events; they go over those that a table has."""
        ...

    def origins(self, field: str) -> frozenset[str]:
        """The values of ``source``, ``sourcetype`` or ``index`` that the content speaks of."""
        ...

    def model(self, name: str) -> bytes | None:
        """A model that ``fit`` has made, as ``apply`` reads it; None if there is none."""
        ...

    def job(self, name: str) -> pa.Table | None:
        """The kept results of an earlier search (``| loadjob``); None if there are none."""
        ...

    def fingerprint(self) -> bytes:
        """What tells the lookups, models and jobs there are now from those of another time."""
        ...


class KnowledgeView:
    """Knowledge as it is; kinds of views answer one or the other question in another way."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge

    def macro(self, name: str, arity: int) -> Macro | None:
        return self._knowledge.macro(name, arity)

    def macros(self) -> Sequence[tuple[str, int]]:
        return self._knowledge.macros()

    def lookup(self, name: str) -> Lookup | None:
        return self._knowledge.lookup(name)

    def lookups(self) -> Sequence[str]:
        return self._knowledge.lookups()

    def saved_search(self, name: str) -> str | None:
        return self._knowledge.saved_search(name)

    def field_rules(self) -> FieldRules:
        return self._knowledge.field_rules()

    def origins(self, field: str) -> frozenset[str]:
        return self._knowledge.origins(field)

    def model(self, name: str) -> bytes | None:
        return self._knowledge.model(name)

    def job(self, name: str) -> pa.Table | None:
        return self._knowledge.job(name)

    def fingerprint(self) -> bytes:
        return self._knowledge.fingerprint()
