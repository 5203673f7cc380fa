"""``fieldsummary``: statistics of each field (Search Reference: fieldsummary)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.batch.fieldsummary import SUMMARY, summary_of
from escudo.spl.bind import rows
from escudo.spl.unparse import option, words
from escudo.spl.wildcards import select_names

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


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
