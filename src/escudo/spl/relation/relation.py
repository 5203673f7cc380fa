"""What a bound search is: typed fields over a SQLGlot query; commands take one and give one.

A relation only ever gains SQL columns: ``eval`` over an existing field allocates a new identifier
and maps the field to it, and every row-wise step is ``SELECT *, expr AS ident FROM (...)``. So a
field that is first asked for late in the pipeline can still be added to the scan at the bottom
(``Relation.field`` -> ``Base.demand`` -> ``Scan.columns``), and a scan reads exactly the columns
that are used. SQL is rendered last, from the base upwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.relation.bases import Base, LateProof, QueryBase
from escudo.spl.relation.identifiers import Names
from escudo.spl.relation.rendering import render_steps
from escudo.spl.relation.scans import Member, Need, Needs, Scan, Terms, aggregate_needs
from escudo.spl.relation.sql import all_hold, column, filter_rows, is_true, list_of, select
from escudo.spl.relation.steps import Extend, Limit, Matched, Order, Step, Where, Wrap
from escudo.spl.relation.values import Bound, Typed
from escudo.spl.syntax.ast import EvalExpr


@dataclass(frozen=True)
class Evidence:
    """Identifiers of what made a row: event ids and source files; ``lists`` once aggregated."""

    ids: str
    files: str
    lists: bool = False

    def as_lists(self) -> tuple[exp.Expression, exp.Expression]:
        """The event ids and the source files, as lists also of a single one."""
        ids, files = column(self.ids), column(self.files)
        return (ids, files) if self.lists else (list_of([ids]), list_of([files]))


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
    def distinct_by(self) -> frozenset[str]:
        """Columns in which no two rows are the same; none: there may be such rows."""
        if any(
            step.unnest
            if isinstance(step, Extend)
            else isinstance(step, Wrap) and not step.row_wise
            for step in self.steps
        ):
            return frozenset()
        return self.base.distinct_by

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

    def needs(self) -> Needs:
        """See ``Base.needs``: what steps ask of stored rows is among the conditions."""
        own = tuple(tuple(_follow(n, self.steps) for n in group) for group in self.base.needs())
        joined = (r for s in self.steps if isinstance(s, Wrap) and s.inner for r in s.inputs)
        return (*own, *(group for other in joined for group in aggregate_needs(other.needs())))

    # steps

    def wrap(
        self,
        build: Callable[[exp.Select], exp.Select],
        inputs: Sequence[Relation] = (),
        *,
        inner: bool = False,
        matched: Matched | None = None,
    ) -> Relation:
        return self._then(Wrap(build, tuple(inputs), inner, matched=matched))

    def attach(
        self,
        build: Callable[[exp.Select], exp.Select],
        columns: Iterable[tuple[str, exp.Expression]] = (),
        members: Iterable[tuple[str, Member]] = (),
    ) -> Relation:
        """Each row with columns from elsewhere, of which so much is known."""
        wrap = Wrap(build, row_wise=True, columns=tuple(columns), members=tuple(members))
        return self._then(wrap)

    def _then(self, step: Step) -> Relation:
        return replace(self, steps=(*self.steps, step))

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

    def newest_first(self) -> Relation:
        """In the order in which events arrive in a search."""
        order: list[Order] = []
        for name in ("_time", "_event_id"):
            bound = self.bound(name)
            if bound is not None:
                key, number = column(bound.stamp or bound.ident), column(bound.ident)
                stored = bound.stamp is not None or bound.type is FieldType.INTEGER
                order.append(Order(key, descending=True, number=number, arrival=stored))
        return self.ordered(order)

    # SQL

    def render(self) -> exp.Select:
        """``SELECT *`` and all columns of the steps, without a final order."""
        late = self._find_late_proof()
        query = self.base.render() if late is None else late.render()
        early = self._find_early()
        if early:
            filter_rows(query, all_hold(early))
        query = render_steps(query, self.steps)
        return query if late is None else late.attach(query)

    def _find_late_proof(self) -> LateProof | None:
        """What proves the rows, if it is better asked last: where steps leave some of the rows, by
        what the base cannot be filtered by, and none looks at what proves them."""
        late = self.base.late_proof if isinstance(self.base, QueryBase) else None
        if late is None:
            return None
        known = Terms(frozenset(self.base.settled))
        leaves = False
        for step in self.steps:
            match step:
                case Where(condition=condition):
                    asked = [condition]
                    leaves = leaves or is_true(known.relax(condition))
                case Extend(columns=columns, window=window, unnest=unnest):
                    asked = [sql for _, sql in columns]
                    known = known if window or unnest else known.extend(columns)
                case Wrap(row_wise=True):
                    asked = [sql for _, sql in step.columns]
                    known = known.extend(step.columns, step.members)
                case Limit():
                    asked = [order.sql for order in step.order]
                    leaves = True
                case _:
                    return None
            if any(c.name in late.columns for sql in asked for c in sql.find_all(exp.Column)):
                return None
        return late if leaves and late.pays() else None

    def _find_early(self) -> Sequence[exp.Expression]:
        """What filters of attached columns, and a join, ask of the settled columns of the base.

        An engine moves a filter of these themselves below a grouping on its own.
        """
        settled = frozenset(self.base.settled)
        wraps = (step for step in self.steps if isinstance(step, Wrap))
        if not settled or not any(wrap.row_wise or wrap.matched for wrap in wraps):
            return ()
        plain = known = Terms(settled)
        early: list[exp.Expression] = []
        for step in self.steps:
            if isinstance(step, Where):
                asked = known.relax(step.condition)
                if not is_true(asked) and asked != plain.relax(step.condition):
                    early.append(asked)
            elif isinstance(step, Extend) and step.unnest:
                continue
            elif isinstance(step, Extend) and not step.window:
                known = known.extend(step.columns)
                plain = plain.extend(step.columns)
            elif isinstance(step, Wrap) and step.row_wise:
                known = known.extend(step.columns, step.members)
            else:  # it looks at other rows
                if isinstance(step, Wrap) and step.matched is not None:
                    early += _ask_matched(step.matched, known)
                break
        return early


def _ask_matched(matched: Matched, known: Terms) -> list[exp.Expression]:
    """That the keys which are known are among the others: one condition, or none."""
    keys = [known.resolve(column(key)) for key in matched.keys]
    pairs = [(k, o) for k, o in zip(keys, matched.others, strict=True) if k is not None]
    if not pairs:
        return []
    among = select([column(other) for _, other in pairs], matched.render())
    return [
        exp.In(this=exp.Tuple(expressions=[k for k, _ in pairs]), query=exp.Subquery(this=among))
    ]


def _follow(need: Need, steps: Iterable[Step]) -> Need:
    """What steps ask of the same rows besides; every step gives rows that were there before it,
    and keeps their columns."""
    for step in steps:
        if isinstance(step, Where):
            need = need.restrict(step.condition)
        elif isinstance(step, Wrap) and step.row_wise:
            need = need.extend(step.columns, step.members)
        elif isinstance(step, Extend) and step.unnest:
            need = need.multiplied()
        elif isinstance(step, Extend) and not step.window:
            need = need.extend(step.columns)
        elif isinstance(step, Wrap):
            need = need.multiplied().seal()
        else:
            need = need.seal()
    return need
