"""``rex``: fields out of a field by a regular expression (Search Reference: rex)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.extraction import extracted, group_offsets, substituted
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, quoted


@dataclass(frozen=True)
class Rex(Command):
    """``rex [field=f] [max_match=n] [offset_field=f] "pattern"`` or ``rex mode=sed "s/a/b/g"``.

    ``max_match`` 0 means all matches. ``pattern`` is the sed expression where ``sed`` holds.
    """

    name: ClassVar[str] = "rex"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    pattern: str
    field: str = "_raw"
    max_match: int = 1
    offset_field: str | None = None
    sed: bool = False

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = ("field", "max_match", "offset_field", "mode")
        options = args.options(*known)
        if not args.more():
            args.expected("a regular expression in quotes")
        pattern = args.pattern()
        args.options(*known, into=options)
        return cls(
            pattern,
            options.text("field", "_raw"),
            options.integer("max_match", 1, least=0),
            options.text("offset_field", None),
            options.choice("mode", ("sed",), None) == "sed",
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "rex"
            + option("field", self.field, "_raw")
            + option("max_match", self.max_match, 1)
            + option("offset_field", self.offset_field)
            + (" mode=sed" if self.sed else "")
            + f" {quoted(self.pattern)}"
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None:
            return relation
        if self.sed:
            return relation.extend([(self.field, substituted(value, self.pattern))], binder.names)
        added = extracted(value, self.pattern, self.max_match, relation, self.span)
        if self.offset_field is not None:
            offsets = group_offsets(value, self.pattern, self.span)
            added = [*added, (self.offset_field, offsets)]
        return relation.extend(added, binder.names)
