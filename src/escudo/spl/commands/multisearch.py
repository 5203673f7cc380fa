"""``multisearch``: the events of several streaming searches (Search Reference: multisearch)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.ast import Command, Pipeline
from escudo.spl.union import together

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class MultiSearch(Command):
    """``multisearch [search] [search] ...``, two or more."""

    name: ClassVar[str] = "multisearch"
    generating: ClassVar[bool] = True

    searches: tuple[Pipeline, ...]

    @classmethod
    def parse(cls, args: Args) -> Self:
        searches = args.separated(args.subsearch)
        if len(searches) < 2:
            args.missing("two or more subsearches")
        return cls(searches, span=args.span())

    def format(self) -> str:
        return "multisearch" + "".join(f" [{s.format(nested=True)}]" for s in self.searches)

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if source is not None:
            raise EscudoError("SPL311", "'multisearch' must be the first command", span=self.span)
        return together([binder.subsearch(p) for p in self.searches], binder)
