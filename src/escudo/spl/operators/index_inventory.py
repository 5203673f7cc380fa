"""What is in the indexes: ``metadata`` and ``eventcount``."""

from __future__ import annotations

from collections.abc import Sequence

from escudo.spl.binding.binder import Binder
from escudo.spl.operators.grouping import aggregate_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.values import text_value
from escudo.spl.syntax.aggregate_terms import Aggregate
from escudo.spl.syntax.ast import And, Call, FieldRef, InList, SearchExpr, Value

_LENGTH = Call("len", (FieldRef("_raw"),))


def _events(indexes: Sequence[str], binder: Binder) -> Relation:
    expr: SearchExpr = And(())
    if indexes:
        expr = InList("index", tuple(Value(i) for i in indexes))
    return binder.read_raw(expr)


def event_metadata(kind: str, indexes: Sequence[str], binder: Binder) -> Relation:
    """One row for each host, source or sourcetype: first, last and most recent time, count."""
    name = kind.removesuffix("s")
    terms = [
        Aggregate("min", "_time", alias="firstTime"),
        Aggregate("max", "_time", alias="lastTime"),
        Aggregate("max", "_indextime", alias="recentTime"),
        Aggregate("count", alias="totalCount"),
    ]
    found = aggregate_rows(_events(indexes, binder), terms, (name,), binder)
    return found.extend([("type", text_value(kind))], binder.names)


def event_counts(
    indexes: Sequence[str], binder: Binder, *, summarize: bool, sized: bool
) -> Relation:
    """The number of events, in all or for each index."""
    count = Aggregate("count", alias="count")
    if summarize:
        return aggregate_rows(_events(indexes, binder), [count], (), binder)
    size = [Aggregate("sum", expr=_LENGTH, alias="size_bytes")] if sized else []
    found = aggregate_rows(_events(indexes, binder), [count, *size], ("index",), binder)
    return found.extend([("server", text_value("local"))], binder.names)
