"""Eval expressions to SQL.

``lower`` walks the tree; operators are here, functions are rows of ``spl/functions``.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from escudo.core.errors import EscudoError, Span
from escudo.core.schema import MV_SEPARATOR, FieldType, TableSchema
from escudo.spl import coerce
from escudo.spl.ast import Binary, Call, EvalExpr, FieldRef, Literal, SubsearchText, Unary
from escudo.spl.functions import eval_functions
from escudo.spl.functions.row import Context, EvalFunction
from escudo.spl.parse_eval import parse_eval
from escudo.spl.plan import Typed
from escudo.spl.scope import Scope, TextScope

__all__ = ["SchemaScope", "Scope", "compile_eval", "lower"]

_ARITHMETIC: Mapping[str, Callable[..., exp.Expression]] = {
    "-": exp.Sub,
    "*": exp.Mul,
    "/": exp.Div,
    "%": exp.Mod,
}


def lower(expr: EvalExpr, scope: Scope) -> Typed:
    """The SQL of an eval expression.

    Null rules are SQL's: an operator over null is null, AND/OR/NOT have three values, and a filter
    drops what is not true. Errors: ``SPL200`` unknown function, ``SPL201`` an argument it cannot
    take, ``SPL202`` a wrong number of arguments.

    >>> class Fields:
    ...     now = 0.0
    ...     def field(self, name): return Typed(exp.column(name), FieldType.STRING)
    ...     def warn(self, code, message, span): pass
    >>> lower(parse_eval('if(a="x", 1, 2)'), Fields()).sql.sql("duckdb")
    "CASE WHEN a = 'x' THEN 1e0 ELSE 2e0 END"
    """
    match expr:
        case Literal(value=str() as value):
            return coerce.text(value)
        case Literal(value=value):
            return coerce.number(float(value))
        case FieldRef(name=name):
            found = scope.field(name)
            return coerce.null() if found is None else Typed(found.sql.copy(), found.type)
        case Unary(op="NOT", operand=operand):
            condition = coerce.as_boolean(lower(operand, scope))
            return Typed(exp.Not(this=coerce.paren(condition)), FieldType.BOOLEAN)
        case Unary(op="-", operand=operand):
            return _negated(lower(operand, scope))
        case Unary(operand=operand):
            return Typed(coerce.as_number(lower(operand, scope)), FieldType.NUMBER)
        case Binary():
            return _binary(expr, scope)
        case Call():
            return _call(expr, scope)
        case SubsearchText(pipeline):
            if not isinstance(scope, TextScope):
                raise EscudoError("SPL201", "no subsearch can stand here", span=expr.span)
            text = scope.subsearch_text(pipeline)
            return coerce.null() if text is None else lower(parse_eval(text), scope)


def _negated(value: Typed) -> Typed:
    known = coerce.constant(value)
    if isinstance(known, float):
        return coerce.number(-known)
    return Typed(exp.Neg(this=coerce.paren(coerce.as_number(value))), FieldType.NUMBER)


def _binary(expr: Binary, scope: Scope) -> Typed:
    op = expr.op
    if op in ("AND", "OR"):
        return _connected(expr, scope)
    if op == "+":
        return _sum([lower(e, scope) for e in _chain(expr, "+")])
    if op == ".":
        return _concatenated([lower(e, scope) for e in _chain(expr, ".")])
    left, right = lower(expr.left, scope), lower(expr.right, scope)
    match op:
        case "XOR":
            a, b = coerce.as_boolean(left), coerce.as_boolean(right)
            sql: exp.Expression = exp.NEQ(this=coerce.paren(a), expression=coerce.paren(b))
            return Typed(sql, FieldType.BOOLEAN)
        case "LIKE":
            like = Call("like", (expr.left, expr.right), span=expr.span)
            return _call(like, scope)
        case "-" | "*":
            sql = _ARITHMETIC[op](this=_operand(left), expression=_operand(right))
            return Typed(sql, FieldType.NUMBER)
        case "/" | "%":
            divisor = exp.Nullif(this=coerce.as_number(right), expression=coerce.literal_number(0))
            sql = _ARITHMETIC[op](this=_operand(left), expression=divisor)
            return Typed(sql, FieldType.NUMBER)
        case _:
            return Typed(coerce.compare(op, left, right), FieldType.BOOLEAN)


def _operand(value: Typed) -> exp.Expression:
    return coerce.paren(coerce.as_number(value))


def _chain(expr: EvalExpr, op: str) -> list[EvalExpr]:
    """The operands of a left-associative chain of one operator."""
    out: list[EvalExpr] = []
    while isinstance(expr, Binary) and expr.op == op:
        out.append(expr.right)
        expr = expr.left
    return [expr, *reversed(out)]


def _connected(expr: Binary, scope: Scope) -> Typed:
    conditions = [coerce.as_boolean(lower(e, scope)) for e in _chain(expr, expr.op)]
    join = coerce.and_all if expr.op == "AND" else coerce.or_all
    return Typed(join(conditions), FieldType.BOOLEAN)


def _concatenated(values: list[Typed]) -> Typed:
    texts = [coerce.as_text(value) for value in values]
    return Typed(coerce.balanced(texts, exp.DPipe, coerce.literal_text("")), FieldType.STRING)


def _sum(values: list[Typed]) -> Typed:
    """``+``: numbers are added, two texts that are not both numbers are joined.

    (Search Reference, eval: operators. Number plus other text gives null.)
    """
    total: exp.Expression | None = None
    for value in values:
        operand = _operand(value).copy()
        total = operand if total is None else exp.Add(this=total, expression=operand)
    assert total is not None
    if any(v.type in coerce.NUMERIC for v in values) or any(map(coerce.is_null, values)):
        return Typed(total, FieldType.NUMBER)
    joined = _concatenated(values)
    if any(
        isinstance(t := coerce.constant(v), str) and not coerce.is_numeric_text(t) for v in values
    ):
        return joined
    as_sum = coerce.call("spl_text", total)
    return Typed(exp.Coalesce(this=as_sum, expressions=[joined.sql]), FieldType.STRING)


def _call(expr: Call, scope: Scope) -> Typed:
    row = eval_functions.get(expr.name)
    if row is None:
        near = difflib.get_close_matches(expr.name, eval_functions, n=1)
        hint = f"did you mean {near[0]!r}?" if near else None
        raise EscudoError("SPL200", f"unknown function {expr.name!r}", span=expr.span, hint=hint)
    _check_arity(row, expr)
    context = Context(scope, expr.span, lower, expr.args)
    if row.raw:
        return row.build([], context)
    arguments = [lower(a, scope) for a in expr.args]
    if row.each and arguments and arguments[0].type is FieldType.MULTIVALUE:
        return _for_each(row, arguments, context)
    return row.build(arguments, context)


def _for_each(row: EvalFunction, arguments: list[Typed], context: Context) -> Typed:
    """A text function over each value of a multivalue; a condition holds if it does for any."""
    values, *others = arguments

    def build(value: Typed) -> Typed:
        return row.build([value, *others], context)

    if build(coerce.text("")).type is FieldType.BOOLEAN:
        held = coerce.any_value(values.sql, lambda v: build(v).sql)
        return Typed(held, FieldType.BOOLEAN)
    mapped = coerce.map_values(values.sql, lambda v: coerce.as_text(build(v)))
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
    """The fields of one table: its physical columns, then what its rest map holds."""

    schema: TableSchema
    now: float = 0.0

    def field(self, name: str) -> Typed | None:
        column = self.schema.by_name.get(name)
        if column is None:
            return None if self.schema.rest is None else rest_field(self.schema.rest, name)
        if column.expr is not None:
            return lower(parse_eval(column.expr), self)
        assert column.physical is not None
        sql: exp.Expression = exp.column(column.physical, quoted=True)
        if column.type is FieldType.TIME:
            sql = coerce.call("spl_epoch", sql)
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
    parts = coerce.call("spl_split", value, coerce.literal_text(MV_SEPARATOR))
    return Typed(parts, FieldType.MULTIVALUE)


_MAP = exp.DataType.build("map<text, text>")


def map_entry(ident: str, name: str) -> exp.Expression:
    """The entry of a map column. The column has its type, which the generator guesses otherwise, at
    ten times the cost."""
    held = exp.column(ident, quoted=True)
    held.type = _MAP
    return exp.Bracket(this=held, expressions=[coerce.literal_text(name)])


def compile_eval(text: str, schema: TableSchema, *, now: float = 0.0) -> Typed:
    """An eval expression over one table, for a query on the table itself.

    Fields are the physical columns of the schema (times as epoch seconds); any other name is
    looked up in the rest map.

    >>> from escudo.core.schema import Column
    >>> schema = TableSchema("t", (Column("Image", physical="Image"),), rest="_fields")
    >>> compile_eval('lower(Image)', schema).sql.sql("duckdb")
    'LOWER("Image")'
    """
    return lower(parse_eval(text), SchemaScope(schema, now))
