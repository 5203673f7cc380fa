"""``format``: rows into one search expression (Search Reference: format)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import pyarrow as pa

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.subsearch import Layout, formatted
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.unparse import option, quoted


@dataclass(frozen=True)
class Format(Command):
    """``format [options] ["row prefix" "column prefix" "column separator" "column end"
    "row separator" "row end"]``; the result is a field ``search``."""

    name: ClassVar[str] = "format"

    row_prefix: str = "("
    column_prefix: str = "("
    column_separator: str = "AND"
    column_end: str = ")"
    row_separator: str = "OR"
    row_end: str = ")"
    mvsep: str = "OR"
    maxresults: int = 0
    emptystr: str = "NOT( )"

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = ("mvsep", "maxresults", "emptystr")
        options = args.options(*known)
        strings: list[str] = []
        while args.peek().kind is Kind.STRING:
            strings.append(args.next().text)
        if len(strings) not in (0, 6):
            args.expected("six quoted strings (or none)")
        args.options(*known, into=options)
        row_prefix, column_prefix, separator, column_end, row_separator, row_end = strings or (
            "(",
            "(",
            "AND",
            ")",
            "OR",
            ")",
        )
        return cls(
            row_prefix,
            column_prefix,
            separator,
            column_end,
            row_separator,
            row_end,
            mvsep=options.text("mvsep", "OR"),
            maxresults=options.integer("maxresults", 0, least=0),
            emptystr=options.text("emptystr", "NOT( )"),
            span=args.span(),
        )

    def format(self) -> str:
        parts = (
            self.row_prefix,
            self.column_prefix,
            self.column_separator,
            self.column_end,
            self.row_separator,
            self.row_end,
        )
        given = parts != ("(", "(", "AND", ")", "OR", ")")
        return (
            "format"
            + option("mvsep", self.mvsep, "OR")
            + option("maxresults", self.maxresults, 0)
            + ("".join(f" {quoted(p)}" for p in parts) if given else "")
            + option("emptystr", self.emptystr, "NOT( )")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        found = binder.collect(binder.closed(rows(source, self)), "the rows to format")
        if found is None:
            return binder.table(pa.table({"search": pa.array([None], pa.string())}))
        text = formatted(
            found,
            Layout(
                self.row_prefix,
                self.column_prefix,
                self.column_separator,
                self.column_end,
                self.row_separator,
                self.row_end,
                self.mvsep,
                self.emptystr,
            ),
            self.maxresults,
        )
        return binder.table(pa.table({"search": [text]}))
