"""``lookup``: adds the fields of a lookup table (Search Reference: lookup)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration
from escudo.spl.operators import lookup_tables
from escudo.spl.operators.row_matching import looked_up
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.source import suggest
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class Lookup(Command):
    """``lookup [local=] [update=] table in [AS f], ... [OUTPUT|OUTPUTNEW out [AS f], ...]``.

    ``inputs`` and ``outputs`` are pairs of (field of the lookup, field of the events). Without
    outputs all fields of the table that are no inputs are added. ``new`` is OUTPUTNEW.
    """

    name: ClassVar[str] = "lookup"
    declares: ClassVar[Declaration] = Declaration(row_by_row=True)

    table: str
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...] = ()
    new: bool = False
    local: bool = False
    update: bool = False

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("local", "update")
        table = args.name("the name of a lookup")
        args.options("local", "update", into=options)

        def pair() -> tuple[str, str]:
            inner = args.name()
            return inner, (args.name("a field after AS") if args.accept_word("as") else inner)

        inputs = args.separated(pair, "output", "outputnew")
        if not inputs:
            args.expected("a field to look up")
        keyword = args.accept_word("output", "outputnew")
        outputs = args.separated(pair) if keyword else ()
        if keyword and not outputs:
            args.expected("a field after OUTPUT")
        return cls(
            table,
            inputs,
            outputs,
            keyword == "outputnew",
            options.boolean("local", False),
            options.boolean("update", False),
            span=args.span(),
        )

    def format(self) -> str:
        keyword = " OUTPUTNEW " if self.new else " OUTPUT "
        return (
            "lookup"
            + option("local", self.local, False)
            + option("update", self.update, False)
            + f" {word(self.table)} {_pairs(self.inputs)}"
            + (keyword + _pairs(self.outputs) if self.outputs else "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        definition = lookup_tables.find(self.table, binder, self.span)
        table = lookup_tables.read(definition, self.span)
        inputs = dict(self.inputs)
        known = set(table.column_names) | set(definition.fields)
        for name in (*inputs, *(inner for inner, _ in self.outputs)):
            if name not in known:
                raise EscudoError(
                    "SPL315",
                    f"lookup '{self.table}' has no field '{name}'",
                    span=self.span,
                    hint=suggest(name, known),
                )
        outputs = self.outputs or tuple((n, n) for n in table.column_names if n not in inputs)
        return looked_up(relation, definition, table, self.inputs, outputs, self.new, binder)


def _pairs(pairs: tuple[tuple[str, str], ...]) -> str:
    reserved = ("as", "output", "outputnew")
    return ", ".join(
        word(inner, *reserved) + ("" if inner == outer else f" AS {word(outer, *reserved)}")
        for inner, outer in pairs
    )
