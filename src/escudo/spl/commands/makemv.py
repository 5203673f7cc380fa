"""``makemv``: splits a value into several (Search Reference: makemv)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl import coerce
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.delimiters import with_delimiter
from escudo.spl.extraction import tokens
from escudo.spl.plan import Typed
from escudo.spl.unparse import option, word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Makemv(Command):
    """``makemv [delim=s | tokenizer=regex] [allowempty=bool] [setsv=bool] field``."""

    name: ClassVar[str] = "makemv"

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
            values = coerce.call(
                "spl_split", coerce.as_text(value), coerce.literal_text(self.delim)
            )
        if not self.allowempty:
            values = coerce.filter_values(
                values, lambda v: exp.NEQ(this=v.sql, expression=coerce.literal_text(""))
            )
        values = coerce.call("spl_values", values)
        if self.setsv:
            joined = coerce.call("spl_mvjoin", values, coerce.literal_text(self.delim))
            return relation.extend([(self.field, Typed(joined, FieldType.STRING))], binder.names)
        relation = relation.extend(
            [(self.field, Typed(values, FieldType.MULTIVALUE))], binder.names
        )
        return with_delimiter(relation, [self.field], self.delim)
