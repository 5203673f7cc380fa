"""Tables of the catalog -> bases of relations, which gain columns by demand; the binder makes them.

What is read is filtered to the time range exactly (half-open), on the stored timestamp, so that
files and row groups outside it are skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from sqlglot import exp

from escudo.core.errors import Span
from escudo.core.schema import Column, FieldType, TableSchema
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.spl.lowering.lower_eval import lower_eval, rest_field
from escudo.spl.relation.bases import Base
from escudo.spl.relation.clock import Clock
from escudo.spl.relation.coercion import common_type, convert_to
from escudo.spl.relation.identifiers import Names
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.scans import NEVER, Need, Needs, Scan, Terms, either
from escudo.spl.relation.sql import (
    alias,
    all_hold,
    at_least,
    coalesce,
    column,
    filter_rows,
    less_than,
    literal_integer,
    literal_text,
    prelude_call,
    select,
    table,
)
from escudo.spl.relation.values import Bound, Typed, is_null, null_value
from escudo.spl.syntax.ast import EvalExpr
from escudo.spl.syntax.parse_eval import parse_eval

_TIMESTAMP = exp.DataType.build("timestamptz")
_MAP = exp.DataType.build("map<text, text>")
_MIN = datetime(1, 1, 1, tzinfo=UTC).timestamp()
_MAX = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


def timestamp(epoch: float) -> exp.Expression:
    """Epoch seconds as a SQL timestamp constant, to the microsecond.

    >>> timestamp(1602155026.6179).sql("duckdb")
    "CAST('2020-10-08 11:03:46.617900+00:00' AS TIMESTAMPTZ)"
    """
    seconds, micros = divmod(round(min(max(epoch, _MIN), _MAX) * 1_000_000), 1_000_000)
    at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
    text = at.isoformat(sep=" ", timespec="microseconds")
    return exp.Cast(this=literal_text(text), to=_TIMESTAMP.copy())


def within_range(stamp: exp.Expression, within: TimeRange) -> exp.Expression | None:
    """``earliest <= stamp < latest`` on a SQL timestamp; None if unbounded."""
    parts: list[exp.Expression] = []
    if within.earliest is not None:
        parts.append(at_least(stamp, timestamp(within.earliest)))
    if within.latest is not None:
        parts.append(less_than(stamp.copy(), timestamp(within.latest)))
    return all_hold(parts) if parts else None


@lru_cache(maxsize=4096)
def _parsed(text: str) -> EvalExpr:
    return parse_eval(text)


def list_stored(schema: TableSchema) -> frozenset[str]:
    """The identifiers of what the files of a table hold."""
    kept = {n for c in schema.columns for n in (c.physical, c.lower) if n is not None}
    return frozenset(kept if schema.rest is None else {*kept, schema.rest})


@dataclass(eq=False)
class ScanBase(Base):
    """One table. Stored columns keep their physical names; times, search-time fields and fields
    of the rest map become computed columns, each one layer above what it needs."""

    scan: Scan
    alloc: Names
    clock: Clock
    _known: dict[str, Bound | None] = field(default_factory=dict)
    _layers: list[list[tuple[str, exp.Expression]]] = field(default_factory=list)
    _depth: dict[str, int] = field(default_factory=dict)
    _pending: set[str] = field(default_factory=set)
    _empty: set[str] = field(default_factory=set)

    @property
    def row_wise(self) -> bool:
        return True

    @property
    def rest(self) -> str | None:
        return self.scan.schema.rest

    def names(self) -> Iterator[str]:
        names = (c.name for c in self.scan.schema.columns if not c.internal)
        return (n for n in names if n not in self._empty)

    def leave_out(self, names: Collection[str]) -> None:
        """Fields that are null in all rows of interest: they are no fields any more, unless a
        step has them already."""
        self._empty |= {n for n in names if n not in self._known}

    def limit_time(self, within: TimeRange) -> None:
        """Read a part of the time only."""
        self.scan.within = self.scan.within & within
        self.__post_init__()

    def demand(self, name: str) -> Bound | None:
        if name in self._empty:
            return None
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def possible(self, name: str) -> frozenset[str] | None:
        return self.scan.schema.values.get(name)

    def definition(self, ident: str) -> exp.Expression | None:
        return next((sql for layer in self._layers for name, sql in layer if name == ident), None)

    def scans(self) -> Iterator[Scan]:
        yield self.scan

    def needs(self) -> Needs:
        computed = {ident: sql for layer in self._layers for ident, sql in layer}
        terms = Terms(list_stored(self.scan.schema), computed, thorough=self.scan.thorough)
        return ((Need(self.scan, terms),),)

    def render(self) -> exp.Select:
        layers = self._layers or [[]]
        added = [alias(sql, ident) for ident, sql in layers[0]]
        query = select(added, table(self.scan.name), star=True)
        condition = self._time_condition()
        if condition is not None:
            filter_rows(query, condition)
        for layer in layers[1:]:
            query = select([alias(sql, ident) for ident, sql in layer], query, star=True)
        return query

    def __post_init__(self) -> None:
        time = self.scan.schema.by_name.get("_time")
        if time is not None and self.scan.within != ALL_TIME:
            self.scan.columns["_time"] = time

    def _time_condition(self) -> exp.Expression | None:
        time = self.scan.schema.by_name.get("_time")
        if time is None or time.physical is None:
            return None
        return within_range(column(time.physical), self.scan.within)

    def _find(self, name: str) -> Bound | None:
        found = self.scan.schema.by_name.get(name)
        if found is None:
            return self._rest_field(name)
        if found.expr is not None:
            return self._computed(name, found.expr)
        return self._stored(found)

    def _stored(self, found: Column) -> Bound:
        assert found.physical is not None
        self.scan.columns[found.name] = found
        if found.type is not FieldType.TIME:
            return Bound(found.physical, found.type, lower=found.lower)
        epoch = prelude_call("spl_epoch", column(found.physical))
        ident = self._add(found.name, epoch, 0)
        return Bound(ident, FieldType.TIME, stamp=found.physical)

    def _rest_field(self, name: str) -> Bound | None:
        if self.rest is None:
            return None
        value = rest_field(self.rest, name)
        return Bound(self._add(name, value.sql, 0), value.type)

    def _computed(self, name: str, expr: str) -> Bound | None:
        """A calculated field; inside itself its own name is the field as extracted."""
        self._pending.add(name)
        try:
            value = lower_eval(_parsed(expr), _Operands(self._operand, self.clock))
        finally:
            self._pending.discard(name)
        if is_null(value):
            return None
        if isinstance(value.sql, exp.Column):
            return Bound(value.sql.name, value.type)
        idents = {c.name for c in value.sql.find_all(exp.Column)}
        depth = max((self._depth[i] + 1 for i in idents if i in self._depth), default=0)
        return Bound(self._add(name, value.sql, depth), value.type)

    def _operand(self, name: str) -> Typed | None:
        found = self._rest_field(name) if name in self._pending else self.demand(name)
        return found.typed() if found else None

    def _add(self, name: str, sql: exp.Expression, depth: int) -> str:
        ident = self.alloc.fresh(name)
        while len(self._layers) <= depth:
            self._layers.append([])
        self._layers[depth].append((ident, sql))
        self._depth[ident] = depth
        return ident


@dataclass(frozen=True)
class _Operands:
    """The scope of a search-time field's expression. What it warns of is no news to the author of
    a search."""

    operand: Callable[[str], Typed | None]
    clock: Clock

    @property
    def now(self) -> float:
        return self.clock.read()

    @property
    def zone(self) -> tzinfo:
        return self.clock.zone

    def field(self, name: str) -> Typed | None:
        return self.operand(name)

    def warn(self, code: str, message: str, span: Span | None) -> None:
        pass


@dataclass(eq=False)
class UnionBase(Base):
    """Several tables as one; each resolves a field in its own way, and lacks it as null."""

    children: Sequence[Relation]
    alloc: Names
    _known: dict[str, Bound | None] = field(default_factory=dict)
    _columns: list[tuple[str, list[exp.Expression]]] = field(default_factory=list)
    _late: list[tuple[str, exp.Expression]] = field(default_factory=list)
    _shown: dict[str, Bound | None] = field(default_factory=dict)
    _rest: str | None = None

    def __post_init__(self) -> None:
        maps = [c.rest for c in self.children]
        if any(maps):
            self._rest = self.alloc.fresh("_fields")
            empty = exp.Cast(this=exp.null(), to=_MAP.copy())
            values: list[exp.Expression] = [column(m) if m else empty.copy() for m in maps]
            self._columns.append((self._rest, values))

    @property
    def row_wise(self) -> bool:
        return all(child.row_wise for child in self.children)

    @property
    def rest(self) -> str | None:
        return self._rest

    def names(self) -> Iterator[str]:
        return iter(dict.fromkeys(n for c in self.children for n in c.names()))

    def demand(self, name: str) -> Bound | None:
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def scans(self) -> Iterator[Scan]:
        return (s for c in self.children for s in c.scans())

    def needs(self) -> Needs:
        out = NEVER
        for i, child in enumerate(self.children):
            own = [(ident, values[i]) for ident, values in self._columns]
            named = (tuple(n.extend([*own, *self._late]) for n in group) for group in child.needs())
            out = either(out, tuple(named))
        return out

    def keep(self, places: Sequence[int]) -> None:
        """Leave out the tables that are not at these places."""
        self.children = [self.children[i] for i in places]
        self._columns = [(ident, [values[i] for i in places]) for ident, values in self._columns]

    def render(self) -> exp.Select:
        out: exp.Expression | None = None
        for i, child in enumerate(self.children):
            items = [alias(values[i], ident) for ident, values in self._columns]
            part = select(items or [alias(literal_integer(1), "one")], child.render())
            out = part if out is None else exp.Union(this=out, expression=part, distinct=False)
        assert out is not None
        return select([alias(sql, ident) for ident, sql in self._late], out, star=True)

    def show(self, name: str) -> Bound | None:
        """One lookup in the rest map of all tables, not one in each table's."""
        alone = len(self.children) == 1 and self._has(self.children[0], name)
        if name in self._known or self._rest is None or alone:
            return self.demand(name)
        if name not in self._shown:
            self._shown[name] = self._show(name)
        return self._shown[name]

    def _show(self, name: str) -> Bound | None:
        assert self._rest is not None
        found = [c.bound(name) if self._has(c, name) else None for c in self.children]
        value = rest_field(self._rest, name)
        if any(found):
            kind = common_type([value, *(b.typed() for b in found if b)])
            named = column(self.add(name, [self._cast(b, kind) for b in found]))
            other = convert_to(value, kind)
            value = Typed(coalesce(named, other), kind)
        ident = self.alloc.fresh(name)
        self._late.append((ident, value.sql))
        return Bound(ident, value.type)

    @staticmethod
    def _has(child: Relation, name: str) -> bool:
        """Whether a table has a field otherwise than in its rest map."""
        if name in child.fields or not isinstance(child.base, ScanBase):
            return True
        return name in child.base.scan.schema.by_name

    def _find(self, name: str) -> Bound | None:
        found = [c.bound(name) for c in self.children]
        if not any(found):
            return None
        kind = common_type(b.typed() for b in found if b)
        ident = self.add(name, [self._cast(b, kind) for b in found])
        lower_eval = stamp = None
        if all(b is None or b.lower for b in found):
            copies = [column(b.lower) if b and b.lower else exp.null() for b in found]
            lower_eval = self.add(name, copies)
        if all(b is None or b.stamp for b in found):
            copies = [column(b.stamp) if b and b.stamp else exp.null() for b in found]
            stamp = self.add(name, copies)
        return Bound(ident, kind, lower_eval, stamp)

    def add(self, name: str, values: Sequence[exp.Expression]) -> str:
        """A column that is no field: its expression in each table."""
        ident = self.alloc.fresh(name)
        self._columns.append((ident, list(values)))
        return ident

    def _cast(self, bound: Bound | None, kind: FieldType) -> exp.Expression:
        if bound is None:
            return null_value(kind).sql
        return column(bound.ident) if bound.type is kind else convert_to(bound.typed(), kind)
