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
from escudo.spl.relation.sql import literal_integer, literal_text, prelude_call
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import (
    boolean_option,
    format_options,
    integer_option,
    text_option,
)
from escudo.spl.syntax.unparse import words


@dataclass(frozen=True)
class Extract(Command):
    """``extract [options] [names of extractions]``.

    The pairs of key and value in ``_raw`` become fields; a field that a row has stays as it is.

    Refused: the names of extractions, since those of transforms.conf are not known here.
    """

    name: ClassVar[str] = "extract"
    aliases: ClassVar[tuple[str, ...]] = ("kv",)
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    extractors: tuple[str, ...] = ()
    pairdelim: str | None = text_option(
        None, "The characters between pairs; as the automatic extraction finds them by default."
    )
    kvdelim: str | None = text_option(None, "The characters between key and value.")
    auto: bool = boolean_option(True, "Whether pairs are looked for at all.")
    clean_keys: bool = boolean_option(
        True, "Whether a character in a key that is no letter, digit or `_` becomes `_`."
    )
    limit: int = integer_option(50, "Pairs of an event that are read.", least=0)
    maxchars: int = integer_option(10_240, "Characters of an event that are read.", least=0)
    mv_add: bool = boolean_option(
        False, "Whether a key that comes several times makes a multivalue; else the first counts."
    )
    reload: bool = boolean_option(
        False, "Whether props.conf and transforms.conf are read anew; no effect here."
    )
    segment: bool = boolean_option(False, "Whether the places of pairs are noted; no effect here.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        extractors, options = args.read_names_and_options(cls)
        return cls(extractors=extractors, **options.values(cls), span=args.span())

    def format(self) -> str:
        extractors = f" {words(self.extractors, separator=' ')}" if self.extractors else ""
        return f"extract{format_options(self)}{extractors}"

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
            "spl_substr", as_text(value), literal_integer(1), literal_integer(self.maxchars)
        )
        pairs = prelude_call(
            "spl_pairs",
            text,
            literal_text(self.pairdelim or ""),
            literal_text(self.kvdelim or ""),
            exp.true() if self.clean_keys else exp.false(),
            literal_integer(self.limit),
            exp.true() if self.mv_add else exp.false(),
        )
        return overlay_fields(relation, pairs, binder, wins=False, lists=self.mv_add)
