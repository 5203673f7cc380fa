"""``outputlookup``: writes the rows to a lookup table (Search Reference: outputlookup)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.effects import LookupOutput, plain_text
from escudo.spl.unparse import option, word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class OutputLookup(Command):
    """``outputlookup [options] table``."""

    name: ClassVar[str] = "outputlookup"

    table: str
    append: bool = False
    create_empty: bool = True
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
            options.boolean("append", False),
            options.boolean("create_empty", True),
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
            + option("append", self.append, False)
            + option("create_empty", self.create_empty, True)
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
        found = binder.collect(relation, f"what goes to lookup {self.table}")
        if found is not None:
            binder.effects.append(
                LookupOutput(
                    self.table,
                    plain_text(found),
                    self.append,
                    self.key_field,
                    self.override_if_empty,
                    self.create_empty,
                )
            )
        return relation


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
