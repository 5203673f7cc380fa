"""``nomv``: a multivalue field into one value (Search Reference: nomv)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.binding.one_field_command import OneFieldCommand
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import literal_text, prelude_call
from escudo.spl.relation.values import Typed

_DELIMITER = "\n"


@dataclass(frozen=True)
class Nomv(OneFieldCommand):
    """``nomv field``.

    The values one below the other in one text, or with the delimiter between them that the command
    said which made them (``makemv``, ``mvcombine``, ``stats``).
    """

    name: ClassVar[str] = "nomv"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None or value.type is not FieldType.MULTIVALUE:
            return relation
        delimiter = relation.traits.delimiters.get(self.field, _DELIMITER)
        joined = prelude_call("spl_mvjoin", value.sql, literal_text(delimiter))
        return relation.extend([(self.field, Typed(joined, FieldType.STRING))], binder.names)
