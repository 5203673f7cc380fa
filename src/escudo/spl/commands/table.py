"""``table``: only these fields, in this order (Search Reference: table)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.unparse import words

if TYPE_CHECKING:
    from escudo.spl.bind import Binder, Relation


@dataclass(frozen=True)
class Table(Command):
    """``table fields``; a name may hold ``*``."""

    name: ClassVar[str] = "table"

    fields: tuple[str, ...]

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(args.names(), span=args.span())

    def format(self) -> str:
        return f"table {words(self.fields)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
