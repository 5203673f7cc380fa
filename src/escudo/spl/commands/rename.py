"""``rename``: gives fields other names (Search Reference: rename)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.unparse import word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder, Relation


@dataclass(frozen=True)
class Rename(Command):
    """``rename old AS new, ...``; ``*`` in both maps part by part."""

    name: ClassVar[str] = "rename"

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, args: Args) -> Self:
        def pair() -> tuple[str, str]:
            old = args.name()
            args.expect_word("as", "to")
            return old, args.name("the new name")

        pairs = args.separated(pair)
        if not pairs:
            args.missing("'field AS name'")
        return cls(pairs, span=args.span())

    def format(self) -> str:
        return "rename " + ", ".join(f"{word(old, 'as')} AS {word(new)}" for old, new in self.pairs)

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
