"""``transpose``: rows become columns (Search Reference: transpose)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.batch.pivot import transposed
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.unparse import option


@dataclass(frozen=True)
class Transpose(Command):
    """``transpose [rows] [column_name=] [header_field=] [include_empty=]``; 0 rows means all."""

    name: ClassVar[str] = "transpose"

    rows: int = 5
    column_name: str = "column"
    header_field: str | None = None
    include_empty: bool = True

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = ("column_name", "header_field", "include_empty", "int")
        options = args.options(*known)
        rows = options.integer("int", 5, least=0)
        token = args.peek()
        if token.kind is Kind.WORD and token.text.isdigit():
            args.next()
            rows = int(token.text)
        args.options(*known, into=options)
        return cls(
            rows,
            options.text("column_name", "column"),
            options.text("header_field", None),
            options.boolean("include_empty", True),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "transpose"
            + (f" {self.rows}" if self.rows != 5 else "")
            + option("column_name", self.column_name, "column")
            + option("header_field", self.header_field)
            + option("include_empty", self.include_empty, True)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self).limit(self.rows) if self.rows else rows(source, self)
        options = (self.column_name, self.header_field, self.include_empty)
        return binder.batch(
            binder.closed(relation), "transpose", lambda table: transposed(table, *options)
        )
