"""``streamstats``: running statistics (Search Reference: streamstats)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.grouping import keep_numbers
from escudo.spl.operators.numeric_time import make_time_numeric
from escudo.spl.operators.windowed_statistics import add_statistics
from escudo.spl.operators.windows import frame, number_rows, number_runs, over
from escudo.spl.relation.coercion import as_boolean
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import column, literal_number
from escudo.spl.relation.steps import Order
from escudo.spl.syntax.aggregate_terms import Aggregate, format_by, parse_aggregate
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import EvalExpr, Literal
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.options import (
    Options,
    OptionType,
    boolean_option,
    format_options,
    integer_option,
    span_option,
    typed_option,
)
from escudo.spl.syntax.parse_eval import parse_eval
from escudo.spl.syntax.spans import MONTHS, SECONDS, BinSpan
from escudo.spl.syntax.unparse import eval_text


def _write_condition(condition: EvalExpr) -> str:
    text = eval_text(condition)
    return f"(({text}))" if isinstance(condition, Literal) else f"({text})"


_CONDITION = OptionType[EvalExpr](
    "(an eval condition), perhaps in quotes", parse_eval, _write_condition
)


@dataclass(frozen=True)
class StreamStats(Command):
    """``streamstats [options] aggregates [BY fields]``."""

    name: ClassVar[str] = "streamstats"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    aggregates: tuple[Aggregate, ...]
    by: tuple[str, ...] = ()
    current: bool = boolean_option(True, "Whether a row's statistics take in the row itself.")
    window: int = integer_option(0, "Rows that are looked back on; 0 is all so far.", least=0)
    time_window: BinSpan | None = span_option(None, "The time that is looked back on.")
    global_window: bool = boolean_option(
        True, "Whether the window counts the rows of all groups together.", name="global"
    )
    allnum: bool = boolean_option(
        False, "Whether a field counts only if all its values are numbers."
    )
    reset_on_change: bool = boolean_option(
        False, "Whether all begins anew where a BY field changes."
    )
    reset_before: EvalExpr | None = typed_option(
        _CONDITION, None, "All begins anew before a row for which this holds."
    )
    reset_after: EvalExpr | None = typed_option(
        _CONDITION, None, "All begins anew after a row for which this holds."
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = Options(args.source)
        aggregates: list[Aggregate] = []
        while args.more() and not args.at_word("by"):
            if args.at_option() is not None:
                _read_option(args, options)
            elif not args.accept(","):
                aggregates.append(parse_aggregate(args))
        if not aggregates:
            args.expected("a statistic such as count")
        by: list[str] = []
        if args.accept_word("by"):
            while args.more():
                if args.at_option() is not None:
                    _read_option(args, options)
                elif not (names := args.names_before_option(())):
                    break
                else:
                    by += names
            if not by:
                args.expected("a field")
        return cls(
            aggregates=tuple(aggregates), by=tuple(by), **options.values(cls), span=args.span()
        )

    def format(self) -> str:
        terms = ", ".join(a.format() for a in self.aggregates)
        return f"streamstats{format_options(self)} {terms}{format_by(self.by)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        if self.allnum:
            relation = keep_numbers(relation, self.aggregates, binder)
        return stream_statistics(relation, self, binder)


def _read_option(args: Args, options: Options) -> None:
    """The next option, wherever it stands; a condition is an expression, not a word."""
    option = args.at_option()
    assert option is not None
    name = option.text.lower()
    if name in ("reset_before", "reset_after"):
        args.next()
        args.next()
        options.set(name, _read_condition(args))
    else:
        args.read_options(StreamStats, into=options, one=True)


def _read_condition(args: Args) -> EvalExpr:
    """``(expr)``; also in quotes, as the manual writes it: ``"(expr)"``, ``("expr")``, ``"expr"``,
    and ``"("expr")"``, where a quoted parenthesis stands at either end."""
    token = args.peek()
    if token.kind is Kind.STRING:
        args.next()
        if token.text.strip() != "(":
            return parse_eval(token.text)
        expr = args.eval()
        if args.next().text.strip() != ")":
            args.position = args.peek().start
            args.expected('")"')
        return expr
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
    if command.time_window is not None:
        relation = make_time_numeric(relation, binder)
    arrived = relation.order
    relation, row = number_rows(relation, binder)
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
            relation, run = number_runs(relation, values, binder)
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
