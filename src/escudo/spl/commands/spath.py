"""``spath``: fields out of JSON or XML (Search Reference: spath)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration
from escudo.spl.operators.found_fields import overlaid
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import prelude_call
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Call, FieldRef, Literal
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class Spath(Command):
    """``spath [input=f] [output=f] [path=p]``, or ``spath p``; without a path, all fields.

    Where ``output`` is None, the result is named like the path.
    """

    name: ClassVar[str] = "spath"
    declares: ClassVar[Declaration] = Declaration(row_by_row=True)

    input: str = "_raw"
    output: str | None = None
    path: str | None = None

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("input", "output", "path")
        path = args.name("a path") if args.more() else None
        args.options("input", "output", "path", into=options)
        return cls(
            options.text("input", "_raw"),
            options.text("output", None),
            options.text("path", path),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "spath"
            + option("input", self.input, "_raw")
            + option("output", self.output)
            + (f" path={word(self.path)}" if self.path is not None else "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.input)
        if value is None:
            return relation
        if self.path is None:
            found = prelude_call("spl_document_fields", as_text(value))
            return overlaid(relation, found, binder)
        call = Call("spath", (FieldRef(self.input), Literal(self.path)))
        found_values = binder.evaluate(call, relation)
        name = self.output or self.path
        return relation.extend([(name, found_values)], binder.names)
