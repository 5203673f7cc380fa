"""``spath``: fields out of JSON or XML (Search Reference: spath)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration
from escudo.spl.operators.found_fields import overlay_fields
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import prelude_call
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Call, FieldRef, Literal
from escudo.spl.syntax.options import format_options, text_option


@dataclass(frozen=True)
class Spath(Command):
    """``spath [options] [path]``.

    The value at a path of a document; without a path, a field for every value in it. A bare path
    is the same as ``path``.
    """

    name: ClassVar[str] = "spath"
    declares: ClassVar[Declaration] = Declaration(row_by_row=True)

    input: str = text_option("_raw", "The field that holds the document.")
    output: str | None = text_option(None, "The name of the result, the path by default.")
    path: str | None = text_option(None, "Where the value is, as `a.b{}.c`.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        path = args.name("a path") if args.more() else None
        args.read_options(cls, into=options)
        if "path" not in options:
            options.set("path", path)
        return cls(**options.values(cls), span=args.span())

    def format(self) -> str:
        return f"spath{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.input)
        if value is None:
            return relation
        if self.path is None:
            document = prelude_call("spl_document_fields", as_text(value))
            return overlay_fields(relation, document, binder, lists=True)
        call = Call("spath", (FieldRef(self.input), Literal(self.path)))
        values = binder.evaluate(call, relation)
        return relation.extend([(self.output or self.path, values)], binder.names)
