"""``set``: union, difference or intersection of two searches (Search Reference: set)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.relation.coercion import common_type, convert_to
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import alias, column, select
from escudo.spl.relation.values import Bound, null_value
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Pipeline


@dataclass(frozen=True)
class Set(Command):
    """``set union|diff|intersect [search] [search]``.

    The rows that either search has, that only one has, or that both have, each row once. Rows are
    the same if all their fields are; internal fields (``_time`` and the like) do not count.
    """

    name: ClassVar[str] = "set"
    generating: ClassVar[bool] = True

    operation: str
    left: Pipeline
    right: Pipeline

    @classmethod
    def parse(cls, args: Args) -> Self:
        operation = args.expect_word("union", "diff", "intersect")
        left, right = args.subsearch(), args.subsearch()
        return cls(operation=operation, left=left, right=right, span=args.span())

    def format(self) -> str:
        left, right = self.left.format(nested=True), self.right.format(nested=True)
        return f"set {self.operation} [{left}] [{right}]"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if source is not None:
            raise EscudoError("SPL311", "'set' must be the first command", span=self.span)
        left, right = (binder.closed(binder.subsearch(p)) for p in (self.left, self.right))
        return combine_sets(self.operation, left=left, right=right, binder=binder)


def combine_sets(operation: str, *, left: Relation, right: Relation, binder: Binder) -> Relation:
    """The rows of both relations, of one only (``diff``), or that both have (``intersect``)."""
    names = [n for n in dict.fromkeys([*left.names(), *right.names()]) if not n.startswith("_")]
    fields: dict[str, Bound] = {}
    for name in names:
        values = [v for r in (left, right) if (v := r.field(name)) is not None]
        fields[name] = Bound(binder.names.fresh(name), common_type(values))

    def side(relation: Relation) -> exp.Select:
        cells = []
        for name, bound in fields.items():
            value = relation.field(name) or null_value(bound.type)
            cells.append(alias(convert_to(value, bound.type), bound.ident))
        return select(cells, relation.render())

    def build() -> exp.Select:
        kind = {"union": exp.Union, "intersect": exp.Intersect, "diff": exp.Except}[operation]
        query: exp.Expression = kind(this=side(left), expression=side(right), distinct=True)
        if operation == "diff":
            other = exp.Except(this=side(right), expression=side(left), distinct=True)
            first = select([exp.Star()], query)
            query = exp.Union(this=first, expression=select([exp.Star()], other), distinct=False)
        return select([column(b.ident) for b in fields.values()], query)

    return binder.query(build, [left, right], fields)
