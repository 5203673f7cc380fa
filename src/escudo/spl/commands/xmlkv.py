"""``xmlkv``: fields out of XML elements (Search Reference: xmlkv)."""

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
class Xmlkv(Command):
    """``xmlkv [field] [maxinputs=n]``."""

    name: ClassVar[str] = "xmlkv"

    field: str = "_raw"
    maxinputs: int = 50_000

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("maxinputs")
        field = args.name() if args.more() else "_raw"
        args.options("maxinputs", into=options)
        return cls(field, options.integer("maxinputs", 50_000, least=1), span=args.span())

    def format(self) -> str:
        field = "" if self.field == "_raw" else f" {word(self.field)}"
        return f"xmlkv{field}{option('maxinputs', self.maxinputs, 50_000)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None:
            return relation
        found = coerce.call("spl_xml_pairs", coerce.as_text(value))
        return overlaid(relation, found, binder, lists=True)
