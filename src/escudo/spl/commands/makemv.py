"""``makemv``: splits a value into several (Search Reference: makemv)."""

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
class Makemv(Command):
    """``makemv [delim=s | tokenizer=regex] [allowempty=bool] [setsv=bool] field``."""

    name: ClassVar[str] = "makemv"

    field: str
    delim: str = " "
    tokenizer: str | None = None
    allowempty: bool = False
    setsv: bool = False

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = ("delim", "tokenizer", "allowempty", "setsv")
        options = args.options(*known)
        field = args.name()
        args.options(*known, into=options)
        return cls(
            field,
            options.text("delim", " "),
            options.text("tokenizer", None),
            options.boolean("allowempty", False),
            options.boolean("setsv", False),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "makemv"
            + option("delim", self.delim, " ")
            + option("tokenizer", self.tokenizer)
            + option("allowempty", self.allowempty, False)
            + option("setsv", self.setsv, False)
            + f" {word(self.field)}"
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
