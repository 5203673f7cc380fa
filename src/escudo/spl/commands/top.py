"""``top``: the most frequent values (Search Reference: top)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.ranking import Ranking, ranked
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.aggregate_terms import format_by
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class Top(Command):
    """``top [n] [options] fields [BY fields]``; limit 0 is unlimited."""

    name: ClassVar[str] = "top"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, closes_schema=True)

    fields: tuple[str, ...]
    by: tuple[str, ...] = ()
    limit: int = 10
    countfield: str = "count"
    percentfield: str = "percent"
    showcount: bool = True
    showperc: bool = True
    useother: bool = False
    otherstr: str = "OTHER"

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options(*OPTIONS)
        first = args.peek()
        given = 10
        if first.kind is Kind.WORD and first.text.isdigit():
            args.next()
            given = int(first.text)
        fields, options = args.names_and_options(*OPTIONS, stops=("by",), into=options)
        if not fields:
            args.missing("a field")
        by: tuple[str, ...] = ()
        if args.accept_word("by"):
            by, options = args.names_and_options(*OPTIONS, into=options)
            if not by:
                args.expected("a field after BY")
        return cls(
            fields,
            by,
            options.integer("limit", given, least=0),
            options.text("countfield", "count"),
            options.text("percentfield", "percent"),
            options.boolean("showcount", True),
            options.boolean("showperc", True),
            options.boolean("useother", False),
            options.text("otherstr", "OTHER"),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "top"
            + option("limit", self.limit, 10)
            + option("countfield", self.countfield, "count")
            + option("percentfield", self.percentfield, "percent")
            + option("showcount", self.showcount, True)
            + option("showperc", self.showperc, True)
            + option("useother", self.useother, False)
            + option("otherstr", self.otherstr, "OTHER")
            + " "
            + " ".join(f'"{n}"' if n.isdigit() else word(n, "by") for n in self.fields)
            + format_by(self.by)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return ranked(
            rows(source, self),
            Ranking(
                self.fields,
                self.by,
                self.limit,
                self.countfield if self.showcount else None,
                self.percentfield if self.showperc else None,
                self.otherstr if self.useother else None,
                most_first=True,
            ),
            binder,
        )


OPTIONS = (
    "limit",
    "countfield",
    "percentfield",
    "showcount",
    "showperc",
    "useother",
    "otherstr",
)
