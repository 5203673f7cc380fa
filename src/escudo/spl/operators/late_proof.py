"""Which events made the groups of a grouping, asked once it is known which groups are left.

To keep the events of each group at hand costs more than all else about it where groups are many,
and later filters leave few (2026-11-30, a million groups of command lines: 4 of 8 seconds).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from escudo.spl.binding.binder import Binder
from escudo.spl.binding.runner import LateProver
from escudo.spl.operators.row_matching import join_queries, qualify
from escudo.spl.relation.relation import Evidence, Relation
from escudo.spl.relation.signs import DEAR
from escudo.spl.relation.sql import (
    alias,
    all_hold,
    column,
    equal,
    filter_rows,
    group_rows,
    select,
    table,
)
from escudo.spl.relation.steps import Where

MOST_VALUES = 8
"""Values of a list that an event is soon compared with."""


def proves_late(events: Relation, binder: Binder) -> bool:
    """Whether events can be read again, and the engine does so in less time.

    Events that texts were looked for in are few, and dear to find a second time.
    """
    runner = binder.runner
    if not isinstance(runner, LateProver) or not events.row_wise:
        return False
    asked = (step.condition for step in events.steps if isinstance(step, Where))
    if any(map(_is_dear, asked)):
        return False
    return runner.proves_late(list(events.scans()))


def _is_dear(condition: exp.Expression) -> bool:
    return any(
        isinstance(node, DEAR) or (isinstance(node, exp.In) and len(node.expressions) > MOST_VALUES)
        for node in condition.walk()
    )


def attach_proof(
    rows: exp.Select,
    events: Relation,
    keys: Sequence[str],
    gathered: Sequence[exp.Expression],
    proof: Evidence,
    binder: Binder,
) -> exp.Select:
    """Rows that are left of groups of events, each with what proves it.

    Args:
        keys: the columns that events were grouped by, still there in the rows.
        gathered: the aggregates that collect what proves a group, named as in ``proof``.
    """
    left = binder.names.fresh("left")
    names = {key: binder.names.fresh("key") for key in keys}
    of_left = select([column(key) for key in keys], table(left))
    tuples = exp.Tuple(expressions=[column(key) for key in keys])
    items = [alias(column(key), name) for key, name in names.items()]
    proofs = select([*items, *(g.copy() for g in gathered)], events.render())
    filter_rows(proofs, exp.In(this=tuples, query=exp.Subquery(this=of_left)))
    proofs = group_rows(proofs, [column(key) for key in keys])
    same = [equal(qualify("l", key), qualify("r", name)) for key, name in names.items()]
    columns = [qualify("r", ident) for ident in (proof.ids, proof.files)]
    query = join_queries(table(left), proofs, on=all_hold(same), columns=columns)
    called = exp.TableAlias(this=exp.to_identifier(left, quoted=True))
    found = exp.CTE(this=rows, alias=called, materialized=True)
    query.set("with_", exp.With(expressions=[found]))
    return query
