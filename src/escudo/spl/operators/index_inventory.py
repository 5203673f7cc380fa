"""Indexes -> rows that say what is in them; ``metadata`` and ``eventcount`` call it."""

from __future__ import annotations

from collections.abc import Sequence

from escudo.spl.binding.binder import Binder
from escudo.spl.operators.grouping import aggregate_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.values import text_value
from escudo.spl.syntax.aggregate_terms import Aggregate
from escudo.spl.syntax.ast import And, Call, FieldRef, InList, SearchExpr, Value


def _summarise(
    indexes: Sequence[str], terms: Sequence[Aggregate], by: Sequence[str], binder: Binder
) -> Relation:
    """Statistics of the events of some indexes; of all where none is named."""
    expr: SearchExpr = InList("index", tuple(map(Value, indexes))) if indexes else And(())
    return aggregate_rows(binder.read_raw(expr), terms, by, binder)


def summarise_origins(kind: str, indexes: Sequence[str], binder: Binder) -> Relation:
    """One row for each host, source or sourcetype: first, last and most recent time, count."""
    terms = [
        Aggregate("min", "_time", alias="firstTime"),
        Aggregate("max", "_time", alias="lastTime"),
        Aggregate("max", "_indextime", alias="recentTime"),
        Aggregate("count", alias="totalCount"),
    ]
    origins = _summarise(indexes, terms, (kind.removesuffix("s"),), binder)
    return origins.extend([("type", text_value(kind))], binder.names)


def count_events(
    indexes: Sequence[str], binder: Binder, *, summarize: bool, sized: bool
) -> Relation:
    """The number of events, in all or for each index; ``sized`` adds their length there."""
    count = Aggregate("count", alias="count")
    if summarize:
        return _summarise(indexes, [count], (), binder)
    length = Call("len", (FieldRef("_raw"),))
    size = [Aggregate("sum", expr=length, alias="size_bytes")] if sized else []
    counts = _summarise(indexes, [count, *size], ("index",), binder)
    return counts.extend([("server", text_value("local"))], binder.names)
