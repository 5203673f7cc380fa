"""``multisearch``: the events of several streaming searches (Search Reference: multisearch)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.stacking import combine_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Pipeline


@dataclass(frozen=True)
class MultiSearch(Command):
    """``multisearch [search] [search] ...``.

    The events of two or more searches, newest first.

    Differs from Splunk: searches that are not streaming are taken, too; then the rows of each come
    after those of the one before.
    """

    name: ClassVar[str] = "multisearch"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    searches: tuple[Pipeline, ...]

    @classmethod
    def parse(cls, args: Args) -> Self:
        searches = args.separated(args.subsearch)
        if len(searches) < 2:
            args.missing("two or more subsearches")
        return cls(searches=searches, span=args.span())

    def format(self) -> str:
        return "multisearch" + "".join(f" [{s.format(nested=True)}]" for s in self.searches)

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if source is not None:
            raise EscudoError("SPL311", "'multisearch' must be the first command", span=self.span)
        return combine_rows([binder.subsearch(p) for p in self.searches], binder)
