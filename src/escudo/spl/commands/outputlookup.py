"""``outputlookup``: writes the rows to a lookup table (Search Reference: outputlookup)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import pyarrow as pa

from escudo.spl.binding.arrow_rows import EVIDENCE
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.effects import LookupOutput, as_texts
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class OutputLookup(Command):
    """``outputlookup [options] table``.

    The table is written where the search runs with a lake to write to (``escudo search``, ``hunt``,
    ``baseline``), never into the content. With ``key_field``, ``append`` is true unless it is
    said. ``createinapp`` and ``create_context`` say in which folder of Splunk the file belongs;
    there is one place here.
    """

    name: ClassVar[str] = "outputlookup"

    table: str
    append: bool = False
    create_empty: bool = False
    override_if_empty: bool = True
    max: int = 1_000_000_000
    key_field: str | None = None
    allow_updates: bool = True
    createinapp: bool = True
    create_context: str = "app"
    output_format: str | None = None

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options(*OPTIONS)
        table = args.name("the name of a lookup")
        args.options(*OPTIONS, into=options)
        return cls(
            table,
            options.boolean("append", "key_field" in options),
            options.boolean("create_empty", False),
            options.boolean("override_if_empty", True),
            options.integer("max", 1_000_000_000, least=0),
            options.text("key_field", None),
            options.boolean("allow_updates", True),
            options.boolean("createinapp", True),
            options.choice("create_context", ("app", "user", "system"), "app"),
            options.choice("output_format", ("splunk_sv_csv", "splunk_mv_csv"), None),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "outputlookup"
            + option("append", self.append, self.key_field is not None)
            + option("create_empty", self.create_empty, False)
            + option("override_if_empty", self.override_if_empty, True)
            + option("max", self.max, 1_000_000_000)
            + option("key_field", self.key_field)
            + option("allow_updates", self.allow_updates, True)
            + option("createinapp", self.createinapp, True)
            + option("create_context", self.create_context, "app")
            + option("output_format", self.output_format)
            + f" {word(self.table)}"
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        if self.max < 1_000_000_000:
            relation = relation.limit(self.max)

        def keep(found: pa.Table) -> pa.Table:
            shown = found.drop_columns([n for n in EVIDENCE if n in found.column_names])
            binder.effects.append(
                LookupOutput(
                    self.table,
                    as_texts(shown),
                    append=self.append,
                    key_field=self.key_field,
                    allow_updates=self.allow_updates,
                    override_if_empty=self.override_if_empty,
                    create_empty=self.create_empty,
                    multivalues=self.output_format == "splunk_mv_csv",
                )
            )
            return found

        return binder.batch(relation, f"what goes to lookup {self.table}", keep)


OPTIONS = (
    "append",
    "create_empty",
    "override_if_empty",
    "max",
    "key_field",
    "allow_updates",
    "createinapp",
    "create_context",
    "output_format",
)
