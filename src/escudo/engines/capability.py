"""SPL's functions -> which runs how on which engine; ``docs.build`` calls it.

Nothing is written by hand: each function's builder is called with sample arguments, and what it
calls in the engines' preludes tells how it runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from enum import StrEnum
from itertools import product

from sqlglot import exp

from escudo.core.errors import EscudoError, Span
from escudo.core.schema import FieldType
from escudo.engines.kernels import KERNELS
from escudo.engines.spark.special import SPECIAL
from escudo.spl import (
    Call,
    EvalExpr,
    EvalFunction,
    FieldRef,
    Literal,
    Params,
    StatsFunction,
    Typed,
    eval_functions,
    lower_eval,
    stats_functions,
)


class Support(StrEnum):
    """How an engine runs a function."""

    SQL = "sql"
    """In the engine's own SQL."""
    KERNEL = "kernel"
    """As a Python function over Arrow arrays; on Spark not inside ``mvmap`` and ``mvfilter``."""
    NONE = "none"
    """Not at all: a coded error says so."""


@dataclass(frozen=True)
class FunctionSupport:
    """One row of the table of functions."""

    name: str
    kind: str
    """``eval`` or ``stats``."""
    arguments: str
    """How many it takes: ``2``, ``1-3``, ``1+``."""
    result: str
    nulls: str
    page: str
    """The page of the Search Reference."""
    duckdb: Support
    spark: Support


def function_support() -> tuple[FunctionSupport, ...]:
    """Every function of the language, evaluation functions first, each group by name.

    >>> rows = {(r.kind, r.name): r for r in function_support()}
    >>> rows["eval", "lower"].duckdb, rows["eval", "json_extract"].spark
    (<Support.SQL: 'sql'>, <Support.KERNEL: 'kernel'>)
    """
    evaluation = (_eval_row(row) for _, row in sorted(eval_functions.items()))
    statistics = (_stats_row(row) for _, row in sorted(stats_functions.items()))
    return (*evaluation, *statistics)


def _eval_row(row: EvalFunction) -> FunctionSupport:
    most = "+" if row.most is None else f"-{row.most}" if row.most != row.least else ""
    duckdb, spark = _best(row)
    return FunctionSupport(
        row.name, "eval", f"{row.least}{most}", row.result, row.nulls.value, row.url, duckdb, spark
    )


def _stats_row(row: StatsFunction) -> FunctionSupport:
    field, time = Typed(exp.column("x"), FieldType.STRING), Typed(exp.column("t"), FieldType.TIME)
    built = row.build(field, time, Params(percent=50.0, order=exp.column("o")))
    duckdb, spark = _support(built.sql)
    arguments = "1" if row.needs_argument else "0-1"
    return FunctionSupport(
        row.name, "stats", arguments, row.result, row.nulls.value, row.url, duckdb, spark
    )


def _support(built: exp.Expression) -> tuple[Support, Support]:
    called = {str(n.this).lower() for n in built.find_all(exp.Anonymous)}
    slow = called & {kernel.name for kernel in KERNELS}
    duckdb = Support.KERNEL if slow else Support.SQL
    spark = Support.KERNEL if slow - set(SPECIAL) or "spl_strptime" in called else Support.SQL
    return duckdb, spark


@dataclass(frozen=True)
class _Sample:
    """A scope in which every name is a text field."""

    now: float = 0.0
    zone: tzinfo = UTC

    def field(self, name: str) -> Typed | None:
        return Typed(exp.column(name, quoted=True), FieldType.STRING)

    def field_names(self) -> tuple[str, ...]:
        return ("x",)

    def search(self, text: str, span: Span | None) -> Typed:
        return Typed(exp.true(), FieldType.BOOLEAN)

    def warn(self, code: str, message: str, span: Span | None) -> None:
        """A sample has no reader."""


_SAMPLES: Sequence[EvalExpr] = (FieldRef("x"), Literal("commas"), Literal("255.0.0.0"), Literal(8))


def _best(row: EvalFunction) -> tuple[Support, Support]:
    """How a function runs with the arguments that suit the engines most (literals, often)."""
    supports: list[tuple[Support, Support]] = []
    for arguments in _arguments(row):
        try:
            call = Call(row.name, arguments)
            supports.append(_support(lower_eval(call, _Sample()).sql))
        except EscudoError:
            continue
    order = list(Support)
    return min(supports, key=lambda pair: [order.index(s) for s in pair], default=_NOWHERE)


_NOWHERE = (Support.NONE, Support.NONE)


def _arguments(row: EvalFunction) -> Iterator[tuple[EvalExpr, ...]]:
    """Calls to try: all mixtures of samples for up to three arguments, else fields."""
    if row.least > 3:
        yield (FieldRef("x"),) * row.least
        return
    most = row.least + 1 if row.most is None else row.most
    for count in range(row.least, min(most, 3) + 1):
        yield from product(_SAMPLES, repeat=count)
