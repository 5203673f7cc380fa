"""What a bound search is: a relation of typed fields over a SQLGlot query.

A relation only ever gains SQL columns: ``eval`` over an existing field allocates a new identifier
and maps the field to it, and every row-wise step is ``SELECT *, expr AS ident FROM (...)``. So a
field that is first asked for late in the pipeline can still be added to the scan at the bottom
(``Relation.field`` -> ``Scan.demand``), and a scan reads exactly the columns that are used.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from escudo.core.schema import Column, FieldType, TableSchema
from escudo.core.timerange import TimeRange


@dataclass(frozen=True)
class Typed:
    """A scalar SQL expression with its SPL type."""

    sql: exp.Expression
    type: FieldType


@dataclass(frozen=True)
class Bound:
    """A field of a relation: its SQL identifier there, and its type."""

    ident: str
    type: FieldType


@dataclass
class Scan:
    """A read of one table; ``name`` is its placeholder table in the SQLGlot tree.

    ``columns`` (SPL name -> column) grows by demand while the search is bound; the engine replaces
    the placeholder by the files that the catalog gives for ``within``.
    """

    name: str
    schema: TableSchema
    within: TimeRange
    columns: dict[str, Column] = field(default_factory=dict)
