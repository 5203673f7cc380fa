"""``transaction`` by one field and pauses only: windows and a grouping, all in the engine.

The events of one value of the field, newest first, fall into sessions where the pause between two
is too long, and every ``maxevents`` events. What more options say (``startswith``, ``maxspan``,
several fields, of which some may be null) depends on where a transaction begins, and is done by
``batch.transactions``.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder
from escudo.spl.operators.grouping import build_aggregate, gather_evidence, is_present
from escudo.spl.operators.windows import frame, over
from escudo.spl.relation.coercion import as_list
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import (
    alias,
    column,
    literal_number,
    literal_text,
    prelude_call,
    select,
)
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Bound
from escudo.spl.syntax.aggregate_terms import Aggregate


def build_sessions(
    events: Relation, field: str, *, pause: float | None, maxevents: int | None, binder: Binder
) -> Relation | None:
    """The transactions of events in their order; None where it takes more than sessions.

    ``pause`` is in seconds, ``maxevents`` in events; None is unlimited.
    """
    time, key = events.bound("_time"), events.bound(field)
    if time is None or key is None or key.type is FieldType.MULTIVALUE:
        return None
    return _grouped(events.where(is_present(key)), time, key, pause, maxevents, binder)


def _grouped(
    events: Relation,
    time: Bound,
    key: Bound,
    pause: float | None,
    most: int | None,
    binder: Binder,
) -> Relation:
    fresh = binder.names.fresh
    order, partition = events.order, [column(key.ident)]
    number, following, session = fresh("row"), fresh("following"), fresh("session")
    rows = events.hide(
        [
            (number, over(exp.RowNumber(), order, partition)),
            (following, over(_neighbour(exp.Lead, time), order, partition)),
        ],
        window=True,
    )
    start: exp.Expression = exp.Literal.number(1)
    if pause is not None:
        before, begun = fresh("before"), fresh("begun")
        rows = rows.hide([(before, over(_neighbour(exp.Lag, time), order, partition))], window=True)
        rows = rows.hide(
            [(begun, _running_start(before, time, number, pause, order, partition))], window=True
        )
        start = column(begun)
    rows = rows.hide([(session, _first_row(column(number), start, most))])
    return _merged(rows, time, key, (number, following, session), most, binder)


def _neighbour(kind: type[exp.Lag | exp.Lead], time: Bound) -> exp.Expression:
    return kind(this=column(time.ident))


def _running_start(
    before: str,
    time: Bound,
    number: str,
    pause: float,
    order: Sequence[Order],
    partition: Sequence[exp.Expression],
) -> exp.Expression:
    """The number of the last row so far that a pause, or nothing, comes before."""
    gap = exp.Sub(this=column(before), expression=column(time.ident))
    starts = exp.Or(
        this=exp.Is(this=column(before), expression=exp.null()),
        expression=exp.GT(this=gap, expression=literal_number(pause)),
    )
    here = exp.Case(ifs=[exp.If(this=starts, true=column(number))])
    return over(exp.Max(this=here), order, partition, frame(None, 0))


def _first_row(number: exp.Column, start: exp.Expression, most: int | None) -> exp.Expression:
    """The number of the first row of a row's session, which ends after ``most`` rows."""
    if most is None:
        return start
    place = exp.Paren(this=exp.Sub(this=number, expression=start.copy()))
    full = exp.IntDiv(this=place, expression=exp.Literal.number(most))
    return exp.Add(this=start, expression=exp.Mul(this=full, expression=exp.Literal.number(most)))


def _merged(
    rows: Relation,
    time: Bound,
    key: Bound,
    idents: tuple[str, str, str],
    most: int | None,
    binder: Binder,
) -> Relation:
    """One row for each session, with the fields of ``batch.transactions``."""
    number, following, session = idents
    fields: dict[str, Bound] = {}
    items: list[exp.Expression] = []

    def add(name: str, sql: exp.Expression, kind: FieldType) -> None:
        ident = binder.names.fresh(name)
        items.append(alias(sql, ident))
        fields[name] = Bound(ident, kind)

    oldest, newest = exp.Min(this=column(time.ident)), exp.Max(this=column(time.ident))
    count = exp.Count(this=exp.Star())
    add("_time", oldest, FieldType.TIME)
    text: exp.Expression | None = None
    for name in rows.names():
        bound = rows.bound(name)
        if name == "_time" or bound is None:
            continue
        if name == "_raw":
            text = _joined(bound, number)
            add(name, text, FieldType.STRING)
        elif bound.ident == key.ident:
            add(name, as_list(key.typed()), FieldType.MULTIVALUE)
        else:
            found = build_aggregate(Aggregate("values", name), rows, binder, None)
            add(name, found.sql, found.type)
    length = exp.Sub(this=newest, expression=oldest.copy())
    add("duration", exp.Round(this=length, decimals=exp.Literal.number(6)), FieldType.NUMBER)
    add("eventcount", count, FieldType.INTEGER)
    add("closed_txn", _closed(following, count, most), FieldType.INTEGER)
    add("field_match_sum", count.copy(), FieldType.INTEGER)
    add("linecount", count.copy() if text is None else _lines(text, count), FieldType.INTEGER)
    evidence = gather_evidence(rows.evidence, items, binder)
    groups = [column(key.ident), column(session)]

    def render() -> exp.Select:
        query = select(items, rows.render())
        query.set("group", exp.Group(expressions=[g.copy() for g in groups]))
        return query

    at = column(fields["_time"].ident)
    return binder.query(
        render, [rows], fields, [Order(at, descending=True, number=at.copy())], evidence
    )


def _joined(raw: Bound, number: str) -> exp.Expression:
    """The texts of the events, the oldest first, a line each."""
    text = exp.Nullif(this=column(raw.ident), expression=literal_text(""))
    listed = prelude_call("spl_agg_list_ordered", text, exp.Neg(this=column(number)))
    joined = prelude_call("spl_mvjoin", listed, literal_text("\n"))
    return exp.Coalesce(this=joined, expressions=[literal_text("")])


def _lines(text: exp.Expression, count: exp.Expression) -> exp.Expression:
    """The lines of the texts; as many as events where there is none."""
    newline = literal_text("\n")
    without = prelude_call("replace", text.copy(), newline, literal_text(""))
    breaks = exp.Sub(this=exp.Length(this=text.copy()), expression=exp.Length(this=without))
    lines = exp.Add(this=breaks, expression=exp.Literal.number(1))
    empty = exp.EQ(this=text.copy(), expression=literal_text(""))
    return exp.Case(ifs=[exp.If(this=empty, true=count.copy())], default=lines)


def _closed(following: str, count: exp.Expression, most: int | None) -> exp.Expression:
    """1 for a session that a pause or its size ended; the oldest one is still open."""
    one, zero = exp.Literal.number(1), exp.Literal.number(0)
    last = exp.Is(this=column(following), expression=exp.null())
    ended = exp.Min(this=exp.Case(ifs=[exp.If(this=last, true=zero)], default=one))
    if most is None:
        return ended
    full = exp.EQ(this=count.copy(), expression=exp.Literal.number(most))
    return exp.Case(ifs=[exp.If(this=full, true=one.copy())], default=ended)
