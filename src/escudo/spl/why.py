"""Why a search selects a row or not: its filters as trees of conditions, each a column.

A pipeline falls into *segments*. In a segment one row stays one row (``eval``, ``rename``, ``rex``,
...), so every filter in it can be asked of every row: instead of dropping rows, each condition of
``search``, ``where``, ``regex`` and of the WHERE and BY of ``tstats`` becomes a boolean column over
the same relation. One query then tells for all rows which conditions hold. A command that makes
rows of several rows (``stats``, ``dedup``, ``join``, ...) ends a segment; the next one is about its
rows, which carry the ids of the events that made them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from escudo.core.errors import Span
from escudo.core.schema import FieldType
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.spl import coerce, dataset, match
from escudo.spl.ast import (
    And,
    Binary,
    Call,
    Command,
    Compare,
    EvalExpr,
    FieldRef,
    InList,
    Not,
    Or,
    Pipeline,
    SearchExpr,
    Term,
    TimeModifier,
    Unary,
    Value,
)
from escudo.spl.bind import Binder, RelationScope
from escudo.spl.bounds import split_modifiers
from escudo.spl.commands.bin import Bin
from escudo.spl.commands.convert import Convert
from escudo.spl.commands.datamodel import DataModel
from escudo.spl.commands.dedup import Dedup
from escudo.spl.commands.eval import Eval
from escudo.spl.commands.extract import Extract
from escudo.spl.commands.fieldformat import FieldFormat
from escudo.spl.commands.fields import Fields
from escudo.spl.commands.fillnull import Fillnull
from escudo.spl.commands.from_ import From
from escudo.spl.commands.fromjson import Fromjson
from escudo.spl.commands.iplocation import Iplocation
from escudo.spl.commands.lookup import Lookup
from escudo.spl.commands.makemv import Makemv
from escudo.spl.commands.nomv import Nomv
from escudo.spl.commands.regex import Regex
from escudo.spl.commands.rename import Rename
from escudo.spl.commands.replace import Replace
from escudo.spl.commands.rex import Rex
from escudo.spl.commands.search import Search
from escudo.spl.commands.spath import Spath
from escudo.spl.commands.stats import Stats
from escudo.spl.commands.strcat import Strcat
from escudo.spl.commands.table import Table
from escudo.spl.commands.tstats import Tstats
from escudo.spl.commands.where import Where
from escudo.spl.commands.xmlkv import Xmlkv
from escudo.spl.extraction import matches
from escudo.spl.parse_search import parse_search
from escudo.spl.plan import Bound, Evidence, Names, Relation, alias, column, conjunction, select
from escudo.spl.timemod import time_range
from escudo.spl.unparse import eval_text, search_text

ROW_WISE: tuple[type[Command], ...] = (
    Bin,
    Convert,
    Eval,
    Extract,
    FieldFormat,
    Fields,
    Fillnull,
    Fromjson,
    Iplocation,
    Lookup,
    Makemv,
    Nomv,
    Rename,
    Replace,
    Rex,
    Spath,
    Strcat,
    Table,
    Xmlkv,
)
"""Commands that make one row of each row, and look at no other."""

Expr = SearchExpr | EvalExpr


@dataclass(frozen=True)
class Read:
    """A field that a condition reads, at that place in the pipeline; no ``ident``: unknown there."""

    name: str
    ident: str | None
    type: FieldType


@dataclass(frozen=True)
class Condition:
    """A condition or a combination of some.

    ``kind`` is ``and``, ``or``, ``not``, ``xor`` or ``condition``; only the last has an ``ident``,
    that of its boolean column (which may be null), and an ``expr`` where SPL text stands for it.
    """

    kind: str
    text: str
    span: Span | None = None
    operands: tuple[Condition, ...] = ()
    ident: str | None = None
    reads: tuple[Read, ...] = ()
    expr: Expr | None = None

    def leaves(self) -> Iterator[Condition]:
        if self.ident is not None:
            yield self
        for operand in self.operands:
            yield from operand.leaves()

    def sql(self) -> exp.Expression:
        """The combination as SQL over the columns of its conditions."""
        if self.ident is not None:
            return column(self.ident)
        parts: list[exp.Expression] = [exp.Paren(this=o.sql()) for o in self.operands]
        if self.kind == "not":
            return exp.Not(this=parts[0])
        if self.kind == "xor":
            return exp.NEQ(this=parts[0], expression=parts[1])
        node = exp.And if self.kind == "and" else exp.Or
        out = parts[0]
        for part in parts[1:]:
            out = node(this=out, expression=part)
        return out

    def value(self, of: Callable[[str], bool | None]) -> bool | None:
        """The combination's value (null: unknown) from those of its conditions by ``ident``.

        >>> leaves = tuple(Condition("condition", n, ident=n) for n in ("a", "b"))
        >>> Condition("or", "a OR b", operands=leaves).value({"a": None, "b": True}.get)
        True
        """
        if self.ident is not None:
            return of(self.ident)
        values = [o.value(of) for o in self.operands]
        match self.kind:
            case "not":
                return None if values[0] is None else not values[0]
            case "xor":
                return None if None in values else values[0] != values[1]
            case "and":
                return False if False in values else None if None in values else True
            case _:
                return True if True in values else None if None in values else False


@dataclass(frozen=True)
class Filter:
    """One filter of a pipeline: all its ``conditions`` must hold.

    ``command`` is the SPL command, or ``dataset`` (what makes an event one of a data model's
    dataset), ``time`` (the search's own time range) or ``by`` (a null BY field drops the row).
    """

    command: str
    text: str
    span: Span | None
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Segment:
    """Rows with the outcome of each condition beside them, none of them dropped.

    ``fields`` are the rows' fields before the segment's commands; ``close`` marks rows that come
    near a condition that fails. ``after`` is the command whose rows these are (None: events), and
    ``binder`` has the tables that the relation reads.
    """

    relation: Relation
    filters: tuple[Filter, ...]
    fields: tuple[tuple[str, Bound], ...]
    rest: str | None
    time: str | None
    close: tuple[str, ...]
    after: Command | None
    binder: Binder

    @property
    def evidence(self) -> Evidence | None:
        return self.relation.evidence

    def conditions(self) -> Iterator[Condition]:
        return (c for f in self.filters for c in f.conditions)

    # queries

    def rows(self, ids: Sequence[int] | None = None) -> exp.Select:
        """All that is to be told of the rows that events made (None: of all rows).

        Columns: those of conditions and of the fields they read, ``fields`` by identifier, the
        rest map, and ``EVENT_IDS`` and ``SOURCE_FILES`` (lists) where the rows have evidence.
        """
        idents: dict[str, None] = {}
        for condition in self.conditions():
            for leaf in condition.leaves():
                idents[leaf.ident or ""] = None
                idents.update((r.ident, None) for r in leaf.reads if r.ident)
        idents.update((b.ident, None) for _, b in self.fields)
        if self.rest is not None:
            idents[self.rest] = None
        items: list[exp.Expression] = [column(i) for i in idents]
        evidence = self.evidence
        if evidence is not None:
            for name, ident in ((EVENT_IDS, evidence.ids), (SOURCE_FILES, evidence.files)):
                value: exp.Expression = column(ident)
                items.append(
                    alias(value if evidence.lists else exp.Array(expressions=[value]), name)
                )
        query = select(items or [alias(exp.null(), "nothing")], self.relation.render())
        if ids is not None and evidence is not None:
            query.set("where", exp.Where(this=_made_by(evidence, ids)))
        return query

    def nearest(self, count: int, *, misses: bool) -> exp.Select:
        """``EVENT_IDS`` and the rest of ``rows`` for the rows that fail the fewest top conditions,
        newest first. ``misses``: only rows that fail one."""
        query = self.rows()
        return self._ranked(query, count, misses)

    def nearest_ids(self, count: int, *, misses: bool) -> exp.Select:
        """The ids of the events that ``nearest`` would give, as ``EVENT_IDS``: a query that reads
        only what the conditions read."""
        assert self.evidence is not None and not self.evidence.lists
        query = select([alias(column(self.evidence.ids), EVENT_IDS)], self.relation.render())
        return self._ranked(query, count, misses)

    def _ranked(self, query: exp.Select, count: int, misses: bool) -> exp.Select:
        failed = _total([_flag(c.sql(), 0, 1) for c in self.conditions()])
        query.append("expressions", alias(failed, FAILED))
        if misses:
            all_hold = [exp.Coalesce(this=c.sql(), expressions=[exp.false()])
                        for c in self.conditions()]
            some_fails = exp.Not(this=exp.Paren(this=conjunction(all_hold) or exp.true()))
            query.set("where", exp.Where(this=some_fails))
        keys = [exp.Ordered(this=failed.copy(), desc=False)]
        if self.close:
            near = _total([_flag(column(c), 1, 0) for c in self.close])
            keys.append(exp.Ordered(this=near, desc=True))
        keys += [o.ordered() for o in self.relation.order]
        query.set("order", exp.Order(expressions=keys))
        query.set("limit", exp.Limit(expression=exp.Literal.number(count)))
        return query


EVENT_IDS, SOURCE_FILES, FAILED = "why$ids", "why$files", "why$failed"


def _made_by(evidence: Evidence, ids: Sequence[int]) -> exp.Expression:
    numbers = [exp.Literal.number(i) for i in ids]
    if not evidence.lists:
        return exp.In(this=column(evidence.ids), expressions=numbers)
    held: list[exp.Expression] = [
        exp.ArrayContains(this=column(evidence.ids), expression=n) for n in numbers
    ]
    return match.any_of(held)


def _flag(condition: exp.Expression, held: int, failed: int) -> exp.Expression:
    return exp.Case(
        ifs=[exp.If(this=condition, true=exp.Literal.number(held))],
        default=exp.Literal.number(failed),
    )


def _total(parts: Sequence[exp.Expression]) -> exp.Expression:
    out: exp.Expression = exp.Literal.number(0)
    for part in parts:
        out = exp.Add(this=out, expression=part)
    return out


# --- segments -----------------------------------------------------------------------------------


def segments(
    pipeline: Pipeline, binder: Callable[[], Binder], within: TimeRange = ALL_TIME
) -> Iterator[Segment]:
    """The segments of a pipeline, bound one by one as they are asked for.

    ``binder`` makes a fresh binder with provenance; each segment has its own. Events of ``within``
    are looked at; the search's own time range is one of its conditions. Segment after segment, the
    rows are those that hold all earlier conditions.
    """
    commands = pipeline.commands
    current = binder().during(within)
    part, at = _events(commands[0], current)
    after: Command | None = None
    while True:
        while at < len(commands) and part.takes(commands[at]):
            at += 1
        if at < len(commands):
            part.dropped_by(commands[at])
        yield part.finish(after)
        if at >= len(commands):
            return
        current = binder()
        after = commands[at]
        at += 1
        relation = current.pipeline(Pipeline(commands[:at]))
        while relation.traits.prestats and at < len(commands):
            relation = commands[at].bind(relation, current)
            at += 1
        part = _Part(relation, current)


def _events(first: Command, binder: Binder) -> tuple[_Part, int]:
    """The rows that a search starts with, the filters of its first command, and how many commands
    these are (none for ``tstats``, whose groups are the next segment)."""
    if isinstance(first, Search):
        part = _Part(binder.read_raw(And(())), binder)
        part.search("search", first.expr, first.span, match.SEARCH)
        return part, 1
    if isinstance(first, Tstats) and first.namespace is None and first.sid is None:
        return _tstats(first, binder), 0
    if isinstance(first, From) and first.kind == "datamodel":
        model, _, name = first.object.partition(".")
        found = dataset.find(model, name or None, binder, first.span)
        return _dataset(found, binder, first, prefixed=False), 1
    if isinstance(first, DataModel) and first.model and first.mode in ("search", "flat"):
        found = dataset.find(first.model, first.dataset, binder, first.span)
        return _dataset(found, binder, first, prefixed=first.mode == "search"), 1
    return _Part(first.bind(None, binder), binder), 1


def _tstats(command: Tstats, binder: Binder) -> _Part:
    expr: SearchExpr = command.where or And(())
    if command.model is None:
        part = _Part(binder.read_raw(And(())), binder)
    else:
        expr, node = dataset.split_node(expr)
        found = dataset.find(command.model, node or command.dataset, binder, command.span)
        part = _dataset(found, binder, command, prefixed=True)
    part.search("tstats", expr, command.span, match.TSTATS)
    return part


def _dataset(
    found: dataset.Dataset, binder: Binder, command: Command, *, prefixed: bool
) -> _Part:
    plain = binder.read(found.schema, constrained=False)
    rows = replace(plain, base=dataset.DatasetBase(found, plain.base)) if prefixed else plain
    part = _Part(rows, binder)
    if found.schema.constraint:
        # The constraint names fields without the dataset's name.
        tree = _Tree(binder.scope(plain), binder)
        conditions = tree.tops(parse_search(found.schema.constraint), match.SEARCH)
        text = f"{found.model}.{found.name}: {found.schema.constraint}"
        part.add(Filter("dataset", text, command.span, tuple(conditions)), tree)
    return part


class _Part:
    """A segment as it grows."""

    def __init__(self, relation: Relation, binder: Binder) -> None:
        self.relation = relation
        self.binder = binder
        self.filters: list[Filter] = []
        self.close: list[str] = []
        self.time = relation.bound("_time")
        self.start = relation

    def finish(self, after: Command | None) -> Segment:
        start = self.start
        shown = ((n, start.shown(n)) for n in start.names())
        fields = tuple((n, b) for n, b in shown if b is not None)
        time = self.time.ident if self.time is not None else None
        return Segment(
            self.relation,
            tuple(self.filters),
            fields,
            start.rest,
            time,
            tuple(self.close),
            after,
            self.binder,
        )

    def takes(self, command: Command) -> bool:
        """Whether a command belongs to the segment; it does then."""
        match command:
            case Search():
                self.search("search", command.expr, command.span, match.SEARCH)
            case Where():
                tree = _Tree(self.binder.scope(self.relation), self.binder)
                conditions = tuple(tree.eval_tops(command.expr))
                self.add(Filter("where", command.format(), command.span, conditions), tree)
            case Regex():
                tree = _Tree(self.binder.scope(self.relation), self.binder)
                conditions = (tree.regex(command),)
                self.add(Filter("regex", command.format(), command.span, conditions), tree)
            case Fillnull(fields=()):
                return False
            case _ if isinstance(command, ROW_WISE):
                self.relation = command.bind(self.relation, self.binder)
            case _:
                return False
        return True

    def search(
        self, command: str, expr: SearchExpr, span: Span | None, rules: match.Rules
    ) -> None:
        starts = self.relation is self.start and not any(
            f.command != "dataset" for f in self.filters
        )
        modifiers: tuple[TimeModifier, ...] = ()
        text = f"search {search_text(expr)}" if command == "search" else f"WHERE {search_text(expr)}"
        if starts:
            expr, modifiers = split_modifiers(expr)
        tree = _Tree(self.binder.scope(self.relation), self.binder)
        conditions = tree.tops(expr, rules)
        if modifiers:
            conditions.insert(0, tree.time(modifiers))
        if conditions:
            self.add(Filter(command, text, span, tuple(conditions)), tree)

    def dropped_by(self, command: Command) -> None:
        """The condition that no field is null by which a command groups."""
        match command:
            case Tstats(by=by, fillnull_value=None) | Stats(by=by):
                names = by
            case Dedup(fields=names, keepempty=False):
                pass
            case _:
                return
        names = tuple(n for n in dict.fromkeys(names) if n != "_time")
        if not names:
            return
        tree = _Tree(self.binder.scope(self.relation), self.binder)
        conditions = tuple(tree.present(n, command.span) for n in names)
        text = f"{command.name} BY {' '.join(names)}"
        self.add(Filter("by", text, command.span, conditions), tree)

    def add(self, found: Filter, tree: _Tree) -> None:
        self.filters.append(found)
        self.close += tree.close
        if tree.columns:
            self.relation = self.relation.hide(tree.columns)


# --- trees --------------------------------------------------------------------------------------


class _Tree:
    """Makes conditions of expressions; ``columns`` gets a boolean column for each of them."""

    def __init__(self, scope: RelationScope, binder: Binder) -> None:
        self.scope = scope
        self.names: Names = binder.names
        self.columns: list[tuple[str, exp.Expression]] = []
        self.close: list[str] = []
        """Columns that tell whether a row comes near a comparison (it may also hold)."""

    def tops(self, expr: SearchExpr, rules: match.Rules) -> list[Condition]:
        """The conditions that must all hold; what holds for every event (``*``) is none."""
        match expr:
            case And(operands):
                return [c for o in operands for c in self.tops(o, rules)]
            case Term(Value(text="*")):
                return []
            case _:
                return [self.search(expr, rules, near=True)]

    def search(self, expr: SearchExpr, rules: match.Rules, *, near: bool = False) -> Condition:
        match expr:
            case And(operands) | Or(operands) if operands:
                parts = tuple(self.search(o, rules, near=near) for o in operands)
                kind = "and" if isinstance(expr, And) else "or"
                return Condition(kind, search_text(expr), expr.span, parts)
            case Not(operand):
                return Condition(
                    "not", search_text(expr), expr.span, (self.search(operand, rules),)
                )
        sql = match.lower(expr, self.scope, rules)
        known = exp.Coalesce(this=sql, expressions=[exp.false()])
        if near:
            self._near(expr, rules)
        names = _search_fields(expr)
        return self._leaf(search_text(expr), expr.span, known, names, expr)

    def eval_tops(self, expr: EvalExpr) -> Iterator[Condition]:
        if isinstance(expr, Binary) and expr.op == "AND":
            yield from self.eval_tops(expr.left)
            yield from self.eval_tops(expr.right)
        else:
            yield self.eval(expr)

    def eval(self, expr: EvalExpr) -> Condition:
        match expr:
            case Binary(op, left, right) if op in ("AND", "OR", "XOR"):
                parts = (self.eval(left), self.eval(right))
                return Condition(op.lower(), eval_text(expr), expr.span, parts)
            case Unary("NOT", operand):
                return Condition("not", eval_text(expr), expr.span, (self.eval(operand),))
        value = self.scope.binder.evaluate(expr, self.scope.relation)
        names = tuple(dict.fromkeys(_eval_fields(expr)))
        return self._leaf(eval_text(expr), expr.span, coerce.as_boolean(value), names, expr)

    def regex(self, command: Regex) -> Condition:
        value = self.scope.field(command.field)
        sql: exp.Expression = exp.false()
        if value is not None:
            sql = exp.Coalesce(
                this=matches(value, command.pattern, command.span), expressions=[exp.false()]
            )
        if command.negated:
            sql = exp.Not(this=sql)
        return self._leaf(command.format(), command.span, sql, (command.field,), None)

    def time(self, modifiers: tuple[TimeModifier, ...]) -> Condition:
        bound = self.scope.bound("_time")
        sql: exp.Expression = exp.true()
        if bound is not None:
            sql = match.time_condition(bound, time_range(modifiers, self.scope.now))
        text = " ".join(search_text(m) for m in modifiers)
        return self._leaf(text, modifiers[0].span, sql, ("_time",), None)

    def present(self, name: str, span: Span | None) -> Condition:
        bound = self.scope.bound(name)
        sql: exp.Expression = exp.false()
        if bound is not None:
            sql = exp.Not(this=exp.Is(this=column(bound.ident), expression=exp.null()))
        text = eval_text(Call("isnotnull", (FieldRef(name),)))
        return self._leaf(text, span, sql, (name,), None)

    def _leaf(
        self,
        text: str,
        span: Span | None,
        sql: exp.Expression,
        names: Iterable[str],
        expr: Expr | None,
    ) -> Condition:
        ident = self.names.fresh("condition")
        self.columns.append((ident, sql))
        reads = []
        for name in names:
            bound = self.scope.bound(name)
            kind = bound.type if bound is not None else FieldType.STRING
            reads.append(Read(name, bound.ident if bound is not None else None, kind))
        return Condition("condition", text, span, (), ident, tuple(reads), expr)

    def _near(self, expr: SearchExpr, rules: match.Rules) -> None:
        """A column for a comparison with text: the field holds the text's longest part somewhere."""
        match expr:
            case Compare(name, "=", value):
                values: tuple[Value, ...] = (value,)
            case InList(name, values):
                pass
            case _:
                return
        parts = [p for v in values if (p := core_of(v.text))]
        if not parts or len(values) > _NEAR_VALUES:
            return
        held = InList(name, tuple(Value(f"*{p}*") for p in parts))
        ident = self.names.fresh("near")
        self.columns.append((ident, match.lower(held, self.scope, rules)))
        self.close.append(ident)


_NEAR_VALUES = 8
_ENDING = re.compile(r"\.\w{1,4}$")


def core_of(text: str) -> str | None:
    """The part of a value by which near values are recognised: no folders, no ending.

    >>> core_of("*\\\\system32\\\\WmiPrvSE.exe"), core_of("4688"), core_of("a*")
    ('WmiPrvSE', '4688', None)
    """
    longest = max(text.split("*"), key=len)
    name = re.split(r"[\\/]", longest.rstrip("\\/"))[-1].strip()
    core = _ENDING.sub("", name)
    return core if len(core) >= 3 else None


def _search_fields(expr: SearchExpr) -> tuple[str, ...]:
    match expr:
        case Compare(name, _, _) | InList(name, _):
            return (name,)
        case Term():
            return ("_raw",)
        case TimeModifier():
            return ("_time",)
        case _:
            return ()


def _eval_fields(expr: EvalExpr) -> Iterator[str]:
    match expr:
        case FieldRef(name):
            yield name
        case Call(_, args):
            for arg in args:
                yield from _eval_fields(arg)
        case Unary(_, operand):
            yield from _eval_fields(operand)
        case Binary(_, left, right):
            yield from _eval_fields(left)
            yield from _eval_fields(right)
