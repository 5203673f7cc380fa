"""A relation whose ``_time`` may be text -> one whose ``_time`` is a number; commands that reckon
with it call this.

Number-like text is a number in SPL, so a ``_time`` out of a lookup is a time like any other.
"""

from __future__ import annotations

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder
from escudo.spl.relation.coercion import as_number
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.values import NUMERIC, Typed


def make_time_numeric(relation: Relation, binder: Binder) -> Relation:
    """The relation with ``_time`` in epoch seconds; null where its text is no number."""
    time = relation.bound("_time")
    if time is None or time.type in NUMERIC:
        return relation
    number = Typed(as_number(time.typed()), FieldType.TIME)
    return relation.extend([("_time", number)], binder.names)
