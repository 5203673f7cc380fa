"""``nomv``: a multivalue field into one value, line by line (Search Reference: nomv)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.ast import Command
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
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
