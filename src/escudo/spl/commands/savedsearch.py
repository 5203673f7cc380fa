"""``savedsearch``: the results of a saved search, run now (Search Reference: savedsearch)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.binding.saved_search import saved_text
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import boolean_option, format_options, option_names
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class SavedSearch(Command):
    """``savedsearch name [token=value ...] [nosubstitution=bool]``.

    ``$token$`` in the text of the saved search is replaced by the value. It runs over the time
    range of the search that it stands in.
    """

    name: ClassVar[str] = "savedsearch"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    search: str
    tokens: tuple[tuple[str, str], ...] = ()
    nosubstitution: bool = boolean_option(False, "Whether tokens stay as they are.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        search = args.name("the name of a saved search")
        tokens: dict[str, str] = {}
        options = args.read_options(strict=False)
        while (token := args.at_option()) is not None:
            if token.text.lower() in option_names(cls):
                args.read_options(cls, into=options, one=True)
                continue
            args.next()
            args.next()
            tokens[token.text] = args.value().text
        return cls(
            search=search, tokens=tuple(tokens.items()), **options.values(cls), span=args.span()
        )

    def format(self) -> str:
        tokens = "".join(f" {name}={word(value)}" for name, value in self.tokens)
        return f"savedsearch {word(self.search)}{tokens}{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        text = saved_text(self.search, binder, self.span)
        if not self.nosubstitution:
            for name, value in self.tokens:
                text = text.replace(f"${name}$", value)
        return binder.pipeline(binder.parse(text))
