"""``fieldsummary``: statistics of each field (Search Reference: fieldsummary)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.batch.field_statistics import SUMMARY, summary_of
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, words
from escudo.spl.syntax.wildcards import select_names


@dataclass(frozen=True)
class FieldSummary(Command):
    """``fieldsummary [maxvals=n] [fields]``; a name may hold ``*``."""

    name: ClassVar[str] = "fieldsummary"

    fields: tuple[str, ...] = ()
    maxvals: int = 100

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields, options = args.names_and_options("maxvals")
        return cls(fields, options.integer("maxvals", 100, least=0), span=args.span())

    def format(self) -> str:
        fields = f" {words(self.fields, separator=' ')}" if self.fields else ""
        return f"fieldsummary{option('maxvals', self.maxvals, 100)}{fields}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        if self.fields:
            names = select_names(self.fields, relation.names())
            relation = relation.closed({n: b for n in names if (b := relation.bound(n))})
        return binder.batch(
            relation, "fieldsummary", lambda table: summary_of(table, self.maxvals), known=SUMMARY
        )
