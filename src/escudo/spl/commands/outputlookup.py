"""``outputlookup``: writes the rows to a lookup table (Search Reference: outputlookup)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import pyarrow as pa

from escudo.spl.binding.arrow_rows import EVIDENCE
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration
from escudo.spl.binding.effects import LookupOutput, as_texts
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import (
    boolean_option,
    choice_option,
    format_options,
    integer_option,
    text_option,
)
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class OutputLookup(Command):
    """``outputlookup [options] table``.

    Differs from Splunk: the table is written where the search runs with a lake to write to
    (``escudo search``, ``hunt``, ``baseline``), never into the content. There is one place for
    tables, so ``createinapp`` and ``create_context`` do nothing.
    """

    name: ClassVar[str] = "outputlookup"
    declares: ClassVar[Declaration] = Declaration(writes=True)

    table: str
    append: bool | None = boolean_option(
        None,
        "Whether the rows are added to the table, not put in its place; "
        "so where `key_field` is given, else not.",
    )
    create_empty: bool = boolean_option(False, "Whether no rows make a table that is not there.")
    override_if_empty: bool = boolean_option(True, "Whether no rows empty a table that is there.")
    max: int | None = integer_option(
        None, "Rows that are written at most; all by default.", least=0
    )
    key_field: str | None = text_option(
        None, "A row replaces the row of the table that has the same value in this field."
    )
    allow_updates: bool = boolean_option(
        True, "Whether rows of a key that is there replace it; else they are left out."
    )
    createinapp: bool = boolean_option(True, "The folder of the file; no effect here.")
    create_context: str = choice_option(
        ("app", "user", "system"), "app", "The folder of the file; no effect here."
    )
    output_format: str | None = choice_option(
        ("splunk_sv_csv", "splunk_mv_csv"),
        None,
        "With `splunk_mv_csv` the values of a field are kept apart.",
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        table = args.name("the name of a lookup")
        args.read_options(cls, into=options)
        return cls(table=table, **options.values(cls), span=args.span())

    def format(self) -> str:
        return f"outputlookup{format_options(self)} {word(self.table)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        if self.max is not None:
            relation = relation.limit(self.max)

        def keep(table: pa.Table) -> pa.Table:
            shown = table.drop_columns([n for n in EVIDENCE if n in table.column_names])
            binder.effects.append(
                LookupOutput(
                    self.table,
                    as_texts(shown),
                    append=self.key_field is not None if self.append is None else self.append,
                    key_field=self.key_field,
                    allow_updates=self.allow_updates,
                    override_if_empty=self.override_if_empty,
                    create_empty=self.create_empty,
                    multivalues=self.output_format == "splunk_mv_csv",
                )
            )
            return table

        return binder.batch(relation, f"what goes to lookup {self.table}", keep)
