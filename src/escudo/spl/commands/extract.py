"""``extract`` (``kv``): fields out of key-value pairs (Search Reference: extract)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.found_fields import overlay_fields
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import literal_text, prelude_call
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, words


@dataclass(frozen=True)
class Extract(Command):
    """``extract [options] [names of extractions]``.

    ``pairdelim`` and ``kvdelim`` are sets of characters; where None, pairs ``key=value`` are found
    as the automatic extraction does.
    """

    name: ClassVar[str] = "extract"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    extractors: tuple[str, ...] = ()
    pairdelim: str | None = None
    kvdelim: str | None = None
    auto: bool = True
    clean_keys: bool = True
    limit: int = 50
    maxchars: int = 10_240
    mv_add: bool = False
    reload: bool = False
    segment: bool = False

    @classmethod
    def parse(cls, args: Args) -> Self:
        extractors, options = args.names_and_options(*OPTIONS)
        return cls(
            extractors,
            options.text("pairdelim", None),
            options.text("kvdelim", None),
            options.boolean("auto", True),
            options.boolean("clean_keys", True),
            options.integer("limit", 50, least=0),
            options.integer("maxchars", 10_240, least=0),
            options.boolean("mv_add", False),
            options.boolean("reload", False),
            options.boolean("segment", False),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "extract"
            + option("pairdelim", self.pairdelim)
            + option("kvdelim", self.kvdelim)
            + option("auto", self.auto, True)
            + option("clean_keys", self.clean_keys, True)
            + option("limit", self.limit, 50)
            + option("maxchars", self.maxchars, 10_240)
            + option("mv_add", self.mv_add, False)
            + option("reload", self.reload, False)
            + option("segment", self.segment, False)
            + (f" {words(self.extractors, separator=' ')}" if self.extractors else "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field("_raw")
        if self.extractors:
            raise EscudoError(
                "SPL301",
                "extractions from transforms.conf are not known here",
                span=self.span,
                hint="use rex, or pairdelim and kvdelim",
            )
        if value is None or not self.auto:
            return relation
        text = prelude_call(
            "spl_substr",
            as_text(value),
            exp.Literal.number(1),
            exp.Literal.number(self.maxchars),
        )
        found = prelude_call(
            "spl_pairs",
            text,
            literal_text(self.pairdelim or ""),
            literal_text(self.kvdelim or ""),
            exp.true() if self.clean_keys else exp.false(),
            exp.Literal.number(self.limit),
            exp.true() if self.mv_add else exp.false(),
        )
        return overlay_fields(relation, found, binder, wins=False, lists=self.mv_add)


OPTIONS = (
    "auto",
    "clean_keys",
    "kvdelim",
    "limit",
    "maxchars",
    "mv_add",
    "pairdelim",
    "reload",
    "segment",
)
