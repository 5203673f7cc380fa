"""``noop`` and other commands that change no row here (Search Reference, their pages)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args

WITHOUT_EFFECT: Mapping[str, str | None] = {
    "noop": None,
    "localop": None,
    "redistribute": None,
    "highlight": None,
    "iconify": None,
    "rtorder": None,
    "sendalert": "no alert is sent: findings have outputs of their own",
    "sendemail": "no mail is sent: findings have outputs of their own",
}
"""Name -> what a user has to be told, if anything: how a search is run or shown is no news."""


@dataclass(frozen=True)
class Noop(Command):
    """``name arguments``.

    The rows as they are. `noop`, `localop`, `redistribute` and `rtorder` say how Splunk runs a
    search; `highlight` and `iconify` how its pages show the rows; `sendemail` and `sendalert` send
    them.

    Differs from Splunk: nothing is sent, and SPL323 says so.
    """

    name: ClassVar[str] = "noop"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    command: str = "noop"
    arguments: str = ""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(WITHOUT_EFFECT)

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(command=args.command.lower(), arguments=args.rest(), span=args.span())

    def format(self) -> str:
        return f"{self.command} {self.arguments}".rstrip()

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if (told := WITHOUT_EFFECT[self.command]) is not None:
            binder.warn("SPL323", told, self.span)
        return binder.empty(()) if source is None else source
