"""``bin`` (``bucket``): values into ranges (Search Reference: bin)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.spans import BinSpan
from escudo.spl.unparse import option, word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Bin(Command):
    """``bin [options] field [AS alias]``."""

    name: ClassVar[str] = "bin"

    field: str
    alias: str | None = None
    span_width: BinSpan | None = None
    bins: int | None = None
    minspan: BinSpan | None = None
    start: float | None = None
    end: float | None = None
    aligntime: str | None = None

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = ("span", "bins", "minspan", "start", "end", "aligntime")
        options = args.options(*known)
        field = args.name()
        args.options(*known, into=options)
        alias = args.name("a name after AS") if args.accept_word("as") else None
        args.options(*known, into=options)
        return cls(
            field,
            alias,
            options.span("span", None),
            options.integer("bins", None, least=2),
            options.span("minspan", None),
            options.number("start", None),
            options.number("end", None),
            options.text("aligntime", None),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "bin"
            + option("span", self.span_width.format() if self.span_width else None)
            + option("bins", self.bins)
            + option("minspan", self.minspan.format() if self.minspan else None)
            + option("start", self.start)
            + option("end", self.end)
            + option("aligntime", self.aligntime)
            + f" {word(self.field, 'as')}"
            + (f" AS {word(self.alias)}" if self.alias else "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
