"""``tail``: the last rows, in reverse order (Search Reference: tail)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.lexer import Kind
from escudo.spl.windows import reversed_rows

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Tail(Command):
    """``tail [n]``."""

    name: ClassVar[str] = "tail"

    limit: int = 10

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("limit")
        limit = options.integer("limit", 10, least=0)
        token = args.peek()
        if token.kind is Kind.WORD and token.text.isdigit():
            args.next()
            limit = int(token.text)
        return cls(limit, span=args.span())

    def format(self) -> str:
        return "tail" if self.limit == 10 else f"tail {self.limit}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return reversed_rows(rows(source, self), binder).limit(self.limit)
