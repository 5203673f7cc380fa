"""``makecontinuous``: rows for the gaps of a numeric field (Search Reference: makecontinuous)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.series import NO_BINS, BinOptions
from escudo.spl.unparse import word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class MakeContinuous(Command):
    """``makecontinuous [field] [span= bins= minspan= start= end= aligntime=]``."""

    name: ClassVar[str] = "makecontinuous"

    field: str = "_time"
    bins: BinOptions = NO_BINS

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options(*BinOptions.NAMES)
        field = args.name() if args.more() else "_time"
        args.options(*BinOptions.NAMES, into=options)
        return cls(field, BinOptions.read(options), span=args.span())

    def format(self) -> str:
        return f"makecontinuous {word(self.field)}{self.bins.format()}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
