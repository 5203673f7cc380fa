"""What a bound search is: a relation of typed fields over a SQLGlot query.

A relation only ever gains SQL columns: ``eval`` over an existing field allocates a new identifier
and maps the field to it, and every row-wise step is ``SELECT *, expr AS ident FROM (...)``. So a
field that is first asked for late in the pipeline can still be added to the scan at the bottom
(``Relation.field`` -> ``Base.demand`` -> ``Scan.columns``), and a scan reads exactly the columns
that are used. SQL is rendered last, from the base upwards.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from escudo.core.schema import Column, FieldType, TableSchema
from escudo.core.timerange import TimeRange
from escudo.spl.ast import EvalExpr


@dataclass(frozen=True)
class Typed:
    """A scalar SQL expression with its SPL type."""

    sql: exp.Expression
    type: FieldType


@dataclass(frozen=True)
class Bound:
    """A field of a relation: its SQL identifier there, and its type.

    ``lower`` is the identifier of a lower-cased copy of the same values, where one exists;
    ``stamp`` that of the same time as a SQL timestamp, whose order is that of the field.
    """

    ident: str
    type: FieldType
    lower: str | None = None
    stamp: str | None = None

    def typed(self) -> Typed:
        return Typed(column(self.ident), self.type)


@dataclass
class Scan:
    """A read of one table; ``name`` is its placeholder table in the SQLGlot tree.

    ``columns`` (SPL name -> column) grows by demand while the search is bound; the engine replaces
    the placeholder by the files that the catalog gives for ``within``.
    """

    name: str
    schema: TableSchema
    within: TimeRange
    columns: dict[str, Column] = field(default_factory=dict)


@dataclass(frozen=True)
class Order:
    """One key of the order in which SPL's rows arrive; nulls are last in both directions.

    ``number`` is a numeric expression of the same order, where there is one. ``arrival`` marks a
    stored time and the event id after it: together they are one key, ``spl_arrival``.
    """

    sql: exp.Expression
    descending: bool = False
    number: exp.Expression | None = None
    arrival: bool = False

    def ordered(self, *, reverse: bool = False) -> exp.Ordered:
        desc = self.descending != reverse
        return exp.Ordered(this=self.sql.copy(), desc=desc, nulls_first=reverse)


_UNCLEAN = re.compile(r"[^A-Za-z0-9]")


class Names:
    """Allocates SQL identifiers, unique without regard to case.

    >>> names = Names()
    >>> names.fresh("firstTime"), names.fresh("FIRSTTIME"), names.fresh("a b.c")
    ('firstTime$1', 'FIRSTTIME$2', 'a_b_c$3')
    """

    def __init__(self) -> None:
        self._count = 0

    def fresh(self, name: str) -> str:
        self._count += 1
        return f"{_UNCLEAN.sub('_', name[:40])}${self._count}"


def identifier(ident: str) -> exp.Identifier:
    return exp.Identifier(this=ident, quoted=True)


def column(ident: str) -> exp.Column:
    return exp.Column(this=identifier(ident))


def alias(sql: exp.Expression, ident: str) -> exp.Alias:
    return exp.Alias(this=sql, alias=identifier(ident))


def table(name: str) -> exp.Table:
    return exp.Table(this=identifier(name))


def select(
    expressions: Sequence[exp.Expression], source: exp.Expression, *, star: bool = False
) -> exp.Select:
    """``SELECT [*,] expressions FROM source``; a query becomes a subquery."""
    if isinstance(source, exp.Query) and not isinstance(source, exp.Subquery | exp.Table):
        source = exp.Subquery(this=source, alias=exp.TableAlias(this=identifier("q")))
    items = [exp.Star(), *expressions] if star else list(expressions)
    return exp.Select(expressions=items, from_=exp.From(this=source))


def conjunction(conditions: Iterable[exp.Expression]) -> exp.Expression | None:
    out: exp.Expression | None = None
    for c in conditions:
        wrapped = exp.Paren(this=c) if isinstance(c, exp.Or) else c
        out = wrapped if out is None else exp.And(this=out, expression=wrapped)
    return out


# --- where rows come from ---------------------------------------------------------------------


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
    def row_wise(self) -> bool:
        """Whether each row is made of one row of a table: some can be read without others."""
        return False

    @abstractmethod
    def scans(self) -> Iterator[Scan]: ...

    @abstractmethod
    def render(self) -> exp.Select: ...


@dataclass(eq=False)
class TableBase(Base):
    """Rows that are already there: an Arrow table that the query reads by name."""

    name: str
    fields: Mapping[str, Bound]

    def names(self) -> Iterator[str]:
        return iter(self.fields)

    def demand(self, name: str) -> Bound | None:
        return self.fields.get(name)

    def scans(self) -> Iterator[Scan]:
        return iter(())

    def render(self) -> exp.Select:
        return select([exp.Star()], table(self.name))


@dataclass(eq=False)
class OpenBase(Base):
    """Rows whose fields are not known: each that is asked for is null text."""

    name: str
    fields: dict[str, Bound]
    alloc: Names

    def names(self) -> Iterator[str]:
        return iter(self.fields)

    def demand(self, name: str) -> Bound | None:
        if name not in self.fields:
            kind = FieldType.TIME if name == "_time" else FieldType.STRING
            self.fields[name] = Bound(self.alloc.fresh(name), kind)
        return self.fields[name]

    def scans(self) -> Iterator[Scan]:
        return iter(())

    def render(self) -> exp.Select:
        double = exp.DataType.build("double")
        text = exp.DataType.build("text")
        nothing = [
            alias(
                exp.Cast(this=exp.null(), to=double if b.type is FieldType.TIME else text), b.ident
            )
            for b in self.fields.values()
        ]
        return select(nothing, table(self.name), star=True)


@dataclass(eq=False)
class QueryBase(Base):
    """A query over other relations with a fixed set of columns; rendered when all is bound."""

    build: Callable[[], exp.Select]
    inputs: tuple[Relation, ...]
    fields: Mapping[str, Bound]

    def names(self) -> Iterator[str]:
        return iter(self.fields)

    def demand(self, name: str) -> Bound | None:
        return self.fields.get(name)

    def scans(self) -> Iterator[Scan]:
        return (s for r in self.inputs for s in r.scans())

    def render(self) -> exp.Select:
        return self.build()


# --- steps over it ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Extend:
    """Adds columns. ``window``: the expressions look at other rows, so filters may not move.
    ``unnest``: one of them makes several rows of one."""

    columns: tuple[tuple[str, exp.Expression], ...]
    window: bool = False
    unnest: bool = False


@dataclass(frozen=True)
class Where:
    condition: exp.Expression


@dataclass(frozen=True)
class Limit:
    """The first ``count`` rows in the order given."""

    count: int
    order: tuple[Order, ...] = ()
    reverse: bool = False


@dataclass(frozen=True)
class Wrap:
    """A query around what is there, which keeps its columns (``SELECT q.*, ...``); ``inputs`` are
    the other relations it reads."""

    build: Callable[[exp.Select], exp.Select]
    inputs: tuple[Relation, ...] = ()


Step = Extend | Where | Limit | Wrap


@dataclass(frozen=True)
class Evidence:
    """Identifiers of what made a row: event ids and source files; ``lists`` once aggregated."""

    ids: str
    files: str
    lists: bool = False


@dataclass(frozen=True)
class Traits:
    """What later commands ask of earlier ones: whether the rows are ``prestats``, how fields are to
    be shown at the end (``fieldformat``), and what joins the values of a field (``nomv``)."""

    prestats: bool = False
    formats: tuple[tuple[str, EvalExpr], ...] = ()
    delimiters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Relation:
    """Rows with named, typed fields, in an order. Immutable; each step gives a new one.

    ``fields`` holds what steps defined (None: removed); any other name is asked of the base while
    the relation is ``open``.
    """

    base: Base
    steps: tuple[Step, ...] = ()
    fields: Mapping[str, Bound | None] = field(default_factory=dict)
    open: bool = True
    order: tuple[Order, ...] = ()
    evidence: Evidence | None = None
    traits: Traits = field(default_factory=Traits)

    @property
    def row_wise(self) -> bool:
        """Whether no row depends on others."""
        return self.base.row_wise and all(
            isinstance(step, Where) or (isinstance(step, Extend) and not step.window)
            for step in self.steps
        )

    @property
    def arrival(self) -> exp.Expression | None:
        """The stored time by which the rows are ordered, newest first, as they arrive."""
        first = self.order[0] if self.order else None
        newest_first = first is not None and first.arrival and first.descending
        return first.sql if first is not None and newest_first else None

    def bound(self, name: str) -> Bound | None:
        if name in self.fields:
            return self.fields[name]
        return self.base.demand(name) if self.open else None

    def field(self, name: str) -> Typed | None:
        found = self.bound(name)
        return found.typed() if found else None

    def shown(self, name: str) -> Bound | None:
        """``bound`` where all fields and the rest map are read anyway."""
        if name in self.fields:
            return self.fields[name]
        return self.base.show(name) if self.open else None

    def definition(self, ident: str) -> exp.Expression | None:
        """What a column is computed from; None if it is stored, or comes from another query."""
        for step in self.steps:
            if isinstance(step, Extend):
                for name, sql in step.columns:
                    if name == ident:
                        return sql
        return self.base.definition(ident)

    def names(self) -> list[str]:
        """The fields known by name, in order; an open rest map may hold more (``rest``)."""
        out: dict[str, None] = {}
        if self.open:
            out.update((n, None) for n in self.base.names() if self.fields.get(n, n) is not None)
        out.update((n, None) for n, b in self.fields.items() if b is not None)
        return list(out)

    @property
    def rest(self) -> str | None:
        return self.base.rest if self.open else None

    @property
    def removed(self) -> frozenset[str]:
        """Names that the rest map may hold and that are not fields any more."""
        return frozenset(n for n, b in self.fields.items() if b is None)

    def scans(self) -> Iterator[Scan]:
        yield from self.base.scans()
        for step in self.steps:
            if isinstance(step, Wrap):
                for other in step.inputs:
                    yield from other.scans()

    # steps

    def wrap(
        self, build: Callable[[exp.Select], exp.Select], inputs: Sequence[Relation] = ()
    ) -> Relation:
        return replace(self, steps=(*self.steps, Wrap(build, tuple(inputs))))

    def where(self, condition: exp.Expression) -> Relation:
        if isinstance(condition, exp.Boolean) and condition.this is True:
            return self
        return replace(self, steps=(*self.steps, Where(condition)))

    def extend(
        self, columns: Sequence[tuple[str, Typed]], names: Names, *, window: bool = False
    ) -> Relation:
        """Fields computed from the fields as they were before; a plain column is an alias."""
        added: list[tuple[str, exp.Expression]] = []
        fields = dict(self.fields)
        for name, value in columns:
            if isinstance(value.sql, exp.Column) and not value.sql.args.get("table"):
                fields[name] = Bound(value.sql.name, value.type)
                continue
            ident = names.fresh(name)
            added.append((ident, value.sql))
            fields[name] = Bound(ident, value.type)
        steps = (*self.steps, Extend(tuple(added), window)) if added else self.steps
        return replace(self, steps=steps, fields=fields)

    def hide(
        self,
        columns: Sequence[tuple[str, exp.Expression]],
        *,
        window: bool = False,
        unnest: bool = False,
    ) -> Relation:
        """Columns that are no field (helpers of a command), under identifiers given."""
        return replace(self, steps=(*self.steps, Extend(tuple(columns), window, unnest)))

    def with_fields(self, fields: Mapping[str, Bound | None]) -> Relation:
        return replace(self, fields=fields)

    def closed(self, fields: Mapping[str, Bound]) -> Relation:
        """The same rows with these fields and no others."""
        return replace(self, fields=fields, open=False)

    def limit(self, count: int, *, reverse: bool = False) -> Relation:
        return replace(self, steps=(*self.steps, Limit(count, self.order, reverse)))

    def ordered(self, order: Sequence[Order]) -> Relation:
        return replace(self, order=tuple(order))

    # SQL

    def render(self) -> exp.Select:
        """``SELECT *`` and all columns of the steps, without a final order."""
        query = self.base.render()
        level = _Level(query)
        for step in self.steps:
            level = level.apply(step)
        return level.query


class _Level:
    """A SELECT that takes in steps until one needs what it defines."""

    def __init__(self, query: exp.Select) -> None:
        self.query = query
        self.closed = bool(
            query.args.get("group") or query.args.get("limit") or query.args.get("distinct")
        )
        self.star = any(isinstance(e, exp.Star) for e in query.expressions)
        self.defined: set[str] = {e.alias for e in query.expressions if isinstance(e, exp.Alias)}
        self.window = False

    def fresh(self) -> _Level:
        return _Level(select([exp.Star()], self.query))

    def apply(self, step: Step) -> _Level:
        if isinstance(step, Wrap):
            return _Level(select([exp.Star()], step.build(self.query)))
        if self.closed or not self.star:
            return self.fresh().apply(step)
        match step:
            case Where(condition):
                if self.window or self._uses([condition]):
                    return self.fresh().apply(step)
                self._and(condition)
            case Extend(columns, window, unnest):
                values = [sql for _, sql in columns]
                if self._uses(values) or (unnest and self.window):
                    return self.fresh().apply(step)
                for ident, sql in columns:
                    self.query.append("expressions", alias(sql, ident))
                    self.defined.add(ident)
                self.window = self.window or window
                self.closed = unnest
            case Limit(count, order, reverse):
                if order:
                    keys = [o.ordered(reverse=reverse) for o in order]
                    self.query.set("order", exp.Order(expressions=keys))
                self.query.set("limit", exp.Limit(expression=exp.Literal.number(count)))
                self.closed = True
        return self

    def _uses(self, values: Sequence[exp.Expression]) -> bool:
        if not self.defined:
            return False
        return any(c.name in self.defined for v in values for c in v.find_all(exp.Column))

    def _and(self, condition: exp.Expression) -> None:
        where = self.query.args.get("where")
        both = [where.this, condition] if where else [condition]
        self.query.set("where", exp.Where(this=conjunction(both)))
