"""A SQLGlot tree with calls of the prelude -> one with the macros of Spark written out.

Spark's own SQL functions may stand neither in lambdas nor around aggregates; a macro may.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import sqlglot
from sqlglot import exp

from escudo.engines.spark.lifting import lift_kernels
from escudo.engines.spark.special import SPECIAL
from escudo.spl import is_aggregate, map_aggregates, parenthesise

DIALECT = "spark"
_MACRO = re.compile(r"MACRO (\w+)\((.*?)\) AS\s+(.*?);\s*(?=\n|\Z)", re.DOTALL)


@dataclass(frozen=True)
class SparkMacro:
    name: str
    parameters: tuple[str, ...]
    body: exp.Expr

    def expanded(self, arguments: list[exp.Expr]) -> exp.Expr:
        """The body with the arguments in place of the parameters."""
        values = dict(zip(self.parameters, arguments, strict=True))

        def put(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Column) and not node.table and node.name in values:
                value = values[node.name].copy()
                return value if _is_plain(value) else exp.Paren(this=value)
            return node

        return self.body.transform(put)


def _is_plain(value: exp.Expr) -> bool:
    return isinstance(value, exp.Column | exp.Literal | exp.Anonymous | exp.Func | exp.Paren)


@lru_cache(maxsize=1)
def load_macros() -> Mapping[str, SparkMacro]:
    """Name -> macro, parsed once."""
    text = files(__package__).joinpath("prelude.sql").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^--.*\n", "", text)
    return {
        m[1]: SparkMacro(
            m[1],
            tuple(p.strip() for p in m[2].split(",") if p.strip()),
            sqlglot.parse_one(m[3], dialect=DIALECT),
        )
        for m in _MACRO.finditer(text)
    }


def expand(query: exp.Expr) -> exp.Expr:
    """A copy of the tree with every prelude call written out, and windows Spark understands.

    >>> expand(sqlglot.parse_one("SPL_LEN(x)")).sql("spark")
    'CAST(SIZE(x) AS BIGINT)'
    """
    return lift_kernels(_expanded(query.copy()))


def _expanded(node: exp.Expr) -> exp.Expr:
    """Innermost first, so that arguments are written out before they are put into a body."""
    for key, child in list(node.args.items()):
        if isinstance(child, exp.Expr):
            node.set(key, _expanded(child))
        elif isinstance(child, list):
            node.set(key, [_expanded(c) if isinstance(c, exp.Expr) else c for c in child])
    if isinstance(node, exp.Window):
        return _window(node)
    return _call(node) if isinstance(node, exp.Anonymous) else node


def _call(node: exp.Anonymous) -> exp.Expr:
    name = str(node.this).lower()
    call: exp.Expression = node
    special = SPECIAL.get(name)
    if special is not None:
        call = special(node)
        call.set("expressions", [_expanded(e) for e in call.expressions])
    macro = load_macros().get(str(call.this).lower())
    if macro is None:
        return call
    written = _expanded(macro.expanded(call.expressions))
    assert isinstance(written, exp.Expression)
    return parenthesise(written)


def _window(node: exp.Window) -> exp.Expr:
    """OVER goes to each aggregate inside what a macro became; DISTINCT is none of Spark's there.

    The number of a row wants an order even where rows have none.
    """
    inner: exp.Expression = node.this
    if isinstance(inner, exp.RowNumber) and node.args.get("order") is None:
        node.set("order", exp.Order(expressions=[exp.Ordered(this=exp.null())]))

    def over(aggregate: exp.Expr) -> exp.Expression:
        whole: exp.Expression = node.copy()
        whole.set("this", aggregate)
        return whole

    if isinstance(inner, exp.Count) and isinstance(inner.this, exp.Distinct):
        collected = exp.func("COLLECT_SET", *inner.this.expressions)
        return exp.cast(exp.ArraySize(this=over(collected)), "bigint")
    holds_aggregate = any(is_aggregate(n) for n in inner.walk() if n is not inner)
    if is_aggregate(inner) or not holds_aggregate:
        return node
    return map_aggregates(inner, over)
