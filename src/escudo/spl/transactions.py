"""``transaction``: sessions in SQL, or conditions as columns and then the batch function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl import coerce
from escudo.spl.batch.transactions import MADE, Rules, transactions_of
from escudo.spl.bind import Binder
from escudo.spl.bins import MONTHS, SECONDS
from escudo.spl.plan import Order, Relation, Typed, column
from escudo.spl.sessions import sessions
from escudo.spl.spans import BinSpan

if TYPE_CHECKING:
    from escudo.spl.commands.transaction import Boundary, Transaction

_STARTS, _ENDS = "_transaction_starts", "_transaction_ends"


def transactions(relation: Relation, command: Transaction, binder: Binder) -> Relation:
    """The events of a search as transactions."""
    time = relation.bound("_time")
    if time is None:
        raise EscudoError("SPL105", "transaction needs _time", span=command.span)
    flags: list[str] = []
    for name, boundary in ((_STARTS, command.startswith), (_ENDS, command.endswith)):
        if boundary is not None:
            held = _condition(boundary, relation, binder)
            relation = relation.extend([(name, held)], binder.names)
            flags.append(name)
    newest = Order(column(time.stamp or time.ident), descending=True, number=column(time.ident))
    events = binder.narrowed(relation, (*command.fields, "_time", "_raw", *flags))
    events = events.ordered([newest, *(o for o in relation.order if o.sql != newest.sql)])
    pause = _seconds(command.maxpause)
    found = sessions(events, command, pause, binder)
    if found is not None:
        return found
    listed: tuple[str, ...] | None = command.mvlist_fields
    if command.mvlist and not command.mvlist_fields:
        listed = None
    rules = Rules(
        command.fields,
        _STARTS if command.startswith is not None else None,
        _ENDS if command.endswith is not None else None,
        _seconds(command.maxspan),
        pause,
        command.maxevents if command.maxevents > 0 else None,
        command.connected,
        command.unifyends,
        command.keeporphans,
        command.keepevicted,
        listed,
        command.nullstr,
    )
    return binder.batch(
        events,
        "transaction",
        lambda table: transactions_of(table, rules, flags),
        known=(*(n for n in events.names() if n not in flags), *MADE),
        kinds={"_time": FieldType.TIME},
    )


def _condition(boundary: Boundary, relation: Relation, binder: Binder) -> Typed:
    if boundary.expr is not None:
        sql = coerce.as_boolean(binder.evaluate(boundary.expr, relation))
    else:
        assert boundary.search is not None
        sql = binder.condition(boundary.search, relation)
    return Typed(sql, FieldType.BOOLEAN)


def _seconds(span: BinSpan | None) -> float | None:
    if span is None:
        return None
    if span.unit in MONTHS:
        return span.size * MONTHS[span.unit] * 30 * 86400
    return span.size * SECONDS[span.unit or "s"]
