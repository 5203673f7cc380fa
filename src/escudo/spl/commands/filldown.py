"""``filldown``: nulls take the last value above them (Search Reference: filldown)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.unparse import words

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Filldown(Command):
    """``filldown [fields]``; a name may hold ``*``; without fields, all."""

    name: ClassVar[str] = "filldown"

    fields: tuple[str, ...] = ()

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(args.names(least=0), span=args.span())

    def format(self) -> str:
        return "filldown" + (f" {words(self.fields, separator=' ')}" if self.fields else "")

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
