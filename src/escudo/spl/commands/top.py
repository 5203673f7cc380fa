"""``top``: the most frequent values (Search Reference: top)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.ranking import Ranking, rank_values
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.aggregate_terms import format_by
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.options import boolean_option, format_options, integer_option, text_option
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class Top(Command):
    """``top [n] [options] fields [BY fields]``.

    ``n`` is the same as ``limit``.
    """

    name: ClassVar[str] = "top"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, closes_schema=True)
    most_first: ClassVar[bool] = True

    fields: tuple[str, ...]
    by: tuple[str, ...] = ()
    limit: int = integer_option(10, "Rows of each group; 0 gives all.", least=0)
    countfield: str = text_option("count", "The field that holds how often a value occurs.")
    percentfield: str = text_option("percent", "The field that holds its share in percent.")
    showcount: bool = boolean_option(True, "Whether the count is shown.")
    showperc: bool = boolean_option(True, "Whether the share is shown.")
    useother: bool = boolean_option(False, "Whether the values beyond the limit are one row.")
    otherstr: str = text_option("OTHER", "What that row is called.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        first = args.peek()
        if first.kind is Kind.WORD and first.text.isdigit():
            args.next()
            if "limit" not in options:
                options.put("limit", first)
        fields, options = args.read_names_and_options(cls, stops=("by",), into=options)
        if not fields:
            args.missing("a field")
        by: tuple[str, ...] = ()
        if args.accept_word("by"):
            by, options = args.read_names_and_options(cls, into=options)
            if not by:
                args.expected("a field after BY")
        return cls(fields=fields, by=by, **options.values(cls), span=args.span())

    def format(self) -> str:
        names = " ".join(f'"{n}"' if n.isdigit() else word(n, "by") for n in self.fields)
        return f"{self.name}{format_options(self)} {names}{format_by(self.by)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        ranking = Ranking(
            fields=self.fields,
            by=self.by,
            limit=self.limit,
            count_field=self.countfield if self.showcount else None,
            percent_field=self.percentfield if self.showperc else None,
            other=self.otherstr if self.useother else None,
            most_first=self.most_first,
        )
        return rank_values(rows(source, self), ranking, binder)
