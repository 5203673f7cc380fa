"""Commands that come with other apps, not with Splunk: understood as text, refused when bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args

APPS = {
    "cyberchef": "the app CyberChef for Splunk",
    "dnstwist": "the DNS Twist script of an old release of ESCU",
}
"""Name -> where the command comes from."""


@dataclass(frozen=True)
class Foreign(Command):
    """``name arguments``.

    A command of another app, with its arguments as they stand.

    Refused: any use of it, with its place.
    """

    name: ClassVar[str] = "foreign"

    command: str
    arguments: str = ""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(APPS)

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(command=args.command.lower(), arguments=args.rest(), span=args.span())

    def format(self) -> str:
        return f"{self.command} {self.arguments}".rstrip()

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError(
            "SPL300",
            f"'{self.command}' is a command of another app, which is not part of this engine",
            span=self.span,
            hint="take it out of the search, or compute its fields with eval",
        )
