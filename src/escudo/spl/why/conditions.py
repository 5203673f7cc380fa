"""Expression -> a tree of conditions, and a boolean column for each; segments are made of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from escudo.core.errors import Span
from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder
from escudo.spl.binding.relation_scope import RelationScope
from escudo.spl.commands.regex import Regex
from escudo.spl.lowering.lower_search import Rules, lower_search, time_condition
from escudo.spl.operators.extraction import match_pattern
from escudo.spl.relation.coercion import as_boolean
from escudo.spl.relation.identifiers import Names
from escudo.spl.relation.sql import coalesce, column, has_value, in_parentheses, unequal
from escudo.spl.relation.time_modifiers import time_range
from escudo.spl.syntax.ast import (
    And,
    Binary,
    Call,
    Compare,
    EvalExpr,
    FieldRef,
    InList,
    Not,
    Or,
    SearchExpr,
    Term,
    TimeModifier,
    Unary,
    Value,
    fields_in,
)
from escudo.spl.syntax.unparse import eval_text, search_text

Expr = SearchExpr | EvalExpr


@dataclass(frozen=True)
class Read:
    """A field that a condition reads, as it is there; no ``ident``: it is not known there."""

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
        parts: list[exp.Expression] = [in_parentheses(o.sql()) for o in self.operands]
        if self.kind == "not":
            return exp.Not(this=parts[0])
        if self.kind == "xor":
            return unequal(parts[0], parts[1])
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
    dataset) or ``by`` (a null BY field drops the row).
    """

    command: str
    text: str
    span: Span | None
    conditions: tuple[Condition, ...]


class Tree:
    """Makes conditions of expressions; ``columns`` gets a boolean column for each of them."""

    def __init__(self, scope: RelationScope, binder: Binder) -> None:
        self.scope = scope
        self.binder = binder
        self.names: Names = binder.names
        self.columns: list[tuple[str, exp.Expression]] = []
        self.close: list[str] = []
        """Columns that tell whether a row comes near a comparison (it may also hold)."""

    def tops(self, expr: SearchExpr, rules: Rules) -> list[Condition]:
        """The conditions that must all hold; what holds for every event (``*``) is none."""
        match expr:
            case And(operands):
                return [c for o in operands for c in self.tops(o, rules)]
            case Term(Value(text="*")):
                return []
            case _:
                return [self.search(expr, rules, near=True)]

    def search(self, expr: SearchExpr, rules: Rules, *, near: bool = False) -> Condition:
        match expr:
            case And(operands) | Or(operands) if operands:
                parts = tuple(self.search(o, rules, near=near) for o in operands)
                kind = "and" if isinstance(expr, And) else "or"
                return Condition(kind, search_text(expr), expr.span, parts)
            case Not(operand):
                return Condition(
                    "not", search_text(expr), expr.span, (self.search(operand, rules),)
                )
        sql = lower_search(expr, self.scope, rules)
        known = coalesce(sql, exp.false())
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
        value = self.binder.evaluate(expr, self.scope.relation)
        names = tuple(dict.fromkeys(fields_in(expr)))
        return self._leaf(eval_text(expr), expr.span, as_boolean(value), names, expr)

    def regex(self, command: Regex) -> Condition:
        value = self.scope.field(command.field)
        sql: exp.Expression = exp.false()
        if value is not None:
            sql = coalesce(match_pattern(value, command.pattern, command.span), exp.false())
        if command.negated:
            sql = exp.Not(this=sql)
        return self._leaf(command.format(), command.span, sql, (command.field,), None)

    def time(self, modifiers: tuple[TimeModifier, ...]) -> Condition:
        bound = self.scope.bound("_time")
        sql: exp.Expression = exp.true()
        if bound is not None:
            sql = time_condition(bound, time_range(modifiers, self.scope.now, self.scope.zone))
        text = " ".join(search_text(m) for m in modifiers)
        return self._leaf(text, modifiers[0].span, sql, ("_time",), None)

    def present(self, name: str, span: Span | None) -> Condition:
        bound = self.scope.bound(name)
        sql: exp.Expression = exp.false()
        if bound is not None:
            sql = has_value(column(bound.ident))
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

    def _near(self, expr: SearchExpr, rules: Rules) -> None:
        """A column for a comparison with text: whether the field holds its core somewhere."""
        match expr:
            case Compare(name, "=", value):
                values: tuple[Value, ...] = (value,)
            case InList(name, values):
                pass
            case _:
                return
        parts = [p for v in values if (p := find_core(v.text))]
        if not parts or len(values) > _NEAR_VALUES:
            return
        held = InList(name, tuple(Value(f"*{p}*") for p in parts))
        ident = self.names.fresh("near")
        self.columns.append((ident, lower_search(held, self.scope, rules)))
        self.close.append(ident)


_NEAR_VALUES = 8
_ENDING = re.compile(r"\.\w{1,4}$")


def find_core(text: str) -> str | None:
    """The part of a value by which near values are recognised: no folders, no ending.

    >>> find_core("*\\\\system32\\\\WmiPrvSE.exe"), find_core("4688"), find_core("a*")
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
