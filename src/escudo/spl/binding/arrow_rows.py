"""An Arrow table of rows -> a relation that reads it by name; the binder calls it."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from escudo.core.schema import FieldType
from escudo.spl.relation.arrow_types import field_type
from escudo.spl.relation.bases import TableBase
from escudo.spl.relation.identifiers import Names
from escudo.spl.relation.relation import Evidence, Relation
from escudo.spl.relation.sql import column
from escudo.spl.relation.steps import Limit, Order
from escudo.spl.relation.values import Bound

EVIDENCE = ("_evidence_ids", "_evidence_files")
"""Columns of an Arrow table of rows that hold what proves them."""


def relation_of_rows(
    name: str, rows: pa.Table, kinds: Mapping[str, FieldType], names: Names
) -> tuple[Relation, pa.Table]:
    """The relation, in the order of the rows, and the table that it reads under the name.

    Columns of ``rows`` are SPL fields, but for those of ``EVIDENCE``; ``kinds`` are the types of
    fields that the columns' types do not tell. In the table they have SQL identifiers, and there
    is one more, the position of a row.
    """
    position = names.fresh("position")
    fields: dict[str, Bound] = {}
    idents: list[str] = []
    for source in rows.column_names:
        ident = names.fresh(source)
        idents.append(ident)
        if source not in EVIDENCE:
            kind = kinds.get(source) or field_type(rows.schema.field(source).type)
            fields[source] = Bound(ident, kind)
    numbered = rows.rename_columns(idents).append_column(
        position, pa.array(range(rows.num_rows), pa.int64())
    )
    order = (Order(column(position), number=column(position)),)
    evidence = None
    if all(n in rows.column_names for n in EVIDENCE):
        ids, files = (idents[rows.column_names.index(n)] for n in EVIDENCE)
        evidence = Evidence(ids, files, lists=True)
    relation = Relation(TableBase(name, fields), order=order, evidence=evidence)
    return relation.closed(fields), numbered


MOST_AT_HAND = 1_000
"""Rows that are made conditions of where nothing is run."""


def find_rows(relation: Relation, tables: Mapping[str, pa.Table]) -> pa.Table | None:
    """The rows of a relation under the names of their fields, in any order, if they are those of a
    table that no search changes, and few: nothing need be run for them."""
    base = relation.base
    if not isinstance(base, TableBase) or not base.lasting:
        return None
    rows = tables[base.name]
    if rows.num_rows > MOST_AT_HAND or not all(
        isinstance(step, Limit) and step.count >= rows.num_rows for step in relation.steps
    ):
        return None
    bound = {name: relation.bound(name) for name in relation.names()}
    return pa.table({n: rows[b.ident] for n, b in bound.items() if b is not None})
