"""``tail``: the last rows, in reverse order (Search Reference: tail)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.windows import reverse_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import format_options, integer_option


@dataclass(frozen=True)
class Tail(Command):
    """``tail [n]``.

    The last rows, the very last one first. ``n`` is the same as ``limit``.
    """

    name: ClassVar[str] = "tail"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    limit: int = integer_option(10, "Rows that are kept.", least=0, bare=True)

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        args.read_number(options, "limit")
        return cls(**options.values(cls), span=args.span())

    def format(self) -> str:
        return f"tail{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return reverse_rows(rows(source, self), binder).limit(self.limit)
