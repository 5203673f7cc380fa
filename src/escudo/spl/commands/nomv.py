"""``nomv``: a multivalue field into one value, line by line (Search Reference: nomv)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.delimiters import delimiter_of
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import literal_text, prelude_call
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class Nomv(Command):
    """``nomv field``."""

    name: ClassVar[str] = "nomv"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    field: str

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(args.name(), span=args.span())

    def format(self) -> str:
        return f"nomv {word(self.field)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None or value.type is not FieldType.MULTIVALUE:
            return relation
        delimiter = literal_text(delimiter_of(relation, self.field))
        joined = prelude_call("spl_mvjoin", value.sql, delimiter)
        return relation.extend([(self.field, Typed(joined, FieldType.STRING))], binder.names)
