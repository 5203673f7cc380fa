"""``strcat``: joins values to a string (Search Reference: strcat)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import coalesce, literal_text
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import FieldRef, Literal
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.options import boolean_option, format_options
from escudo.spl.syntax.unparse import quoted, word


@dataclass(frozen=True)
class Strcat(Command):
    """``strcat [options] source ... destination``.

    The values of the sources one behind the other; a quoted source is text itself.
    """

    name: ClassVar[str] = "strcat"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    sources: tuple[FieldRef | Literal, ...]
    destination: str
    allrequired: bool = boolean_option(
        False, "Whether there is a result only where all sources have a value."
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        sources: list[FieldRef | Literal] = []
        while args.more():
            if args.accept(","):
                continue
            token = args.peek()
            text = args.name("a field or a quoted string")
            span = args.span(token.start)
            is_literal = token.kind is Kind.STRING
            sources.append(Literal(text, span=span) if is_literal else FieldRef(text, span=span))
        if len(sources) < 2:
            args.missing("sources and a destination field")
        last = sources.pop()
        destination = last.name if isinstance(last, FieldRef) else str(last.value)
        return cls(
            sources=tuple(sources),
            destination=destination,
            **options.values(cls),
            span=args.span(),
        )

    def format(self) -> str:
        sources = " ".join(
            s.name if isinstance(s, FieldRef) else quoted(str(s.value)) for s in self.sources
        )
        return f"strcat{format_options(self)} {sources} {word(self.destination)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        parts: list[exp.Expression] = []
        for item in self.sources:
            text = as_text(binder.evaluate(item, relation))
            if not self.allrequired:
                text = coalesce(text, literal_text(""))
            parts.append(text)
        sql = parts[0]
        for part in parts[1:]:
            sql = exp.DPipe(this=sql, expression=part)
        return relation.extend([(self.destination, Typed(sql, FieldType.STRING))], binder.names)
