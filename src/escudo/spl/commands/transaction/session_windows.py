"""``transaction`` by one field and pauses only: windows and a grouping, all in the engine.

The events of one value of the field, newest first, fall into sessions where the pause between two
is too long, and every ``maxevents`` events. What more options say (``startswith``, ``maxspan``,
several fields, of which some may be null) depends on where a transaction begins, and is done by
``batch.transactions``.
"""

from __future__ import annotations

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder
from escudo.spl.operators.grouping import build_aggregate, gather_evidence, is_present
from escudo.spl.operators.windows import frame, over
from escudo.spl.relation.coercion import as_list
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import (
    alias,
    any_holds,
    case_when,
    coalesce,
    column,
    count_rows,
    equal,
    has_no_value,
    literal_integer,
    literal_number,
    literal_text,
    minus,
    more_than,
    parenthesise,
    plus,
    prelude_call,
    select,
    times,
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
    events = events.where(is_present(key))
    order, partition, fresh = events.order, [column(key.ident)], binder.names.fresh
    row, following, session = fresh("row"), fresh("following"), fresh("session")
    next_time = exp.Lead(this=column(time.ident))
    rows = events.hide(
        [
            (row, over(exp.RowNumber(), order, partition)),
            (following, over(next_time, order, partition)),
        ],
        window=True,
    )
    start = literal_integer(1)
    if pause is not None:
        before, begun = fresh("before"), fresh("begun")
        last_time = over(exp.Lag(this=column(time.ident)), order, partition)
        rows = rows.hide([(before, last_time)], window=True)
        gap = minus(column(before), column(time.ident))
        begins = any_holds([has_no_value(column(before)), more_than(gap, literal_number(pause))])
        last_begin = exp.Max(this=case_when((begins, column(row))))
        rows = rows.hide([(begun, over(last_begin, order, partition, frame(None, 0)))], window=True)
        start = column(begun)
    rows = rows.hide([(session, _find_first_row(column(row), start, maxevents))])
    return _merge_sessions(
        rows, time=time, key=key, idents=(row, following, session), most=maxevents, binder=binder
    )


def _find_first_row(number: exp.Column, start: exp.Expression, most: int | None) -> exp.Expression:
    """The number of the first row of a row's session, which ends after ``most`` rows."""
    if most is None:
        return start
    place = parenthesise(minus(number, start.copy()))
    full = exp.IntDiv(this=place, expression=literal_integer(most))
    return plus(start, times(full, literal_integer(most)))


def _merge_sessions(
    rows: Relation,
    *,
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
    count = count_rows()
    add("_time", oldest, FieldType.TIME)
    text: exp.Expression | None = None
    for name in rows.names():
        bound = rows.bound(name)
        if name == "_time" or bound is None:
            continue
        if name == "_raw":
            text = _join_texts(bound, number)
            add(name, text, FieldType.STRING)
        elif bound.ident == key.ident:
            add(name, as_list(key.typed()), FieldType.MULTIVALUE)
        else:
            values = build_aggregate(Aggregate("values", name), rows, binder, None)
            add(name, values.sql, values.type)
    length = minus(newest, oldest.copy())
    add("duration", exp.Round(this=length, decimals=literal_integer(6)), FieldType.NUMBER)
    add("eventcount", count, FieldType.INTEGER)
    add("closed_txn", _find_closed(following, count, most), FieldType.INTEGER)
    add("field_match_sum", count.copy(), FieldType.INTEGER)
    lines = count.copy() if text is None else _count_lines(text, count)
    add("linecount", lines, FieldType.INTEGER)
    evidence = gather_evidence(rows.evidence, items, binder)
    groups = [column(key.ident), column(session)]

    def render() -> exp.Select:
        query = select([*items, *(g.copy() for g in groups)], rows.render())
        query.set("group", exp.Group(expressions=[g.copy() for g in groups]))
        return query

    at = column(fields["_time"].ident)
    # Of one time they come in the same order each time that the search is run.
    order = [Order(at, descending=True, number=at.copy()), *(Order(g.copy()) for g in groups)]
    return binder.query(render, [rows], fields, order, evidence, keeps_empty=True)


def _join_texts(raw: Bound, number: str) -> exp.Expression:
    """The texts of the events, the oldest first, a line each."""
    text = exp.Nullif(this=column(raw.ident), expression=literal_text(""))
    listed = prelude_call("spl_agg_list_ordered", text, exp.Neg(this=column(number)))
    return coalesce(prelude_call("spl_mvjoin", listed, literal_text("\n")), literal_text(""))


def _count_lines(text: exp.Expression, count: exp.Expression) -> exp.Expression:
    """The lines of the texts; as many as events where there is none."""
    newline = literal_text("\n")
    without = prelude_call("replace", text.copy(), newline, literal_text(""))
    breaks = minus(exp.Length(this=text.copy()), exp.Length(this=without))
    empty = equal(text.copy(), literal_text(""))
    return case_when((empty, count.copy()), otherwise=plus(breaks, literal_integer(1)))


def _find_closed(following: str, count: exp.Expression, most: int | None) -> exp.Expression:
    """1 for a session that a pause or its size ended; the oldest one is still open."""
    one, zero = literal_integer(1), literal_integer(0)
    ended = exp.Min(this=case_when((has_no_value(column(following)), zero), otherwise=one))
    if most is None:
        return ended
    return case_when((equal(count.copy(), literal_integer(most)), one.copy()), otherwise=ended)
