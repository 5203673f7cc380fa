"""``gentimes``: a row for each span of a time range (Search Reference: gentimes)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.generated import times
from escudo.spl.unparse import option

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Gentimes(Command):
    """``gentimes start=time [end=time] [increment=n(s|m|h|d)]``.

    A time is ``MM/DD/YYYY[:HH:MM:SS]`` or a number of days relative to today (0 is today).
    """

    name: ClassVar[str] = "gentimes"
    generating: ClassVar[bool] = True

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
