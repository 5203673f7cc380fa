"""``mvcombine``: rows equal but for one field into one (Search Reference: mvcombine)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.unparse import option, word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Mvcombine(Command):
    """``mvcombine [delim=s] field``."""

    name: ClassVar[str] = "mvcombine"

    field: str
    delim: str = " "

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("delim")
        return cls(args.name(), options.text("delim", " "), span=args.span())

    def format(self) -> str:
        return f"mvcombine{option('delim', self.delim, ' ')} {word(self.field)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
