"""``fromjson``: the members of a JSON object as fields (Search Reference: fromjson)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl import coerce
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.overlay import overlaid
from escudo.spl.unparse import option, word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Fromjson(Command):
    """``fromjson field [prefix=s]``."""

    name: ClassVar[str] = "fromjson"

    field: str
    prefix: str = ""

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("prefix")
        field = args.name("a field that holds a JSON object")
        args.options("prefix", into=options)
        return cls(field, options.text("prefix", ""), span=args.span())

    def format(self) -> str:
        return f"fromjson {word(self.field)}{option('prefix', self.prefix, '')}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None:
            return relation
        found = coerce.call("spl_object_members", coerce.as_text(value))
        return overlaid(relation, found, binder, lists=True, prefix=self.prefix)
