"""Commands over relations, with a catalog, a clock and a time range -> relations; the front door
binds a search by it, lint and ``why`` do so command by command.

Binding and running interleave where the schema depends on data (``chart ... by``, ``transpose``,
subsearches that become conditions, batch functions): the binder then runs what is bound so far
through its ``Runner``. Without one (validation, ``explain``) such a place is bound with an open
schema and ``Binder.deferred`` says so.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import ClassVar, Self

import pyarrow as pa
from sqlglot import exp

from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic, EscudoError, Severity, Span
from escudo.core.schema import FieldType, TableSchema
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.spl.binding.arrow_rows import EVIDENCE, find_rows, relation_of_rows
from escudo.spl.binding.declaration import DeclaredCommand
from escudo.spl.binding.effects import Effect
from escudo.spl.binding.relation_scope import RelationScope
from escudo.spl.binding.required_fields import RequiredFields, required_fields
from escudo.spl.binding.runner import GroupRunner, Groups, GroupWork, Runner
from escudo.spl.binding.subsearch import (
    MAX_ROWS,
    resolve_subsearches,
    rows_as_conditions,
    rows_as_text,
)
from escudo.spl.lowering.lower_eval import lower_eval
from escudo.spl.lowering.lower_search import SEARCH, Rules, lower_search
from escudo.spl.lowering.scan import ScanBase, UnionBase
from escudo.spl.relation.arrow_types import ARROW_TYPES
from escudo.spl.relation.bases import LateProof, OpenBase, QueryBase, TableBase
from escudo.spl.relation.clock import Clock
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.final_query import select_fields
from escudo.spl.relation.gathered import Gathered
from escudo.spl.relation.identifiers import Names
from escudo.spl.relation.relation import Evidence, Relation
from escudo.spl.relation.scans import Scan
from escudo.spl.relation.sql import (
    alias,
    column,
    count_rows,
    is_false,
    prelude_call,
    select,
)
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Bound, Typed
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import (
    CommandNode,
    Compare,
    EvalExpr,
    InList,
    Pipeline,
    SearchExpr,
    SubsearchTerm,
)
from escudo.spl.syntax.parse_search import parse_search


@dataclass
class Binder:
    """What binding needs, and what it leaves: diagnostics, Arrow tables, allocated names."""

    catalog: Catalog
    knowledge: Knowledge
    clock: Clock
    within: TimeRange
    parse: Callable[[str], Pipeline]
    """Text of a pipeline (macros and all) -> its tree, for commands that hold one as text."""
    runner: Runner | None = None
    provenance: bool = False
    dress: Callable[[Relation, Binder], Relation] = field(default=lambda events, _binder: events)
    """Gives the raw events of a table the search-time fields of the knowledge."""
    names: Names = field(default_factory=Names)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    tables: dict[str, pa.Table] = field(default_factory=dict)
    between: TimeRange = ALL_TIME
    """The part of its time that events are read of, whatever times the search names."""
    prune: bool = True
    """Whether commands that work on all fields at once get only those that are asked for later."""
    required: RequiredFields | None = None
    following: tuple[CommandNode, ...] = ()
    """The commands behind the one that is bound, of its pipeline."""
    """The fields that the commands after the current one may ask for; None: any."""
    effects: list[Effect] = field(default_factory=list)
    """What the search asks to be changed; the caller does it, or does not."""
    deferred: list[str] = field(default_factory=list)
    """What could not be run while binding (no runner), in words."""

    screening: bool = False
    """Whether only what the search needs is asked (``Relation.needs``), not its query."""
    thorough: bool = False
    """Whether what it needs is asked in full (``Scan.thorough``)."""
    writers: list[str] = field(default_factory=list)
    """The commands that ask for a change, also where nothing is run."""

    @property
    def now(self) -> float:
        """The time of the search; what asks is true of this run only."""
        return self.clock.read()

    @property
    def zone(self) -> tzinfo:
        """The time zone whose days the search is about."""
        return self.clock.zone

    # pipelines

    def pipeline(self, pipeline: Pipeline, source: Relation | None = None) -> Relation:
        """The relation of a pipeline over a source (None: it generates its own rows)."""
        relation = source
        around = self.required, self.following
        for i, command in enumerate(pipeline.commands):
            self.following = tuple(pipeline.commands[i + 1 :])
            self.required = required_fields(self.following) if self.prunes(command) else None
            relation = self.apply(command, relation)
        self.required, self.following = around
        assert relation is not None
        return relation

    def prunes(self, command: CommandNode) -> bool:
        """Whether the command is to get only the fields that are asked for after it."""
        return self.prune and isinstance(command, Command) and command.declaration().looks_ahead

    def apply(self, command: CommandNode, relation: Relation | None) -> Relation:
        """The relation after one command."""
        assert isinstance(command, Command)
        if command.declares.writes:
            self.writers.append(command.name)
        known = len(self.deferred)
        made = command.bind(relation, self)
        if self.screening and any(what != _CONDITION for what in self.deferred[known:]):
            return self._forget(made, relation)
        return made

    def _forget(self, made: Relation, before: Relation | None) -> Relation:
        """The rows of a command that could not be bound in full: fields of it may be missing, and
        what it asks of them means nothing. What it says of rows beside those before it holds."""
        return self.anything(made.names(), made_of=(made,) if before is None else (before, made))

    def defer(self, what: str) -> None:
        """Says that something is not known until it has run."""
        self.deferred.append(what)

    def subsearch(self, pipeline: Pipeline) -> Relation:
        """The rows of a search inside the search; it has the same time range."""
        return self.pipeline(pipeline)

    def count(self, relation: Relation, most: int) -> int:
        """How many rows there are, counted up to ``most``."""
        query = select([alias(count_rows(), "n")], relation.limit(most).render())
        return int(self.run(query, relation).column(0)[0].as_py())

    def subsearch_condition(self, term: SubsearchTerm) -> SearchExpr | None:
        """The rows of a subsearch as conditions; None where nothing can be run."""
        rows = self.subsearch_rows(term.pipeline)
        if rows is None or not term.before:
            return None if rows is None else rows_as_conditions(rows)
        return parse_search(term.before + rows_as_text(rows))

    def subsearch_rows(self, pipeline: Pipeline) -> pa.Table | None:
        """The rows of a subsearch under the names of their fields; None without a runner, unless a
        lookup has them all."""
        relation = self.pipeline(pipeline).limit(MAX_ROWS + 1)
        if self.screening and (rows := find_rows(relation, self.tables)) is not None:
            return rows
        if self.runner is not None:
            relation = self.closed(relation)
        found = self.collect(relation, _CONDITION)
        if found is None or found.num_rows <= MAX_ROWS:
            return found
        self.warn(
            "SPL320",
            f"the subsearch gives more than {MAX_ROWS:,} rows; the others are no conditions",
            pipeline.span,
        )
        return found.slice(0, MAX_ROWS)

    def during(self, within: TimeRange) -> Binder:
        """The same binder (shared names, tables, diagnostics) with another time range."""
        return replace(self, within=within)

    def warn(self, code: str, message: str, span: Span | None = None) -> None:
        found = Diagnostic(code, message, Severity.WARNING, span)
        if found not in self.diagnostics:
            self.diagnostics.append(found)

    def run(self, query: exp.Expression, relation: Relation) -> pa.Table:
        """Run a query over a relation; only with a runner."""
        assert self.runner is not None
        return self.runner.run(query, list(relation.scans()), self.tables)

    # sources

    def read(
        self, schema: TableSchema, within: TimeRange | None = None, *, constrained: bool = True
    ) -> Relation:
        """A scan of a table, limited to its dataset's rows, newest first."""
        name = self.names.fresh(f"scan_{schema.table}")
        window = self.within if within is None else within
        scan = Scan(name, schema, window, thorough=self.thorough)
        base = ScanBase(scan, self.names, self.clock)
        relation = self._arriving(Relation(base))
        if constrained and schema.constraint:
            condition = lower_search(parse_search(schema.constraint), self.scope(relation))
            relation = relation.where(condition)
        return relation

    def read_raw(
        self, expr: SearchExpr, within: TimeRange | None = None, rules: Rules = SEARCH
    ) -> Relation:
        """The raw events that a search expression selects.

        Families that hold nothing of the time range are left out, and those whose events can never
        match. Where none holds anything, all are bound, or to run it some: rows there are none.
        """
        within = (self.within if within is None else within) & self.between
        expr = resolve_subsearches(expr, self.subsearch_condition)
        families = self.catalog.raw_tables()
        held: Sequence[TableSchema] = [s for s in families if self.catalog.files(s.table, within)]
        if not held:
            held = families if self.runner is None else _pick_likely(families, expr)
        kept: list[Relation] = []
        for schema in held:
            family = self.read(schema, within)
            if rules is SEARCH:
                family = self.dress(family, self)
            condition = lower_search(expr, self.scope(family), rules)
            if not is_false(condition):
                kept.append(family.where(condition))
        if not kept:
            return self._arriving(self.empty((*_EVENT_FIELDS, *self._proof())))
        if len(kept) == 1:
            return kept[0]
        plain = [replace(k, order=(), evidence=None) for k in kept]
        return self._arriving(Relation(UnionBase(plain, self.names)))

    def _proof(self) -> tuple[str, ...]:
        return ("_event_id", "source_file") if self.provenance else ()

    def _arriving(self, relation: Relation) -> Relation:
        """With the order of arrival (newest first) and what proves a row."""
        evidence = None
        if self.provenance:
            ids, files = relation.bound("_event_id"), relation.bound("source_file")
            if ids and files:
                evidence = Evidence(ids.ident, files.ident)
        return replace(relation.newest_first(), evidence=evidence)

    def empty(self, names: Sequence[str]) -> Relation:
        """No rows, with text fields of these names."""
        kinds = {n: _EMPTY_KINDS.get(n, FieldType.STRING) for n in names}
        nothing = pa.table({n: pa.array([], ARROW_TYPES[k]) for n, k in kinds.items()})
        relation = self.table(nothing, kinds)
        assert isinstance(relation.base, TableBase)
        return replace(relation, base=replace(relation.base, empty=True))

    def table(self, rows: pa.Table, kinds: Mapping[str, FieldType] | None = None) -> Relation:
        """Arrow rows as a relation; columns are SPL field names, in the order given."""
        name = self.names.fresh("rows")
        relation, self.tables[name] = relation_of_rows(name, rows, kinds or {}, self.names)
        return relation

    def batch(
        self,
        relation: Relation,
        what: str,
        function: Callable[[pa.Table], pa.Table],
        *,
        known: Sequence[str] | None = None,
        kinds: Mapping[str, FieldType] | None = None,
        keeps_empty: bool = False,
        groups: Groups | None = None,
    ) -> Relation:
        """A function over the rows so far, as an Arrow table of SPL fields.

        ``known`` are fields that the result is sure to have (None: those of the rows). Without a
        runner any field may be there. Columns named ``_evidence...`` are what proves the rows; a
        function may pass them on. ``keeps_empty``: of no rows it makes none. ``groups``: how the
        rows need not come here.
        """
        result = None if groups is None else self._work_on_groups(relation, groups)
        if result is None:
            rows = self.collect(relation, what, evidence=True)
            result = None if rows is None else function(rows)
        if result is None:
            names = list(known) if known is not None else relation.names()
            return self.anything(names, made_of=(relation,) if keeps_empty else ())
        before = {n: b.type for n in relation.names() if (b := relation.bound(n)) is not None}
        same = {
            n: k
            for n, k in before.items()
            if n in result.column_names and ARROW_TYPES[k] == result.schema.field(n).type
        }
        return self.table(result, {**same, **(kinds or {})})

    def anything(self, names: Sequence[str], *, made_of: tuple[Relation, ...] = ()) -> Relation:
        """Rows that are not known while binding: any field may be there, all null so far.

        ``made_of``: where none of these has rows, there are none.
        """
        base = OpenBase(self.names.fresh("rows"), {}, self.names, made_of)
        for name in names:
            base.demand(name)
        self.tables[base.name] = pa.table({base.name: pa.array([], pa.int64())})
        return Relation(base)

    # expressions

    def scope(self, relation: Relation) -> RelationScope:
        return RelationScope(relation, self)

    def evaluate(self, expr: EvalExpr, relation: Relation) -> Typed:
        return lower_eval(expr, self.scope(relation))

    def condition(self, expr: SearchExpr, relation: Relation) -> exp.Expression:
        return lower_search(expr, self.scope(relation))

    # running

    def collect(self, relation: Relation, what: str, *, evidence: bool = False) -> pa.Table | None:
        """The rows of a relation so far, in order, columns named by SPL field; None without a
        runner. A column of a rest map keeps its identifier."""
        if self.runner is None:
            self.deferred.append(what)
            return None
        query, output = select_fields(relation, self.names, EVIDENCE if evidence else ())
        names = {ident: name for name, ident, _ in output}
        rows = self.run(query, relation)
        return rows.rename_columns([names.get(c, c) for c in rows.column_names])

    def _work_on_groups(self, relation: Relation, groups: Groups) -> pa.Table | None:
        """What a function gives that worked on rows by groups; None where it has to be given all,
        or the runner brings them here."""
        runner = self.runner
        if not isinstance(runner, GroupRunner) or not runner.works_on_groups:
            return None
        query, output = select_fields(relation, self.names, EVIDENCE)
        idents = {n: ident for n, ident, kind in output if kind is not FieldType.MULTIVALUE}
        if not groups.fields or not idents.keys() >= set(groups.fields):
            return None
        together = relation.where(groups.unless)
        count = select([alias(count_rows(), "rows")], together.render())
        if self.run(count, together)["rows"][0].as_py():
            return None
        work = GroupWork(
            keys=tuple(idents[n] for n in groups.fields),
            names={ident: name for name, ident, _ in output},
            number=self.names.fresh("number"),
            function=groups.function,
        )
        scans = list(relation.scans())
        return groups.join(runner.run_grouped(query, scans, self.tables, work))

    def closed(self, relation: Relation) -> Relation:
        """The relation with every field by name: those of an open rest map are looked up in the
        data (without a runner they stay unknown)."""
        fields = {n: relation.shown(n) for n in self.all_names(relation)}
        return relation.closed({n: b for n, b in fields.items() if b is not None})

    def narrowed(self, relation: Relation, names: Sequence[str] = ()) -> Relation:
        """``closed``, with only the fields that later commands may ask for, and ``names``."""
        required = self.required
        if required is None:
            return self.closed(relation)
        known = self.all_names(relation) if required.patterns else sorted(required.names)
        wanted = [n for n in known if n in required] + [n for n in names if n not in required]
        found = {n: b for n in wanted if (b := relation.bound(n)) is not None}
        return relation.closed(found)

    def all_names(self, relation: Relation) -> list[str]:
        """The names of all fields, those in a rest map included if it can be read now."""
        names = relation.names()
        if relation.rest is None:
            return names
        if self.runner is None:
            self.deferred.append("the names of all fields")
            return names
        keys = exp.Explode(this=prelude_call("map_keys", column(relation.rest)))
        query = select([alias(keys, "key")], relation.render())
        query.set("distinct", exp.Distinct())
        rows = self.run(query, relation)
        known = {*names, *relation.removed}
        return [*names, *sorted(k for k in rows.column(0).to_pylist() if k not in known)]

    def matching(self, relation: Relation, patterns: Sequence[str]) -> list[str]:
        """The names that patterns can select from: all fields if one has a ``*``, else none."""
        if not any("*" in p for p in patterns):
            return []
        return self.all_names(relation)

    def query(
        self,
        build: Callable[[], exp.Select],
        inputs: Sequence[Relation],
        fields: Mapping[str, Bound],
        order: Sequence[Order] = (),
        evidence: Evidence | None = None,
        *,
        keeps_empty: bool = False,
        counts: Sequence[str] | None = None,
        keys: Sequence[str] = (),
        gathered: Sequence[tuple[str, Gathered]] = (),
        distinct: bool = False,
        late_proof: LateProof | None = None,
    ) -> Relation:
        """A relation with fixed columns over others, rendered when all is bound.

        ``keeps_empty``: it has no row where the first of them has none. ``counts``, ``keys``,
        ``gathered``, ``distinct`` and ``late_proof``: see ``QueryBase``.
        """
        counted = None if counts is None else tuple(counts)
        base = QueryBase(
            build,
            tuple(inputs),
            fields,
            keeps_empty,
            counted,
            tuple(keys),
            tuple(gathered),
            distinct,
            late_proof,
        )
        relation = Relation(base, order=tuple(order), evidence=evidence)
        return relation.closed(dict(fields))


