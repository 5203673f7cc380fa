"""``makemv``: splits a value into several (Search Reference: makemv)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.binding.one_field_command import OneFieldCommand
from escudo.spl.operators.delimiters import remember_delimiter
from escudo.spl.operators.extraction import find_tokens
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.comparison import filter_values
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import literal_text, prelude_call
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.options import boolean_option, text_option


@dataclass(frozen=True)
class Makemv(OneFieldCommand):
    """``makemv [options] field``.

    The values between the delimiters, or those that the tokenizer finds. A field that has several
    values already stays as it is.
    """

    name: ClassVar[str] = "makemv"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    delim: str = text_option(" ", "What stands between the values.")
    tokenizer: str | None = text_option(
        None, "A regular expression instead: its first group is a value, as often as it matches."
    )
    allowempty: bool = boolean_option(False, "Whether empty values are kept.")
    setsv: bool = boolean_option(
        False, "Whether the values are joined to one again, by the delimiter."
    )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None or value.type is FieldType.MULTIVALUE:
            return relation
        if self.tokenizer is not None:
            values = find_tokens(value, self.tokenizer, self.span)
        else:
            values = prelude_call("spl_split", as_text(value), literal_text(self.delim))
        if not self.allowempty:
            empty = literal_text("")
            values = filter_values(values, lambda v: exp.NEQ(this=v.sql, expression=empty))
        values = prelude_call("spl_values", values)
        if self.setsv:
            joined = prelude_call("spl_mvjoin", values, literal_text(self.delim))
            return relation.extend([(self.field, Typed(joined, FieldType.STRING))], binder.names)
        split = [(self.field, Typed(values, FieldType.MULTIVALUE))]
        return remember_delimiter(relation.extend(split, binder.names), [self.field], self.delim)
