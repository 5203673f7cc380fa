"""``map``: a search for each row (Search Reference: map)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.iteration import mapped
from escudo.spl.saved import saved_text
from escudo.spl.unparse import option, quoted, word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Map(Command):
    """``map search="text" [maxsearches=n]``, ``map [search]`` or ``map savedsearch``.

    ``$field$`` in the text is the row's value of that field.
    """

    name: ClassVar[str] = "map"

    search: str | None = None
    savedsearch: str | None = None
    maxsearches: int = 10

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("search", "maxsearches")
        search = options.text("search", None)
        savedsearch = None
        if args.at("["):
            search = args.subsearch_text()
        elif search is None and args.more():
            savedsearch = args.name("a saved search")
        args.options("search", "maxsearches", into=options)
        search = options.text("search", search)
        if search is None and savedsearch is None:
            args.missing('search="..." or the name of a saved search')
        return cls(
            search, savedsearch, options.integer("maxsearches", 10, least=0), span=args.span()
        )

    def format(self) -> str:
        what = f"search={quoted(self.search)}" if self.search is not None else ""
        if self.savedsearch is not None:
            what = word(self.savedsearch)
        return f"map {what}{option('maxsearches', self.maxsearches, 10)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        text = self.search
        if text is None:
            text = saved_text(self.savedsearch or "", binder, self.span)
        return mapped(relation, text, self.maxsearches, self, binder)
