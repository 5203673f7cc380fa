"""``transpose``: rows become columns (Search Reference: transpose)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.batch.pivot import transposed
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import (
    boolean_option,
    format_options,
    integer_option,
    text_option,
)


@dataclass(frozen=True)
class Transpose(Command):
    """``transpose [n] [options]``.

    Each of the first ``n`` rows becomes a column, each field a row. ``n`` is the same as ``int``.
    """

    name: ClassVar[str] = "transpose"

    rows: int = integer_option(
        5, "Rows that become columns; 0 is all.", least=0, name="int", bare=True
    )
    column_name: str = text_option("column", "The field that holds the names of the fields.")
    header_field: str | None = text_option(
        None, "The field whose values name the columns, else row 1, row 2 and so on."
    )
    include_empty: bool = boolean_option(True, "Whether fields without any value are rows.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        args.read_number(options, "int")
        args.read_options(cls, into=options)
        return cls(**options.values(cls), span=args.span())

    def format(self) -> str:
        return f"transpose{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self).limit(self.rows) if self.rows else rows(source, self)
        return binder.batch(
            binder.closed(relation),
            "transpose",
            lambda table: transposed(
                table,
                column_name=self.column_name,
                header=self.header_field,
                include_empty=self.include_empty,
            ),
        )
