"""``iplocation``: where an address is (Search Reference: iplocation)."""

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
class Iplocation(Command):
    """``iplocation [prefix=s] [allfields=bool] [lang=s] field``."""

    name: ClassVar[str] = "iplocation"

    field: str
    prefix: str = ""
    allfields: bool = False
    lang: str | None = None

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = ("prefix", "allfields", "lang")
        options = args.options(*known)
        field = args.name("a field of addresses")
        args.options(*known, into=options)
        return cls(
            field,
            options.text("prefix", ""),
            options.boolean("allfields", False),
            options.text("lang", None),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "iplocation"
            + option("prefix", self.prefix, "")
            + option("allfields", self.allfields, False)
            + option("lang", self.lang)
            + f" {word(self.field)}"
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
