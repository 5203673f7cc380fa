"""``tail``: the last rows, in reverse order (Search Reference: tail)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.windows import reversed_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.lexer import Kind


@dataclass(frozen=True)
class Tail(Command):
    """``tail [n]``."""

    name: ClassVar[str] = "tail"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

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
