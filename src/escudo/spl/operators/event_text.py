"""Rows of a data model -> the same with the text of their events; called by ``from``.

The tables of data models hold no text: it is that of the raw event with the same id. A row without
one (a risk event, say) has none.
"""

from __future__ import annotations

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder
from escudo.spl.binding.dataset import Dataset, read
from escudo.spl.binding.declaration import list_names
from escudo.spl.operators.row_matching import join_queries, qualify
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import alias, column, equal, select
from escudo.spl.relation.values import Bound
from escudo.spl.syntax.ast import And


def read_with_text(dataset: Dataset, binder: Binder) -> Relation:
    """The rows with plain field names; where a command behind names it, with the text of the event
    that each was made of (``_raw``), which the tables of raw events hold."""
    rows = read(dataset, binder)
    named = (name for command in binder.following for name in list_names(command))
    ids = rows.bound("_event_id") if "_raw" in named else None
    if ids is None:
        return rows
    raw = binder.read_raw(And(()))
    key, text = raw.bound("_event_id"), raw.bound("_raw")
    if key is None or text is None:
        return rows
    found = Bound(binder.names.fresh("_raw"), FieldType.STRING)

    def build(inner: exp.Select) -> exp.Select:
        texts = select([column(key.ident), column(text.ident)], raw.render())
        same = equal(qualify("l", ids.ident), qualify("r", key.ident))
        shown = [alias(qualify("r", text.ident), found.ident)]
        return join_queries(inner, texts, on=same, columns=shown)

    return rows.wrap(build, [raw]).extend([("_raw", found.typed())], binder.names)