@dataclass(frozen=True, kw_only=True)
class Command(DeclaredCommand, ABC):
    """One command of a pipeline. Each is a subclass in ``spl/commands/<name>.py``."""

    aliases: ClassVar[tuple[str, ...]] = ()
    """Other names of the command."""
    generating: ClassVar[bool] = False
    """Whether it starts a pipeline (``tstats``, ``makeresults``); ``search`` may, too."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Every name that starts the command, in lower case."""
        return (cls.name, *cls.aliases)

    @classmethod
    @abstractmethod
    def parse(cls, args: Args) -> Self:
        """Read the command's arguments; what is left unread is an error."""

    @abstractmethod
    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        """The relation after the command; ``source`` is None at the start of a pipeline."""


def rows(source: Relation | None, command: CommandNode) -> Relation:
    """The rows a command works on. Raises ``SPL311`` where it stands first and cannot."""
    if source is None:
        raise EscudoError(
            "SPL311",
            f"'{command.name}' needs rows to work on",
            span=command.span,
            hint="put a search, | tstats, | inputlookup or | makeresults in front of it",
        )
    return source


def storable(value: Typed) -> Typed:
    """A value as a field can hold it: a condition becomes the text ``True`` or ``False``."""
    if value.type is FieldType.BOOLEAN:
        return Typed(as_text(value), FieldType.STRING)
    return value


def _pick_likely(families: Sequence[TableSchema], expr: SearchExpr) -> list[TableSchema]:
    """Some of the tables that have most of the fields that a search expression names."""
    named = {n.field_name for n in expr.walk() if isinstance(n, Compare | InList)}
    held = [(len(named & schema.by_name.keys()), schema) for schema in families]
    most = max((count for count, _ in held), default=0)
    return [schema for count, schema in held if count == most][:_LIKELY]


_LIKELY = 3
"""Tables that a search is run over where none has rows: with all 76 a search took a second."""

_CONDITION = "a subsearch"
"""What is deferred where a condition is: it leaves every event in."""

_EVENT_FIELDS = ("_time", "_raw", "host", "source", "sourcetype", "index")
_EMPTY_KINDS = {"_time": FieldType.TIME, "_event_id": FieldType.INTEGER}
