"""A read of one table, and what must be in that table if a search is to give anything.

A search gives no row where no stored row meets what it needs: so a hunt asks that of many searches
in one scan, and runs only those that may find something. A need may be weaker than the search,
never stronger: what is not known of stored columns holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from escudo.core.schema import Column, TableSchema
from escudo.core.timerange import TimeRange
from escudo.spl.relation.sql import all_hold, any_holds

MOST_NODES = 400
"""Nodes of an expression that is written in place of a field; a larger one is not known."""


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
class Need:
    """Rows of one table without which a search gives none.

    ``conditions`` are over the table's stored columns. ``columns`` says what other identifiers
    stand for, in terms of those.
    """

    scan: Scan
    conditions: tuple[exp.Expression, ...] = ()
    columns: Mapping[str, exp.Expression] = field(default_factory=dict)

    def restrict(self, condition: exp.Expression) -> Need:
        """With a condition, as far as it is known."""
        known = self._relax(condition)
        if isinstance(known, exp.Boolean) and known.this:
            return self
        return replace(self, conditions=(*self.conditions, known))

    def extend(self, columns: Iterable[tuple[str, exp.Expression]]) -> Need:
        """With identifiers for expressions, those that are known."""
        found = ((ident, self.resolve(sql)) for ident, sql in columns)
        known = {ident: sql for ident, sql in found if sql is not None}
        return replace(self, columns={**self.columns, **known})

    def aggregated(self) -> Need:
        """After rows were made of several: none of the columns is what it was."""
        return replace(self, columns={})

    def _relax(self, sql: exp.Expression) -> exp.Expression:
        match sql:
            case exp.Paren(this=inner):
                return self._relax(inner)
            case exp.And():
                return all_hold(map(self._relax, _operands(sql)))
            case exp.Or():
                return any_holds(map(self._relax, _operands(sql)))
        return self.resolve(sql) or exp.true()

    def resolve(self, sql: exp.Expression) -> exp.Expression | None:
        """An expression over stored columns; None where it is not known, or too large."""
        if sql.find(exp.Query, exp.Lambda, exp.Window):
            return None
        names = {c.name for c in sql.find_all(exp.Column)}
        if not names <= self.columns.keys():
            return None
        meant = {n: self.columns[n] for n in names}
        if all(isinstance(m, exp.Column) and m.name == n for n, m in meant.items()):
            return sql

        def put(node: exp.Expression) -> exp.Expression:
            if isinstance(node, exp.Column):
                return exp.paren(self.columns[node.name], copy=True)
            return node

        made = sql.copy().transform(put)
        if sum(1 for _ in made.walk()) > MOST_NODES:
            return None
        return made


def _operands(sql: exp.Connector) -> Iterator[exp.Expression]:
    return (part for part in sql.flatten() if isinstance(part, exp.Expression))
