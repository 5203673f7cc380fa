"""``makemv``: splits a value into several (Search Reference: makemv)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.delimiters import with_delimiter
from escudo.spl.operators.extraction import tokens
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.comparison import filter_values
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import literal_text, prelude_call
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class Makemv(Command):
    """``makemv [delim=s | tokenizer=regex] [allowempty=bool] [setsv=bool] field``."""

    name: ClassVar[str] = "makemv"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    field: str
    delim: str = " "
    tokenizer: str | None = None
    allowempty: bool = False
    setsv: bool = False

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = ("delim", "tokenizer", "allowempty", "setsv")
        options = args.options(*known)
        field = args.name()
        args.options(*known, into=options)
        return cls(
            field,
            options.text("delim", " "),
            options.text("tokenizer", None),
            options.boolean("allowempty", False),
            options.boolean("setsv", False),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "makemv"
            + option("delim", self.delim, " ")
            + option("tokenizer", self.tokenizer)
            + option("allowempty", self.allowempty, False)
            + option("setsv", self.setsv, False)
            + f" {word(self.field)}"
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None or value.type is FieldType.MULTIVALUE:
            return relation
        if self.tokenizer is not None:
            values = tokens(value, self.tokenizer, self.span)
        else:
            values = prelude_call("spl_split", as_text(value), literal_text(self.delim))
        if not self.allowempty:
            values = filter_values(
                values, lambda v: exp.NEQ(this=v.sql, expression=literal_text(""))
            )
        values = prelude_call("spl_values", values)
        if self.setsv:
            joined = prelude_call("spl_mvjoin", values, literal_text(self.delim))
            return relation.extend([(self.field, Typed(joined, FieldType.STRING))], binder.names)
        relation = relation.extend(
            [(self.field, Typed(values, FieldType.MULTIVALUE))], binder.names
        )
        return with_delimiter(relation, [self.field], self.delim)
