"""Eval expression -> SQL; called by the binder, by scans and by the normalising of events.

``lower_eval`` walks the tree; operators are here, functions are rows of ``spl/functions``.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from math import isfinite

from sqlglot import exp

from escudo.core.errors import EscudoError, Span
from escudo.core.schema import MV_SEPARATOR, FieldType, TableSchema
from escudo.spl.functions import eval_functions
from escudo.spl.functions.row import Context, EvalFunction
from escudo.spl.relation.coercion import as_boolean, as_number, as_text
from escudo.spl.relation.comparison import any_value, compare_values, map_values
from escudo.spl.relation.scope import Scope, TextScope
from escudo.spl.relation.sql import (
    MANY,
    all_hold,
    any_holds,
    build_balanced,
    coalesce,
    literal_number,
    literal_text,
    negative,
    null_if,
    parenthesise,
    plus,
    prelude_call,
    unequal,
)
from escudo.spl.relation.values import (
    NUMERIC,
    Typed,
    constant_of,
    is_null,
    is_numeric_text,
    null_value,
    number_value,
    text_value,
)
from escudo.spl.syntax.ast import Binary, Call, EvalExpr, FieldRef, Literal, SubsearchText, Unary
from escudo.spl.syntax.parse_eval import parse_eval

__all__ = ["SchemaScope", "Scope", "compile_eval", "lower_eval"]

_ARITHMETIC: Mapping[str, Callable[..., exp.Expression]] = {
    "-": exp.Sub,
    "*": exp.Mul,
    "/": exp.Div,
    "%": exp.Mod,
}


def lower_eval(expr: EvalExpr, scope: Scope) -> Typed:
    """The SQL of an eval expression.

    Null rules are SQL's: an operator over null is null, AND/OR/NOT have three values, and a filter
    drops what is not true. Errors: ``SPL200`` unknown function, ``SPL201`` an argument it cannot
    take, ``SPL202`` a wrong number of arguments.

    >>> class Fields:
    ...     now = 0.0
    ...     def field(self, name): return Typed(exp.column(name), FieldType.STRING)
    ...     def warn(self, code, message, span): pass
    >>> lower_eval(parse_eval('if(a="x", 1, 2)'), Fields()).sql.sql("duckdb")
    "CASE WHEN a = 'x' THEN 1e0 ELSE 2e0 END"
    """
    match expr:
        case Literal(value=str() as value):
            return text_value(value)
        case Literal(value=value):
            number = float(value)
            return number_value(number) if isfinite(number) else null_value(FieldType.NUMBER)
        case FieldRef(name=name):
            found = scope.field(name)
            return null_value() if found is None else Typed(found.sql.copy(), found.type)
        case Unary(op="NOT", operand=operand):
            condition = as_boolean(lower_eval(operand, scope))
            return Typed(exp.Not(this=parenthesise(condition)), FieldType.BOOLEAN)
        case Unary(op="-", operand=operand):
            return _negated(lower_eval(operand, scope))
        case Unary(operand=operand):
            return Typed(as_number(lower_eval(operand, scope)), FieldType.NUMBER)
        case Binary():
            return _binary(expr, scope)
        case Call():
            return _call(expr, scope)
        case SubsearchText(pipeline):
            if not isinstance(scope, TextScope):
                raise EscudoError("SPL201", "no subsearch can stand here", span=expr.span)
            text = scope.subsearch_text(pipeline)
            return null_value() if text is None else lower_eval(parse_eval(text), scope)


def _negated(value: Typed) -> Typed:
    known = constant_of(value)
    if isinstance(known, float):
        return number_value(-known)
    return Typed(negative(as_number(value)), FieldType.NUMBER)


def _binary(expr: Binary, scope: Scope) -> Typed:
    op = expr.op
    if op in ("AND", "OR"):
        return _connected(expr, scope)
    if op == "+":
        return _sum([lower_eval(e, scope) for e in _chain(expr, "+")])
    if op == ".":
        return _concatenated([lower_eval(e, scope) for e in _chain(expr, ".")])
    left, right = lower_eval(expr.left, scope), lower_eval(expr.right, scope)
    match op:
        case "XOR":
            a, b = as_boolean(left), as_boolean(right)
            return Typed(unequal(parenthesise(a), parenthesise(b)), FieldType.BOOLEAN)
        case "LIKE":
            like = Call("like", (expr.left, expr.right), span=expr.span)
            return _call(like, scope)
        case "-" | "*":
            sql = _ARITHMETIC[op](this=_operand(left), expression=_operand(right))
            return Typed(sql, FieldType.NUMBER)
        case "/" | "%":
            divisor = null_if(as_number(right), literal_number(0))
            sql = _ARITHMETIC[op](this=_operand(left), expression=divisor)
            return Typed(sql, FieldType.NUMBER)
        case _:
            return Typed(compare_values(op, left, right), FieldType.BOOLEAN)


def _operand(value: Typed) -> exp.Expression:
    return parenthesise(as_number(value))


def _chain(expr: EvalExpr, op: str) -> list[EvalExpr]:
    """The operands of a left-associative chain of one operator."""
    out: list[EvalExpr] = []
    while isinstance(expr, Binary) and expr.op == op:
        out.append(expr.right)
        expr = expr.left
    return [expr, *reversed(out)]


def _connected(expr: Binary, scope: Scope) -> Typed:
    operands = _chain(expr, expr.op)
    if expr.op == "OR" and len(operands) >= MANY:
        operands = _gather_values(operands)
    conditions = [as_boolean(lower_eval(e, scope)) for e in operands]
    join = all_hold if expr.op == "AND" else any_holds
    return Typed(join(conditions), FieldType.BOOLEAN)


def _gather_values(operands: Sequence[EvalExpr]) -> list[EvalExpr]:
    """Alternatives, with those that compare a field with a literal as one ``in()`` a field."""
    values: dict[str, list[EvalExpr]] = {}
    others: list[EvalExpr] = []
    for operand in operands:
        match operand:
            case Binary("=" | "==", FieldRef(name), Literal() as literal):
                values.setdefault(name, []).append(literal)
            case _:
                others.append(operand)
    return [*(Call("in", (FieldRef(n), *given)) for n, given in values.items()), *others]


def _concatenated(values: list[Typed]) -> Typed:
    texts = [parenthesise(as_text(value)) for value in values]
    return Typed(build_balanced(texts, exp.DPipe), FieldType.STRING)


def _sum(values: list[Typed]) -> Typed:
    """``+``: numbers are added, two texts that are not both numbers are joined.

    (Search Reference, eval: operators. Number plus other text gives null.)
    """
    total: exp.Expression | None = None
    for value in values:
        operand = _operand(value).copy()
        total = operand if total is None else plus(total, operand)
    assert total is not None
    if any(v.type in NUMERIC for v in values) or any(map(is_null, values)):
        return Typed(total, FieldType.NUMBER)
    joined = _concatenated(values)
    if any(isinstance(t := constant_of(v), str) and not is_numeric_text(t) for v in values):
        return joined
    as_sum = prelude_call("spl_text", total)
    return Typed(coalesce(as_sum, joined.sql), FieldType.STRING)


def _call(expr: Call, scope: Scope) -> Typed:
    row = eval_functions.get(expr.name)
    if row is None:
        near = difflib.get_close_matches(expr.name, eval_functions, n=1)
        hint = f"did you mean {near[0]!r}?" if near else None
        raise EscudoError("SPL200", f"unknown function {expr.name!r}", span=expr.span, hint=hint)
    _check_arity(row, expr)
    context = Context(scope, expr.span, lower_eval, expr.args)
    if row.raw:
        return row.build([], context)
    arguments = [lower_eval(a, scope) for a in expr.args]
    if row.each and arguments and arguments[0].type is FieldType.MULTIVALUE:
        return _for_each(row, arguments, context)
    return row.build(arguments, context)


def _for_each(row: EvalFunction, arguments: list[Typed], context: Context) -> Typed:
    """A text function over each value of a multivalue; a condition holds if it does for any."""
    values, *others = arguments

    def build(value: Typed) -> Typed:
        return row.build([value, *others], context)

    if build(text_value("")).type is FieldType.BOOLEAN:
        held = any_value(values.sql, lambda v: build(v).sql)
        return Typed(held, FieldType.BOOLEAN)
    mapped = map_values(values.sql, lambda v: as_text(build(v)))
    return Typed(mapped, FieldType.MULTIVALUE)


def _check_arity(row: EvalFunction, expr: Call) -> None:
    given = len(expr.args)
    if given >= row.least and (row.most is None or given <= row.most):
        return
    if row.most is None:
        wanted = f"at least {row.least}"
    elif row.most == row.least:
        wanted = str(row.least)
    else:
        wanted = f"{row.least} to {row.most}"
    raise EscudoError(
        "SPL202",
        f"{row.name}() takes {wanted} argument{'' if wanted == '1' else 's'}, not {given}",
        span=expr.span,
        hint=f"see {row.url}",
    )


@dataclass(frozen=True)
class SchemaScope:
    """The fields of one table: its physical columns, then what its rest map holds.

    ``inside`` are the calculated fields that are being written out: inside itself, the name of one
    is the field as extracted.
    """

    schema: TableSchema
    now: float = 0.0
    zone: tzinfo = UTC
    inside: frozenset[str] = frozenset()

    def field(self, name: str) -> Typed | None:
        column = self.schema.by_name.get(name)
        if column is None or name in self.inside:
            return None if self.schema.rest is None else rest_field(self.schema.rest, name)
        if column.expr is not None:
            inner = replace(self, inside=self.inside | {name})
            return lower_eval(parse_eval(column.expr), inner)
        assert column.physical is not None
        sql: exp.Expression = exp.column(column.physical, quoted=True)
        if column.type is FieldType.TIME:
            sql = prelude_call("spl_epoch", sql)
        return Typed(sql, column.type)

    def field_names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.schema.columns if not c.internal)

    def warn(self, code: str, message: str, span: Span | None) -> None:
        """Fields outside the schema are ordinary here: nothing to warn of."""


def rest_field(rest: str, name: str) -> Typed:
    """A field that has no column of its own: an entry of the rest map.

    >>> rest_field("_fields", "a").sql.sql("duckdb")
    '"_fields"[\\'a\\']'
    """
    value = map_entry(rest, name)
    if "{}" not in name:
        return Typed(value, FieldType.STRING)
    parts = prelude_call("spl_split", value, literal_text(MV_SEPARATOR))
    return Typed(parts, FieldType.MULTIVALUE)


_MAP = exp.DataType.build("map<text, text>")


def map_entry(ident: str, name: str) -> exp.Expression:
    """The entry of a map column. The column has its type, which the generator guesses otherwise, at
    ten times the cost."""
    held = exp.column(ident, quoted=True)
    held.type = _MAP
    return exp.Bracket(this=held, expressions=[literal_text(name)])


def compile_eval(text: str, schema: TableSchema, *, now: float = 0.0) -> Typed:
    """An eval expression over one table, for a query on the table itself.

    Fields are the physical columns of the schema (times as epoch seconds); any other name is
    looked up in the rest map.

    >>> from escudo.core.schema import Column
    >>> schema = TableSchema("t", (Column("Image", physical="Image"),), rest="_fields")
    >>> compile_eval('lower(Image)', schema).sql.sql("duckdb")
    'LOWER("Image")'
    """
    return lower_eval(parse_eval(text), SchemaScope(schema, now))
