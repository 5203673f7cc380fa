"""``streamstats``: running statistics (Search Reference: streamstats)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.grouping import only_numbers
from escudo.spl.operators.windowed_statistics import add_statistics
from escudo.spl.operators.windows import frame, numbered, over, runs
from escudo.spl.relation.coercion import as_boolean
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import column, literal_number
from escudo.spl.relation.steps import Order
from escudo.spl.syntax.aggregate_terms import Aggregate, format_by, parse_aggregate
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import EvalExpr, Literal
from escudo.spl.syntax.parse_eval import parse_eval
from escudo.spl.syntax.spans import MONTHS, SECONDS, BinSpan
from escudo.spl.syntax.unparse import eval_text, option


@dataclass(frozen=True)
class StreamStats(Command):
    """``streamstats [options] aggregates [BY fields]``; ``window`` 0 is all rows so far."""

    name: ClassVar[str] = "streamstats"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    aggregates: tuple[Aggregate, ...]
    by: tuple[str, ...] = ()
    current: bool = True
    window: int = 0
    time_window: BinSpan | None = None
    global_window: bool = True
    allnum: bool = False
    reset_on_change: bool = False
    reset_before: EvalExpr | None = None
    reset_after: EvalExpr | None = None

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options(strict=False)
        resets: dict[str, EvalExpr] = {}
        aggregates: list[Aggregate] = []
        while args.more() and not args.at_word("by"):
            option_name = args.at_option()
            if option_name is None:
                if not args.accept(","):
                    aggregates.append(parse_aggregate(args))
            elif option_name.text.lower() in ("reset_before", "reset_after"):
                args.next()
                args.next()
                resets[option_name.text.lower()] = _condition(args)
            else:
                args.options(*OPTIONS, "reset_before", "reset_after", into=options, one=True)
        if not aggregates:
            args.expected("a statistic such as count")
        by = args.names() if args.accept_word("by") else ()
        return cls(
            tuple(aggregates),
            by,
            options.boolean("current", True),
            options.integer("window", 0, least=0),
            options.span("time_window", None),
            options.boolean("global", True),
            options.boolean("allnum", False),
            options.boolean("reset_on_change", False),
            resets.get("reset_before"),
            resets.get("reset_after"),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "streamstats"
            + option("current", self.current, True)
            + option("window", self.window, 0)
            + option("time_window", self.time_window.format() if self.time_window else None)
            + option("global", self.global_window, True)
            + option("allnum", self.allnum, False)
            + option("reset_on_change", self.reset_on_change, False)
            + _reset("reset_before", self.reset_before)
            + _reset("reset_after", self.reset_after)
            + f" {', '.join(a.format() for a in self.aggregates)}{format_by(self.by)}"
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        if self.allnum:
            relation = only_numbers(relation, self.aggregates, binder)
        return stream_statistics(relation, self, binder)


OPTIONS = ("current", "window", "time_window", "global", "allnum", "reset_on_change")


def _reset(name: str, condition: EvalExpr | None) -> str:
    if condition is None:
        return ""
    text = eval_text(condition)
    return f" {name}=(({text}))" if isinstance(condition, Literal) else f" {name}=({text})"


def _condition(args: Args) -> EvalExpr:
    """``(expr)``, or the expression in quotes, perhaps with parentheses inside or around."""
    args.expect("(")
    token = args.peek()
    text = args.source.text
    if text.startswith('"', token.start) and text[token.end : args.end].lstrip().startswith(")"):
        args.next()
        args.expect(")")
        return parse_eval(token.text)
    expr = args.eval()
    args.expect(")")
    return expr


def stream_statistics(relation: Relation, command: StreamStats, binder: Binder) -> Relation:
    """Each row with the statistics of the rows before it in its group, and of itself.

    ``window`` counts the rows of all groups together unless ``global=f``; ``time_window`` goes by
    ``_time``, in whichever direction the rows are ordered (Search Reference, streamstats).
    """
    if command.time_window is not None and command.window:
        raise EscudoError(
            "SPL301", "streamstats takes window or time_window, not both", span=command.span
        )
    arrived = relation.order
    relation, row = numbered(relation, binder)
    relation = relation.ordered([Order(row, number=row)])
    relation, segments = _segments(relation, command, binder)
    order = [Order(row)]
    spec = _rows(command.window, current=command.current)
    if command.time_window is not None:
        order, spec = _time_frame(relation, command, arrived)
    elif command.window and command.by and command.global_window:
        spec.set("kind", "RANGE")
    return add_statistics(
        relation,
        command.aggregates,
        command.by,
        binder,
        order=order,
        spec=spec,
        partition=segments,
    )


def _rows(window: int, *, current: bool) -> exp.WindowSpec:
    """The last ``window`` rows (0: all) up to the current one, or up to the one before."""
    end = 0 if current else -1
    return frame(None if window == 0 else end - window + 1, end)


def _time_frame(
    relation: Relation, command: StreamStats, arrived: tuple[Order, ...]
) -> tuple[list[Order], exp.WindowSpec]:
    time = relation.bound("_time")
    width = command.time_window
    assert width is not None
    if time is None or width.unit in MONTHS:
        raise EscudoError(
            "SPL301", "time_window needs _time and a span of at most weeks", span=command.span
        )
    descending = bool(arrived) and arrived[0].descending
    seconds = literal_number(width.size * SECONDS[width.unit or "s"])
    spec = exp.WindowSpec(
        kind="RANGE", start=seconds, start_side="PRECEDING", end="CURRENT ROW", end_side=None
    )
    if not command.current:
        spec.set("exclude", exp.var("CURRENT ROW"))
    return [Order(column(time.ident), descending)], spec


def _segments(
    relation: Relation, command: StreamStats, binder: Binder
) -> tuple[Relation, list[exp.Expression]]:
    """Columns that number the stretches between resets."""
    out: list[exp.Expression] = []
    if command.reset_on_change and command.by:
        values = [v.sql for n in command.by if (v := relation.field(n)) is not None]
        if values:
            relation, run = runs(relation, values, binder)
            out.append(run)
    for condition, end in ((command.reset_before, 0), (command.reset_after, -1)):
        if condition is not None:
            relation, resets = _count_true(relation, condition, end, binder)
            out.append(resets)
    return relation, out


def _count_true(
    relation: Relation, condition: EvalExpr, end: int, binder: Binder
) -> tuple[Relation, exp.Expression]:
    holds = as_boolean(binder.evaluate(condition, relation))
    flag = exp.Case(
        ifs=[exp.If(this=holds, true=exp.Literal.number(1))], default=exp.Literal.number(0)
    )
    total = over(exp.Sum(this=flag), relation.order, spec=frame(None, end))
    ident = binder.names.fresh("resets")
    counted = exp.Coalesce(this=total, expressions=[exp.Literal.number(0)])
    return relation.hide([(ident, counted)], window=True), column(ident)
