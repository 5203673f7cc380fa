"""``nomv``: a multivalue field into one value, line by line (Search Reference: nomv)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.schema import FieldType
from escudo.spl import coerce
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.delimiters import delimiter_of
from escudo.spl.plan import Typed
from escudo.spl.unparse import word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Nomv(Command):
    """``nomv field``."""

    name: ClassVar[str] = "nomv"

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
        delimiter = coerce.literal_text(delimiter_of(relation, self.field))
        joined = coerce.call("spl_mvjoin", value.sql, delimiter)
        return relation.extend([(self.field, Typed(joined, FieldType.STRING))], binder.names)
