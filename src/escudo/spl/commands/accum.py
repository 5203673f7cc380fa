"""``accum``: a running total (Search Reference: accum)."""

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
class Accum(Command):
    """``accum field [AS name]``."""

    name: ClassVar[str] = "accum"

    field: str
    alias: str | None = None

    @classmethod
    def parse(cls, args: Args) -> Self:
        field = args.name()
        alias = args.name("a name after AS") if args.accept_word("as") else None
        return cls(field, alias, span=args.span())

    def format(self) -> str:
        alias = f" AS {word(self.alias)}" if self.alias is not None else ""
        return f"accum {word(self.field)}{alias}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
