"""``autoregress``: earlier values of a field beside it (Search Reference: autoregress)."""

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
class Autoregress(Command):
    """``autoregress field [AS name] [p=n | p=start-end]``."""

    name: ClassVar[str] = "autoregress"

    field: str
    alias: str | None = None
    start: int = 1
    end: int = 1

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("p")
        field = args.name()
        args.options("p", into=options)
        alias = args.name("a name after AS") if args.accept_word("as") else None
        args.options("p", into=options)
        first, dash, last = options.text("p", "1").partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            options.fail("p", "option 'p' takes a number or a range such as 1-3")
        start, end = int(first), int(last) if dash else int(first)
        if alias is not None and start != end:
            args.missing("no AS together with a range of p")
        return cls(field, alias, start, end, span=args.span())

    def format(self) -> str:
        alias = f" AS {word(self.alias)}" if self.alias is not None else ""
        many = f"{self.start}-{self.end}" if self.start != self.end else f"{self.start}"
        return f"autoregress {word(self.field)}{alias}" + (f" p={many}" if many != "1" else "")

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
