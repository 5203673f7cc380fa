"""``dedup``: the first rows of each combination of values (Search Reference: dedup)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.commands.sort import SortKey, sort_key
from escudo.spl.lexer import Kind
from escudo.spl.unparse import option, word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Dedup(Command):
    """``dedup [n] fields [options] [sortby keys]``."""

    name: ClassVar[str] = "dedup"

    fields: tuple[str, ...]
    limit: int = 1
    keepevents: bool = False
    keepempty: bool = False
    consecutive: bool = False
    sortby: tuple[SortKey, ...] = ()

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = ("keepevents", "keepempty", "consecutive", "limit")
        options = args.options(*known)
        limit = options.integer("limit", 1, least=1)
        first = args.peek()
        if first.kind is Kind.WORD and first.text.isdigit():
            args.next()
            limit = int(first.text)
            if limit < 1:
                args.fail("dedup keeps at least 1 row", first, code="SPL104")
        fields: list[str] = []
        while args.more() and not args.at_word("sortby"):
            if args.at_option() is not None:
                args.options(*known, into=options)
            elif not args.accept(","):
                fields.append(args.name())
        if not fields:
            args.missing("a field")
        sortby = args.separated(lambda: sort_key(args)) if args.accept_word("sortby") else ()
        return cls(
            tuple(fields),
            options.integer("limit", limit, least=1),
            options.boolean("keepevents", False),
            options.boolean("keepempty", False),
            options.boolean("consecutive", False),
            sortby,
            span=args.span(),
        )

    def format(self) -> str:
        names = " ".join(f'"{f}"' if f.isdigit() else word(f, "sortby") for f in self.fields)
        sortby = " sortby " + " ".join(k.format() for k in self.sortby) if self.sortby else ""
        return (
            f"dedup{f' {self.limit}' if self.limit != 1 else ''} {names}"
            + option("keepevents", self.keepevents, False)
            + option("keepempty", self.keepempty, False)
            + option("consecutive", self.consecutive, False)
            + sortby
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
