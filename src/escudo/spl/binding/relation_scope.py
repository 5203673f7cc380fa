"""A relation -> the fields that eval and search expressions see; the binder makes one a command."""

from __future__ import annotations

from datetime import tzinfo
from typing import Protocol

import pyarrow as pa

from escudo.core.errors import Span
from escudo.core.schema import FieldType
from escudo.spl.binding.subsearch import rows_as_text
from escudo.spl.lowering.lower_search import lower_search
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.values import Bound, Typed
from escudo.spl.syntax.ast import Pipeline, SearchExpr, SubsearchTerm
from escudo.spl.syntax.parse_search import parse_search


class Surroundings(Protocol):
    """What expressions ask beside the fields: the clock, subsearches, a place for warnings."""

    @property
    def now(self) -> float: ...

    @property
    def zone(self) -> tzinfo: ...

    def warn(self, code: str, message: str, span: Span | None = None) -> None: ...

    def defer(self, what: str) -> None:
        """Something is not known until it has run."""
        ...

    def subsearch_condition(self, term: SubsearchTerm) -> SearchExpr | None:
        """The rows of a subsearch as conditions; None where nothing can be run."""
        ...

    def subsearch_rows(self, pipeline: Pipeline) -> pa.Table | None:
        """The rows of a subsearch; None where nothing can be run."""
        ...


class RelationScope:
    """The fields of a relation (a ``Scope`` for eval, ``Fields`` for search expressions)."""

    def __init__(self, relation: Relation, around: Surroundings) -> None:
        self.relation = relation
        self.around = around

    @property
    def now(self) -> float:
        return self.around.now

    @property
    def zone(self) -> tzinfo:
        return self.around.zone

    def field(self, name: str) -> Typed | None:
        return self.relation.field(name)

    def bound(self, name: str) -> Bound | None:
        return self.relation.bound(name)

    def possible(self, name: str) -> frozenset[str] | None:
        relation = self.relation
        if name in relation.fields or not relation.open:
            return None
        return relation.base.possible(name)

    def field_names(self) -> tuple[str, ...]:
        return tuple(self.relation.names())

    def search(self, text: str, span: Span | None) -> Typed:
        return Typed(lower_search(parse_search(text), self), FieldType.BOOLEAN)

    def warn(self, code: str, message: str, span: Span | None) -> None:
        self.around.warn(code, message, span)

    def subsearch(self, term: SubsearchTerm) -> SearchExpr | None:
        return self.around.subsearch_condition(term)

    def subsearch_text(self, pipeline: Pipeline) -> str | None:
        rows = self.around.subsearch_rows(pipeline)
        if rows is None:
            self.around.defer("the text of a subsearch")
            return None
        return rows_as_text(rows)
