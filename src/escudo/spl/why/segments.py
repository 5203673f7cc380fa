"""Pipeline -> segments of rows with the outcome of each condition beside them; ``detect.why`` runs
their queries.

A pipeline falls into *segments*. In a segment one row stays one row (``eval``, ``rename``, ``rex``,
...), so every filter in it can be asked of every row: instead of dropping rows, each condition of
``search``, ``where``, ``regex`` and of the WHERE and BY of ``tstats`` becomes a boolean column over
the same relation. One query then tells for all rows which conditions hold. A command that makes
rows of several rows (``stats``, ``dedup``, ``join``, ...) ends a segment; the next one is about its
rows, which carry the ids of the events that made them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from sqlglot import exp

from escudo.core.catalog import OtherRawTables
from escudo.core.errors import Span
from escudo.spl.binding import dataset
from escudo.spl.binding.binder import Binder
from escudo.spl.binding.declaration import DeclaredCommand
from escudo.spl.binding.time_bounds import split_modifiers
from escudo.spl.commands.datamodel import DataModel
from escudo.spl.commands.dedup import Dedup
from escudo.spl.commands.from_ import From
from escudo.spl.commands.regex import Regex
from escudo.spl.commands.search import Search
from escudo.spl.commands.stats import Stats
from escudo.spl.commands.tstats import Tstats
from escudo.spl.commands.where import Where
from escudo.spl.lowering.lower_search import SEARCH, TSTATS, Rules
from escudo.spl.relation.relation import Evidence, Relation
from escudo.spl.relation.sql import (
    alias,
    all_hold,
    any_holds,
    case_when,
    coalesce,
    column,
    filter_rows,
    is_one_of,
    limit_rows,
    literal_integer,
    negate,
    order_rows,
    plus,
    select,
)
from escudo.spl.relation.values import Bound
from escudo.spl.syntax.ast import And, CommandNode, Pipeline, SearchExpr, TimeModifier
from escudo.spl.syntax.parse_search import parse_search
from escudo.spl.syntax.unparse import search_text
from escudo.spl.why.conditions import Condition, Filter, Tree


@dataclass(frozen=True)
class Segment:
    """Rows with the outcome of each condition beside them, none of them dropped.

    ``fields`` are the rows' fields before the segment's commands; ``close`` marks rows that come
    near a condition that fails. ``after`` is the command whose rows these are (None: events);
    ``end`` commands of the pipeline are done after the segment; ``binder`` has the tables that the
    relation reads.
    """

    relation: Relation
    filters: tuple[Filter, ...]
    fields: tuple[tuple[str, Bound], ...]
    rest: str | None
    time: str | None
    close: tuple[str, ...]
    after: CommandNode | None
    end: int
    binder: Binder

    @property
    def evidence(self) -> Evidence | None:
        return self.relation.evidence

    def conditions(self) -> Iterator[Condition]:
        return (c for f in self.filters for c in f.conditions)

    def run(self, query: exp.Expression) -> pa.Table:
        return self.binder.run(query, self.relation)

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
            lists = zip((EVENT_IDS, SOURCE_FILES), evidence.as_lists(), strict=True)
            items += [alias(sql, name) for name, sql in lists]
        query = select(items or [alias(exp.null(), "nothing")], self.relation.render())
        if ids is not None and evidence is not None:
            filter_rows(query, _made_by(evidence, ids))
        return query

    def nearest(self, count: int, *, misses: bool) -> exp.Select:
        """``EVENT_IDS`` and the rest of ``rows`` for the rows that fail the fewest top conditions,
        newest first. ``misses``: only rows that fail one."""
        query = self.rows()
        return self._ranked(query, count, misses)

    def nearest_ids(self, count: int, *, misses: bool) -> exp.Select:
        """The ids of the events that ``nearest`` would give, as ``EVENT_IDS``: a query that reads
        only what the conditions read."""
        assert self.evidence is not None
        query = select([alias(column(self.evidence.ids), EVENT_IDS)], self.relation.render())
        return self._ranked(query, count, misses)

    def _ranked(self, query: exp.Select, count: int, misses: bool) -> exp.Select:
        conditions = [c.sql() for c in self.conditions()]
        if misses:
            known = [coalesce(c, exp.false()) for c in conditions]
            filter_rows(query, negate(all_hold(known)))
        keys: list[exp.Ordered] = []
        if conditions:
            failed = _total([_flag(c.copy(), 0, 1) for c in conditions])
            keys.append(exp.Ordered(this=failed, desc=False))
        if self.close:
            near = _total([_flag(column(c), 1, 0) for c in self.close])
            keys.append(exp.Ordered(this=near, desc=True))
        keys += [o.ordered() for o in self.relation.order]
        order_rows(query, keys)
        limit_rows(query, count)
        return query


EVENT_IDS, SOURCE_FILES = "why$ids", "why$files"


def _made_by(evidence: Evidence, ids: Sequence[int]) -> exp.Expression:
    numbers = [literal_integer(i) for i in ids]
    if not evidence.lists:
        return is_one_of(column(evidence.ids), numbers)
    held: list[exp.Expression] = [
        exp.ArrayContains(this=column(evidence.ids), expression=n) for n in numbers
    ]
    return any_holds(held)


def _flag(condition: exp.Expression, held: int, failed: int) -> exp.Expression:
    return case_when((condition, literal_integer(held)), otherwise=literal_integer(failed))


def _total(parts: Sequence[exp.Expression]) -> exp.Expression:
    out: exp.Expression = literal_integer(0)
    for part in parts:
        out = plus(out, part)
    return out


# --- segments -----------------------------------------------------------------------------------


def bind_segments(
    pipeline: Pipeline, binder: Callable[[], Binder], raw: Collection[str] | None = None
) -> Iterator[Segment]:
    """The segments of a pipeline, bound one by one as they are asked for.

    ``binder`` makes a fresh binder with provenance; each segment has its own. All events of the
    binder's time range are looked at (of raw events only those in the tables ``raw``, if given);
    the search's own time range is one of its conditions. From the second segment on, the rows are
    those that hold all conditions before.
    """
    commands = pipeline.commands
    current = binder()
    part, at = _events(commands[0], current, raw)
    after: CommandNode | None = None
    while True:
        while at < len(commands) and part.takes(commands[at]):
            at += 1
        if at < len(commands):
            part.dropped_by(commands[at], starts=at == 0)
        yield part.finish(after, at)
        if at >= len(commands):
            return
        current = binder()
        after = commands[at]
        at += 1
        relation = current.pipeline(Pipeline(commands[:at]))
        while relation.traits.prestats and at < len(commands):
            relation = current.apply(commands[at], relation)
            at += 1
        part = _Part(relation, current)


def find_tables(ids: Sequence[int], binder: Binder) -> list[str]:
    """The raw tables that hold events."""
    found = []
    for schema in binder.catalog.raw_tables():
        if binder.catalog.files(schema.table, binder.within):
            rows = binder.read(schema)
            if rows.evidence is not None:
                query = select([column(rows.evidence.ids)], rows.render())
                filter_rows(query, _made_by(rows.evidence, ids))
                if binder.run(query, rows).num_rows:
                    found.append(schema.table)
    return found


def _raw(binder: Binder, raw: Collection[str] | None) -> Relation:
    """All raw events. Only their read is narrowed: a subsearch sees all tables."""
    if raw is None:
        return binder.read_raw(And(()))
    tables = [t for t in binder.catalog.raw_tables() if t.table in raw]
    narrow = OtherRawTables(binder.catalog, tables)
    return replace(binder, catalog=narrow).read_raw(And(()))


def _events(first: CommandNode, binder: Binder, raw: Collection[str] | None) -> tuple[_Part, int]:
    """The rows that a search starts with, the filters of its first command, and how many commands
    these are (none for ``tstats``, whose groups are the next segment)."""
    if isinstance(first, Search):
        part = _Part(_raw(binder, raw), binder)
        part.search("search", first.expr, first.span, SEARCH, starts=True)
        return part, 1
    if isinstance(first, Tstats) and first.namespace is None and first.sid is None:
        return _tstats(first, binder, raw), 0
    if isinstance(first, From) and first.kind == "datamodel":
        model, _, name = first.object.partition(".")
        found = dataset.find(model, name or None, binder, first.span)
        return _dataset(found, binder, first, prefixed=False), 1
    if isinstance(first, DataModel) and first.model and first.mode in ("search", "flat"):
        found = dataset.find(first.model, first.dataset, binder, first.span)
        return _dataset(found, binder, first, prefixed=first.mode == "search"), 1
    return _Part(binder.apply(first, None), binder), 1


def _tstats(command: Tstats, binder: Binder, raw: Collection[str] | None) -> _Part:
    expr: SearchExpr = command.where or And(())
    if command.model is None:
        part = _Part(_raw(binder, raw), binder)
    else:
        expr, node = dataset.split_node(expr)
        found = dataset.find(command.model, node or command.dataset, binder, command.span)
        part = _dataset(found, binder, command, prefixed=True)
    part.search("tstats", expr, command.span, TSTATS, starts=True)
    return part


def _dataset(
    found: dataset.Dataset, binder: Binder, command: CommandNode, *, prefixed: bool
) -> _Part:
    plain = binder.read(found.schema, constrained=False)
    rows = replace(plain, base=dataset.DatasetBase(found, plain.base)) if prefixed else plain
    part = _Part(rows, binder)
    if found.schema.constraint:
        # The constraint names fields without the dataset's name.
        tree = Tree(binder.scope(plain), binder)
        conditions = tree.tops(parse_search(found.schema.constraint), SEARCH)
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

    def finish(self, after: CommandNode | None, end: int) -> Segment:
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
            end,
            self.binder,
        )

    def takes(self, command: CommandNode) -> bool:
        """Whether a command belongs to the segment; it does then."""
        match command:
            case Search():
                self.search("search", command.expr, command.span, SEARCH)
            case Where():
                tree = Tree(self.binder.scope(self.relation), self.binder)
                conditions = tuple(tree.eval_tops(command.expr))
                self.add(Filter("where", command.format(), command.span, conditions), tree)
            case Regex():
                tree = Tree(self.binder.scope(self.relation), self.binder)
                conditions = (tree.regex(command),)
                self.add(Filter("regex", command.format(), command.span, conditions), tree)
            case DeclaredCommand() if command.declaration().row_by_row:
                self.relation = self.binder.apply(command, self.relation)
            case _:
                return False
        return True

    def search(
        self,
        command: str,
        expr: SearchExpr,
        span: Span | None,
        rules: Rules,
        *,
        starts: bool = False,
    ) -> None:
        """A search expression; that of the first command has the time range of the search."""
        modifiers: tuple[TimeModifier, ...] = ()
        word = "search" if command == "search" else "WHERE"
        text = f"{word} {search_text(expr)}"
        if starts:
            expr, modifiers = split_modifiers(expr)
        tree = Tree(self.binder.scope(self.relation), self.binder)
        conditions = tree.tops(expr, rules)
        if modifiers:
            conditions.insert(0, tree.time(modifiers))
        if conditions:
            self.add(Filter(command, text, span, tuple(conditions)), tree)

    def dropped_by(self, command: CommandNode, *, starts: bool) -> None:
        """The condition that no field is null by which a command groups."""
        match command:
            case Stats(by=names):
                pass
            case Tstats(by=names, fillnull_value=None) if starts:
                pass
            case Dedup(fields=names, keepempty=False):
                pass
            case _:
                return
        names = tuple(n for n in dict.fromkeys(names) if n != "_time")
        if not names:
            return
        tree = Tree(self.binder.scope(self.relation), self.binder)
        conditions = tuple(tree.present(n, command.span) for n in names)
        text = f"{command.name} BY {' '.join(names)}"
        self.add(Filter("by", text, command.span, conditions), tree)

    def add(self, found: Filter, tree: Tree) -> None:
        self.filters.append(found)
        self.close += tree.close
        if tree.columns:
            self.relation = self.relation.hide(tree.columns)
