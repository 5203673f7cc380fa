"""A read of one table, and what must be in that table if a search is to give anything.

A search gives no row where no stored row meets what it needs: so a hunt asks that of many searches
in one scan, and runs only those that may find something. A need may be weaker than the search,
never stronger: what is not known of stored columns holds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeAlias

from sqlglot import exp

from escudo.core.schema import Column, TableSchema
from escudo.core.timerange import TimeRange
from escudo.spl.relation.comparison import split_any_value
from escudo.spl.relation.gathered import Gathered, ask_one
from escudo.spl.relation.sql import all_hold, any_holds, case_when, column, is_true, list_operands

MOST_GROUPS = 8
"""Groups of needs that are put together, each of one side with each of the other."""

MOST_NODES = 400
"""Nodes of an expression that is written in place of a field; a larger one is not known."""


@dataclass
class Scan:
    """A read of one table; ``name`` is its placeholder table in the SQLGlot tree.

    ``columns`` (SPL name -> column) grows by demand while the search is bound; the engine replaces
    the placeholder by the files that the catalog gives for ``within``. ``thorough``: what it needs
    is wanted in full, also where that costs more than it rules out.
    """

    name: str
    schema: TableSchema
    within: TimeRange
    columns: dict[str, Column] = field(default_factory=dict)
    thorough: bool = False


@dataclass(frozen=True)
class Member:
    """A list of one value, once or several times, where a condition holds; else of another, or of
    none."""

    condition: exp.Expression
    value: exp.Expression
    otherwise: exp.Expression | None = None


@dataclass(frozen=True)
class Terms:
    """What is known of identifiers: conditions on them are put in terms of ``stored`` ones.

    ``columns`` says what other identifiers stand for, in terms of those and of each other.
    """

    stored: frozenset[str]
    columns: Mapping[str, exp.Expression] = field(default_factory=dict)
    members: Mapping[str, Member] = field(default_factory=dict)
    """Identifiers of lists that hold one value, once or several times, or none."""
    settled: Mapping[str, exp.Expression] = field(default_factory=dict)
    """Identifiers that stand for the same in each row that others were made of, over the table's
    own columns: keys of groupings."""
    gathered: Mapping[str, Gathered] = field(default_factory=dict)
    """Identifiers of lists of values that the rows had which others were made of, over the table's
    own columns."""
    barred: frozenset[str] = frozenset()
    """Functions that no condition is to call (in lower case): what does so counts as not known."""
    thorough: bool = False
    """Whether a condition is asked, too, that says little of a computed column."""

    def extend(
        self,
        columns: Iterable[tuple[str, exp.Expression]],
        members: Iterable[tuple[str, Member]] = (),
    ) -> Terms:
        """With identifiers for expressions, and for lists."""
        return replace(
            self,
            columns={**self.columns, **dict(columns)},
            members={**self.members, **dict(members)},
        )

    def settle(self, keys: Iterable[str], gathered: Iterable[tuple[str, Gathered]] = ()) -> Terms:
        """Where nothing is known any more but the keys, and lists of what the rows had."""
        resolved = {key: self.resolve(column(key)) for key in keys}
        settled = {key: sql for key, sql in resolved.items() if sql is not None}
        lists = {
            ident: replace(found, value=value)
            for ident, found in gathered
            if (value := self.resolve(found.value)) is not None
        }
        return replace(
            self, stored=frozenset(), columns={}, members={}, settled=settled, gathered=lists
        )

    def relax(self, condition: exp.Expression) -> exp.Expression:
        """What a condition asks of stored columns at least: TRUE where that is not known."""
        return self._relax(condition, {})

    def ask_one(self, condition: exp.Expression) -> exp.Expression:
        """What a condition asks of at least one of the rows that lists were gathered of: TRUE where
        that is not known."""
        if not self.gathered:
            return exp.true()
        asked = ask_one(condition, self.gathered, self.columns)
        return exp.true() if asked is None or not self._may_ask(asked) else asked

    def _may_ask(self, sql: exp.Expression) -> bool:
        nodes = list(islice(sql.walk(), MOST_NODES + 1))
        calls = (str(n.this).lower() for n in nodes if isinstance(n, exp.Anonymous))
        return len(nodes) <= MOST_NODES and not any(name in self.barred for name in calls)

    def resolve(self, sql: exp.Expression) -> exp.Expression | None:
        """An expression over stored columns; None if it is not known, or too large."""
        return self._resolve(sql, {})

    def _relax(
        self, sql: exp.Expression, known: dict[str, exp.Expression | None]
    ) -> exp.Expression:
        match sql:
            case exp.Paren(this=inner):
                return self._relax(inner, known)
            case exp.And():
                return all_hold(self._relax(part, known) for part in list_operands(sql))
            case exp.Or():
                return any_holds(self._relax(part, known) for part in list_operands(sql))
            case exp.Not() if self._says_little(sql):
                return exp.true()  # as of the key of a grouping: it says little, and costs much
        found = self._resolve(self._ask_members(sql), known)
        return exp.true() if found is None else found

    def _ask_members(self, sql: exp.Expression) -> exp.Expression:
        """Whether any value of a list of members meets a condition: whether theirs does."""
        asked = split_any_value(sql) if self.members else None
        held = asked.values if asked is not None else None
        member = self._find_member(held.name) if isinstance(held, exp.Column) else None
        if asked is None or member is None:
            return sql
        otherwise = exp.false() if member.otherwise is None else asked.of(member.otherwise)
        return case_when((member.condition, asked.of(member.value)), otherwise=otherwise)

    def _find_member(self, name: str) -> Member | None:
        match self.columns.get(name):
            case exp.Coalesce(this=exp.Column() as first, expressions=[exp.Array() as second]):
                member = self.members.get(first.name)
                if member is not None and len(second.expressions) == 1:
                    return replace(member, otherwise=second.expressions[0])
        return self.members.get(name)

    def _says_little(self, sql: exp.Not) -> bool:
        return _is_presence(sql) and not self.thorough and not self._is_stored(sql)

    def _is_stored(self, sql: exp.Expression) -> bool:
        return all(c.name in self.stored for c in sql.find_all(exp.Column))

    def _resolve(
        self, sql: exp.Expression, known: dict[str, exp.Expression | None]
    ) -> exp.Expression | None:
        """An expression over stored columns; None where it is not known, or too large.

        ``known`` has the identifiers that were looked at before.
        """
        names: set[str] = set()
        elements: set[str] = set()
        for number, node in enumerate(sql.walk()):
            if isinstance(node, exp.Query | exp.Window) or number > MOST_NODES:
                return None
            if isinstance(node, exp.Lambda):
                elements.update(e.name for e in node.expressions)
            if isinstance(node, exp.Anonymous) and str(node.this).lower() in self.barred:
                return None
            if isinstance(node, exp.Column):
                names.add(node.name)
        names -= self.stored | elements
        if not names:
            return sql
        for name in names & self.settled.keys():
            known[name] = self.settled[name]
        for name in names - known.keys():
            definition = self.columns.get(name)
            known[name] = None if definition is None else self._resolve(definition, known)
        meant = {n: found for n in names if (found := known[n]) is not None}
        if len(meant) < len(names):
            return None

        def put(node: exp.Expression) -> exp.Expression:
            if isinstance(node, exp.Column) and node.name in meant:
                return exp.paren(meant[node.name], copy=True)
            return node

        made = sql.transform(put)
        return None if any(n > MOST_NODES for n, _ in enumerate(made.walk())) else made


@dataclass(frozen=True)
class Need:
    """Rows of one table without which a search gives none.

    ``conditions`` are over the columns of the table that ``terms`` have as stored.
    """

    scan: Scan
    terms: Terms
    conditions: tuple[exp.Expression, ...] = ()
    counts: frozenset[str] | None = frozenset()
    """Identifiers of numbers that no more rows can make than there are; None where a row of the
    table was made into several."""
    least: int = 1
    """Rows of the table that it takes, with those of the other needs of the group."""
    sealed: bool = False
    """Whether a step looked at several rows together: what is asked behind it is of what that step
    made of all rows, also of those that do not meet it."""
    of_one: bool = False
    """Whether there is a condition that one of the rows meets which another row was made of."""
    complete: bool = True
    """Whether the search gives the same without the rows that do not meet the conditions."""

    def restrict(self, condition: exp.Expression) -> Need:
        """With a condition, as far as it is known."""
        counts = self.counts or frozenset()
        parts = list(_conjuncts(condition))
        least = max(self.least, *(_least_count(c, counts) for c in parts))
        known = self.terms.relax(condition)
        need = replace(self, least=1 if self.of_one else least)
        if not is_true(known):
            need = replace(
                need,
                conditions=(*self.conditions, known),
                complete=self.complete and not self.sealed,
            )
        return need if need.least > 1 else need._restrict_one(parts)

    def _restrict_one(self, parts: Iterable[exp.Expression]) -> Need:
        """With what the first part that is known asks of one row: that of another part may be
        another row."""
        asked = (self.terms.ask_one(part) for part in parts if not self.of_one)
        known = next((sql for sql in asked if not is_true(sql)), None)
        if known is None:
            return self
        return replace(self, conditions=(*self.conditions, known), of_one=True, complete=False)

    def extend(
        self,
        columns: Iterable[tuple[str, exp.Expression]],
        members: Iterable[tuple[str, Member]] = (),
    ) -> Need:
        """With identifiers for expressions, and for lists."""
        return replace(self, terms=self.terms.extend(columns, members))

    def seal(self) -> Need:
        """After a step that looked at several rows together."""
        return replace(self, sealed=True)

    def multiplied(self) -> Need:
        """After several rows were made of one."""
        return replace(self, counts=None)

    def aggregated(
        self,
        counts: Iterable[str] = (),
        keys: Iterable[str] = (),
        gathered: Iterable[tuple[str, Gathered]] = (),
    ) -> Need:
        """After rows were made of several: of the columns only the keys are what they were.
        ``counts`` are how many rows, or values of them, each was made of."""
        known = None if self.counts is None else frozenset(counts)
        return replace(self, terms=self.terms.settle(keys, gathered), counts=known)


Needs: TypeAlias = tuple[tuple[Need, ...], ...]
"""What a search needs: of each group, rows for one. No group: nothing is known, as with rows that
come from nowhere. A group without needs: there are no rows."""

NEVER: Needs = ((),)


def either(first: Needs, second: Needs) -> Needs:
    """What rows need that come from one or the other.

    >>> either(NEVER, ()), either(NEVER, NEVER)
    ((), ((),))
    """
    if len(first) * len(second) > MOST_GROUPS:  # then less is asked
        first, second = first[:1], second[:1]
    return tuple((*a, *b) for a in first for b in second)


def aggregate_needs(
    needs: Needs,
    counts: Iterable[str] | None = None,
    keys: Iterable[str] = (),
    gathered: Iterable[tuple[str, Gathered]] = (),
) -> Needs:
    """What rows need that are made of several; ``counts``, ``keys`` and ``gathered``: see
    ``bases.QueryBase``."""
    if counts is None:
        needs = tuple(tuple(n.multiplied() for n in group) for group in needs)
    return tuple(
        tuple(n.aggregated(counts or (), keys, gathered) for n in group) for group in needs
    )


def _conjuncts(sql: exp.Expression) -> Iterator[exp.Expression]:
    return list_operands(sql) if isinstance(sql, exp.And) else iter((sql,))


def _least_count(condition: exp.Expression, counts: frozenset[str]) -> int:
    """How many rows a condition on one of their counts takes."""
    sql = condition.unnest()
    if isinstance(sql, exp.GT | exp.GTE) and isinstance(sql.this, exp.Column):
        bound = sql.expression.unnest()
        if sql.this.name in counts and isinstance(bound, exp.Literal) and not bound.is_string:
            most = float(bound.name)
            return max(1, math.floor(most) + 1 if isinstance(sql, exp.GT) else math.ceil(most))
    return 1


def _is_presence(condition: exp.Not) -> bool:
    """Whether a condition is ``NOT ... IS NULL``."""
    inner = condition.this.unnest()
    return isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null)
