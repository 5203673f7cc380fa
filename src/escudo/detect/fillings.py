"""What rows of a table can hold at all, a condition on them -> whether any row can meet it;
``actions.source_coverage`` asks it for what searches need (``spl.relation.scans.Need``).

It is judged condition by condition, and column by column: that two conditions exclude each other is
not seen, so ``True`` means as far as this shows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Protocol, TypeAlias

import pyarrow as pa
from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl import Scan, alias, list_of, literal_text, select, table

Filling: TypeAlias = frozenset[str] | None
"""The texts that a column can hold: none of them if it is never filled; None: any."""

NEVER: frozenset[str] = frozenset()
"""A column that is never filled."""

_MOST_ROWS = 64
"""Combinations of known texts that are tried; of more it is not known."""

_ONE = pa.table({"row": [0]})


class Rows(Protocol):
    """Rows that are all of one kind."""

    def column(self, name: str) -> Filling:
        """What a stored column holds."""
        ...

    def key(self, name: str) -> Filling:
        """What the rest map holds under a name."""
        ...

    def kind(self, name: str) -> FieldType:
        """The type of a stored column."""
        ...


class FoundRows(ABC):
    """Rows whose columns are found when they are asked for, each once."""

    @cached_property
    def _found(self) -> dict[str, Filling]:
        return {}

    def column(self, name: str) -> Filling:
        """What a stored column holds."""
        if name not in self._found:
            self._found[name] = self.find_column(name)
        return self._found[name]

    @abstractmethod
    def find_column(self, name: str) -> Filling:
        """The same, for its first time."""


class Runner(Protocol):
    """What runs a query without tables; an engine does."""

    def run(
        self, query: exp.Expression, scans: Sequence[Scan], tables: Mapping[str, pa.Table]
    ) -> pa.Table: ...


@dataclass
class Judge:
    """Judges conditions in SQL, and remembers what the engine said of constant ones."""

    engine: Runner
    rest: str
    _known: dict[str, bool] = field(default_factory=dict)

    def find_obstacle(self, condition: exp.Expr, rows: Rows) -> frozenset[str] | None:
        """The fields that keep rows from meeting a condition; None if nothing does."""
        sql = condition.unnest()
        match sql:
            case exp.And():
                lacking = [self.find_obstacle(part, rows) for part in _operands(sql)]
                every = [names for names in lacking if names is not None]
                return frozenset().union(*every) if every else None
            case exp.Or():
                lacking = [self.find_obstacle(part, rows) for part in _operands(sql)]
                if any(names is None for names in lacking):
                    return None
                return min((n for n in lacking if n is not None), key=len)
            case exp.Boolean():
                return None if sql.this else frozenset()
            case exp.Null():
                return frozenset()
            case exp.Coalesce() if _ends_false(sql):
                return self.find_obstacle(sql.this, rows)
            case exp.Not():
                return self._judge_not(sql.this.unnest(), rows)
            case exp.Is(expression=exp.Null()):
                return None
        if not self._may_fill(sql, rows):
            return frozenset(self._list_empty(sql, rows))
        if isinstance(sql, exp.EQ) and self._differs(sql, rows):
            return frozenset(self._list_known(sql, rows))
        return None if self._may_be_true(sql, rows) else frozenset(self._list_known(sql, rows))

    def _differs(self, sql: exp.EQ, rows: Rows) -> bool:
        """Whether a column is compared with a text that it never has."""
        left, right = sql.this.unnest(), sql.expression.unnest()
        lower = isinstance(left, exp.Lower)
        value = left.this.unnest() if lower else left
        key = self._find_key(value)
        if not (isinstance(right, exp.Literal) and right.is_string):
            return False
        if key is None and not isinstance(value, exp.Column):
            return False
        known = rows.key(key) if key is not None else rows.column(value.name)
        if known is None:
            return False
        return right.name not in {text.lower() if lower else text for text in known}

    def may_fill(self, value: exp.Expr, rows: Rows) -> bool:
        """Whether an expression can have a value."""
        return self._may_fill(value.unnest(), rows)

    def _judge_not(self, inner: exp.Expr, rows: Rows) -> frozenset[str] | None:
        if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
            value = inner.this.unnest()
            filled = self._may_fill(value, rows)
            return None if filled else frozenset(self._list_empty(value, rows))
        if isinstance(inner, exp.Boolean):
            return frozenset() if inner.this else None
        if self._may_fill(inner, rows):
            return None
        return frozenset(self._list_empty(inner, rows))

    def _may_fill(self, sql: exp.Expr, rows: Rows) -> bool:
        sql = sql.unnest()
        key = self._find_key(sql)
        if key is not None:
            return rows.key(key) != NEVER
        match sql:
            case exp.Column():
                return rows.column(sql.name) != NEVER
            case exp.Null():
                return False
            case exp.Literal() | exp.Boolean():
                return True
            case exp.Coalesce():
                return any(self._may_fill(part, rows) for part in (sql.this, *sql.expressions))
            case exp.Case():
                branches = [
                    branch.args["true"]
                    for branch in sql.args["ifs"]
                    if self.find_obstacle(branch.this, rows) is None
                ]
                default = sql.args.get("default")
                values = branches if default is None else [*branches, default]
                return any(self._may_fill(value, rows) for value in values)
            case exp.If():
                values = [sql.args["true"], sql.args.get("false") or exp.null()]
                return any(self._may_fill(value, rows) for value in values)
            case exp.Is() | exp.Exists() | exp.Subquery() | exp.Or() | exp.Lambda():
                return True
            case exp.Nullif():
                return self._may_fill(sql.this, rows)
        if isinstance(sql, exp.Array) or _joins(sql):
            return True
        return all(self._may_fill(part, rows) for part in sql.iter_expressions())

    def _may_be_true(self, sql: exp.Expr, rows: Rows) -> bool:
        """Whether it can be true of the texts that are known; it can where some are not."""
        names = sorted({name for name, _ in self._references(sql)})
        texts: list[list[str]] = []
        for name in names:
            known = self._find(name, rows)
            if known is None:
                return True
            texts.append(sorted(known))
        if not names or any(isinstance(n, exp.Subquery | exp.Lambda) for n in sql.walk()):
            return True
        many = {n for n in names if n[0] == "column" and rows.kind(n[1]) is FieldType.MULTIVALUE}
        lists = [[tuple(t)] if n in many else t for n, t in zip(names, texts, strict=True)]
        combinations = list(product(*lists))
        if len(combinations) > _MOST_ROWS:
            return True
        return any(
            self._evaluate(self._put(sql, dict(zip(names, values, strict=True))))
            for values in combinations
        )

    def _evaluate(self, sql: exp.Expr) -> bool:
        text = sql.sql("duckdb")
        if text not in self._known:
            try:
                query = select([alias(exp.Paren(this=sql), "held")], table("one"))
                rows = self.engine.run(query, [], {"one": _ONE})
                self._known[text] = bool(rows.column(0)[0].as_py())
            except EscudoError:
                self._known[text] = True
        return self._known[text]

    def _put(self, sql: exp.Expr, values: dict[tuple[str, str], object]) -> exp.Expr:
        def put(node: exp.Expr) -> exp.Expr:
            key = self._find_key(node)
            if key is not None:
                return _constant(values["key", key])
            if isinstance(node, exp.Column) and node.name != self.rest:
                return _constant(values["column", node.name])
            return node

        return sql.transform(put)

    def _find(self, name: tuple[str, str], rows: Rows) -> Filling:
        which, plain = name
        return rows.key(plain) if which == "key" else rows.column(plain)

    def _references(self, sql: exp.Expr) -> Iterator[tuple[tuple[str, str], exp.Expr]]:
        for node in sql.walk():
            key = self._find_key(node)
            if key is not None:
                yield ("key", key), node
            elif isinstance(node, exp.Column) and node.name != self.rest:
                yield ("column", node.name), node

    def _find_key(self, node: exp.Expr) -> str | None:
        """The name under which a node looks into the rest map, if it does."""
        if isinstance(node, exp.Bracket) and isinstance(node.this.unnest(), exp.Column):
            index = node.expressions[0].unnest()
            if node.this.unnest().name == self.rest and isinstance(index, exp.Literal):
                return str(index.this)
        return None

    def _list_empty(self, sql: exp.Expr, rows: Rows) -> Iterator[str]:
        for name, _ in self._references(sql):
            if self._find(name, rows) == NEVER:
                yield name[1]

    def _list_known(self, sql: exp.Expr, rows: Rows) -> Iterator[str]:
        for name, _ in self._references(sql):
            if self._find(name, rows) is not None:
                yield name[1]


def _constant(value: object) -> exp.Expr:
    if isinstance(value, tuple):
        return list_of([literal_text(text) for text in value])
    return literal_text(str(value))


def _operands(sql: exp.Connector) -> Iterator[exp.Expr]:
    return (part for part in sql.flatten() if isinstance(part, exp.Expression))


def _ends_false(sql: exp.Coalesce) -> bool:
    [*_, last] = sql.expressions or [exp.null()]
    return isinstance(last, exp.Boolean) and not last.this


_JOINING = frozenset({"concat_ws", "list_concat", "list_value", "list_filter", "spl_mvappend"})
"""Functions that give a value where an argument has none."""


def _joins(sql: exp.Expr) -> bool:
    name = str(sql.this) if isinstance(sql, exp.Anonymous) else sql.key
    return name.lower() in _JOINING
