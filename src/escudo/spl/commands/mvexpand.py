"""``mvexpand``: one row for each value of a field (Search Reference: mvexpand)."""

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
class Mvexpand(Command):
    """``mvexpand field [limit=n]``; 0 is unlimited."""

    name: ClassVar[str] = "mvexpand"

    field: str
    limit: int = 0

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("limit")
        field = args.name()
        args.options("limit", into=options)
        return cls(field, options.integer("limit", 0, least=0), span=args.span())

    def format(self) -> str:
        return f"mvexpand {word(self.field)}{option('limit', self.limit, 0)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
