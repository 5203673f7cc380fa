"""``savedsearch``: the results of a saved search, run now (Search Reference: savedsearch)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.binding.saved_search import saved_text
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class SavedSearch(Command):
    """``savedsearch name [token=value ...] [nosubstitution=bool]``; ``$token$`` is replaced."""

    name: ClassVar[str] = "savedsearch"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    search: str
    tokens: tuple[tuple[str, str], ...] = ()
    nosubstitution: bool = False

    @classmethod
    def parse(cls, args: Args) -> Self:
        search = args.name("the name of a saved search")
        tokens: dict[str, str] = {}
        options = args.options(strict=False)
        while (token := args.at_option()) is not None:
            if token.text.lower() == "nosubstitution":
                args.options("nosubstitution", into=options, one=True)
                continue
            args.next()
            args.next()
            tokens[token.text] = args.value().text
        return cls(
            search,
            tuple(tokens.items()),
            options.boolean("nosubstitution", False),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            f"savedsearch {word(self.search)}"
            + "".join(f" {name}={word(value)}" for name, value in self.tokens)
            + option("nosubstitution", self.nosubstitution, False)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        text = saved_text(self.search, binder, self.span)
        if not self.nosubstitution:
            for name, value in self.tokens:
                text = text.replace(f"${name}$", value)
        return binder.pipeline(binder.parse(text))
