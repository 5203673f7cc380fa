"""``gentimes``: a row for each span of a time range (Search Reference: gentimes)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.generated_rows import times
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option


@dataclass(frozen=True)
class Gentimes(Command):
    """``gentimes start=time [end=time] [increment=n(s|m|h|d)]``.

    A time is ``MM/DD/YYYY[:HH:MM:SS]`` or a number of days relative to today (0 is today).
    """

    name: ClassVar[str] = "gentimes"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    start: str
    end: str | None = None
    increment: str = "1d"

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("start", "end", "increment")
        start = options.text("start", None)
        if start is None:
            args.missing("start=MM/DD/YYYY or a number of days")
        return cls(
            start, options.text("end", None), options.text("increment", "1d"), span=args.span()
        )

    def format(self) -> str:
        return (
            "gentimes"
            + option("start", self.start)
            + option("end", self.end)
            + option("increment", self.increment, "1d")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        made = times(self.start, self.end, self.increment, binder.now, self.span)
        return binder.table(made)
