"""``rex``: fields out of a field by a regular expression (Search Reference: rex)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.extraction import edit_text, extract_groups, locate_groups
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import (
    choice_option,
    format_options,
    integer_option,
    text_option,
)
from escudo.spl.syntax.unparse import quoted


@dataclass(frozen=True)
class Rex(Command):
    """``rex [options] "pattern"`` or ``rex mode=sed [options] "s/a/b/g"``.

    Each named group of the pattern becomes a field. Where the pattern does not match, a field keeps
    the value that it has. Of a multivalue field each value is searched, and ``max_match`` counts in
    each. With ``mode=sed`` the field itself is edited, by ``s/pattern/text/flags`` or
    ``y/characters/characters/``.

    Refused: a pattern without a named group.
    """

    name: ClassVar[str] = "rex"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    pattern: str
    field: str = text_option("_raw", "The field that is read, or edited.")
    max_match: int = integer_option(
        1, "Matches that are taken at most, as multivalues; 0 is all.", least=0
    )
    offset_field: str | None = text_option(
        None, "The field that holds where the groups of the first match are, as name=start-end."
    )
    mode: str | None = choice_option(("sed",), None, "With `sed` the pattern is a sed expression.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        if not args.more():
            args.expected("a regular expression in quotes")
        pattern = args.pattern()
        args.read_options(cls, into=options)
        return cls(pattern=pattern, **options.values(cls), span=args.span())

    def format(self) -> str:
        return f"rex{format_options(self)} {quoted(self.pattern)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None:
            return relation
        if self.mode == "sed":
            return relation.extend([(self.field, edit_text(value, self.pattern))], binder.names)
        added = extract_groups(
            value, self.pattern, most=self.max_match, relation=relation, span=self.span
        )
        if self.offset_field is not None:
            offsets = locate_groups(value, self.pattern, self.span)
            added = [*added, (self.offset_field, offsets)]
        return relation.extend(added, binder.names)
