"""``streamstats``: statistics over the rows up to each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.spl import coerce
from escudo.spl.ast import EvalExpr
from escudo.spl.bind import Binder
from escudo.spl.bins import MONTHS, SECONDS
from escudo.spl.plan import Order, Relation, column
from escudo.spl.running import add_statistics
from escudo.spl.windows import frame, numbered, over, runs

if TYPE_CHECKING:
    from escudo.spl.commands.streamstats import StreamStats


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
    seconds = coerce.literal_number(width.size * SECONDS[width.unit or "s"])
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
    holds = coerce.as_boolean(binder.evaluate(condition, relation))
    flag = exp.Case(
        ifs=[exp.If(this=holds, true=exp.Literal.number(1))], default=exp.Literal.number(0)
    )
    total = over(exp.Sum(this=flag), relation.order, spec=frame(None, end))
    ident = binder.names.fresh("resets")
    counted = exp.Coalesce(this=total, expressions=[exp.Literal.number(0)])
    return relation.hide([(ident, counted)], window=True), column(ident)
