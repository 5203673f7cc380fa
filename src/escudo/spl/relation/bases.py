"""Where the rows of a relation come from: a table at hand, a query, rows not known yet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.relation.gathered import Gathered
from escudo.spl.relation.identifiers import Names
from escudo.spl.relation.scans import NEVER, Needs, Scan, aggregate_needs, either
from escudo.spl.relation.sql import alias, cast_to, select, table
from escudo.spl.relation.values import Bound


class Readable(Protocol):
    """What a query reads beside its own base: another relation."""

    def scans(self) -> Iterator[Scan]: ...

    def needs(self) -> Needs: ...


class Base(ABC):
    """The bottom of a relation: it may still gain columns."""

    @property
    def rest(self) -> str | None:
        """Identifier of the ``map<text, text>`` of fields without a name of their own."""
        return None

    @abstractmethod
    def names(self) -> Iterator[str]:
        """The fields known by name, internal ones left out."""

    @abstractmethod
    def demand(self, name: str) -> Bound | None:
        """The column of a field, read from now on; None if it cannot be there."""

    def show(self, name: str) -> Bound | None:
        """The same where all fields and the rest map are read anyway."""
        return self.demand(name)

    def possible(self, name: str) -> frozenset[str] | None:
        """The only values that a field can hold here; None if it is not bounded."""
        return None

    def definition(self, ident: str) -> exp.Expression | None:
        """What a column is computed from; None if it is stored, or not known here."""
        return None

    @property
    def settled(self) -> tuple[str, ...]:
        """Columns that are the same in each of the rows that one of these was made of: what filters
        by them may as well filter those, in the same SELECT."""
        return ()

    @property
    def distinct_by(self) -> frozenset[str]:
        """Columns in which no two rows are the same; none: there may be such rows."""
        return frozenset()

    @property
    def row_wise(self) -> bool:
        """Whether each row is made of one row of a table: some can be read without others."""
        return False

    @abstractmethod
    def scans(self) -> Iterator[Scan]: ...

    def needs(self) -> Needs:
        """What must be stored if there are to be rows. Asked when all is bound."""
        return ()

    @abstractmethod
    def render(self) -> exp.Select: ...


@dataclass(eq=False)
class TableBase(Base):
    """Rows that are already there: an Arrow table that the query reads by name."""

    name: str
    fields: Mapping[str, Bound]
    empty: bool = False
    """Whether it is known, whatever the data, that there are no rows."""
    lasting: bool = False
    """Whether no search writes them: they are the same when another search runs."""

    def names(self) -> Iterator[str]:
        return iter(self.fields)

    def demand(self, name: str) -> Bound | None:
        return self.fields.get(name)

    def scans(self) -> Iterator[Scan]:
        return iter(())

    def needs(self) -> Needs:
        return NEVER if self.empty else ()

    def render(self) -> exp.Select:
        return select([], table(self.name), star=True)


@dataclass(eq=False)
class OpenBase(Base):
    """Rows whose fields are not known: each that is asked for is null text."""

    name: str
    fields: dict[str, Bound]
    alloc: Names
    made_of: tuple[Readable, ...] = ()
    """There are rows only where one of these has some; none of them: that is not known."""

    def names(self) -> Iterator[str]:
        return iter(self.fields)

    def demand(self, name: str) -> Bound | None:
        if name not in self.fields:
            kind = FieldType.TIME if name == "_time" else FieldType.STRING
            self.fields[name] = Bound(self.alloc.fresh(name), kind)
        return self.fields[name]

    def scans(self) -> Iterator[Scan]:
        return iter(())

    def needs(self) -> Needs:
        if not self.made_of:
            return ()
        return aggregate_needs(reduce(either, (source.needs() for source in self.made_of)))

    def render(self) -> exp.Select:
        nothing = [alias(cast_to(exp.null(), b.type), b.ident) for b in self.fields.values()]
        return select(nothing, table(self.name), star=True)


@dataclass(frozen=True)
class LateProof:
    """What proves the rows of a query can be asked of it last: ``columns`` are those that hold it.

    ``pays``: whether that takes less time where few rows are left. ``render`` gives the query
    without them; ``attach`` gives rows that are left of it, with them.
    """

    columns: frozenset[str]
    pays: Callable[[], bool]
    render: Callable[[], exp.Select]
    attach: Callable[[exp.Select], exp.Select]


@dataclass(eq=False)
class QueryBase(Base):
    """A query over other relations with a fixed set of columns; rendered when all is bound."""

    build: Callable[[], exp.Select]
    inputs: tuple[Readable, ...]
    fields: Mapping[str, Bound]
    keeps_empty: bool = False
    """Whether it gives no row where its first input has none."""
    counts: tuple[str, ...] | None = None
    """Identifiers that count rows of it, where each of its rows was made of some of them; None:
    there may be more rows than before."""
    keys: tuple[str, ...] = ()
    """Identifiers that are the same in each of the rows of the first input that one was made of."""
    gathered: tuple[tuple[str, Gathered], ...] = ()
    """Identifiers of lists of values that rows of the first input had."""
    distinct: bool = False
    """Whether no two of its rows have the same ``keys``."""
    late_proof: LateProof | None = None

    @property
    def settled(self) -> tuple[str, ...]:
        return self.keys

    @property
    def distinct_by(self) -> frozenset[str]:
        return frozenset(self.keys if self.distinct else ())

    def names(self) -> Iterator[str]:
        return iter(self.fields)

    def demand(self, name: str) -> Bound | None:
        return self.fields.get(name)

    def scans(self) -> Iterator[Scan]:
        return (s for r in self.inputs for s in r.scans())

    def needs(self) -> Needs:
        if not self.keeps_empty:
            return ()
        return aggregate_needs(self.inputs[0].needs(), self.counts, self.keys, self.gathered)

    def render(self) -> exp.Select:
        return self.build()
