"""``return``: values of a subsearch as text for the outer search (Search Reference: return)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import pyarrow as pa

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.subsearch import returned
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Node
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.unparse import quoted, word


@dataclass(frozen=True)
class Returned(Node):
    """``field`` (as ``field="value"``), ``alias=field``, or ``$field`` (the bare value)."""

    field: str
    alias: str | None = None
    bare: bool = False

    def format(self) -> str:
        if self.bare:
            return f"${self.field}"
        if self.alias is not None:
            return f"{word(self.alias)}={word(self.field)}"
        if self.field.isdigit() or self.field.startswith("$"):
            return quoted(self.field)
        return word(self.field)


@dataclass(frozen=True)
class Return(Command):
    """``return [n] items``.

    The values of the first ``n`` rows (one by default) as text that takes the place of the
    subsearch: ``field="value"``, under another name with ``alias=field``, or the bare value with
    ``$field``.
    """

    name: ClassVar[str] = "return"

    items: tuple[Returned, ...]
    count: int = 1

    @classmethod
    def parse(cls, args: Args) -> Self:
        count = 1
        first = args.peek()
        if first.kind is Kind.WORD and first.text.isdigit() and args.at_option() is None:
            args.next()
            count = int(first.text)
        items = args.separated(lambda: _read_item(args))
        if not items:
            args.missing("a field")
        return cls(items=items, count=count, span=args.span())

    def format(self) -> str:
        count = f" {self.count}" if self.count != 1 else ""
        return f"return{count} " + " ".join(i.format() for i in self.items)

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self).limit(self.count)
        wanted = {i.field: b for i in self.items if (b := relation.bound(i.field)) is not None}
        relation = relation.closed(wanted)
        table = binder.collect(relation, "the rows to return")
        if table is None:
            return binder.table(pa.table({"search": pa.array([None], pa.string())}))
        items = [(i.field, i.alias or i.field, i.bare) for i in self.items]
        return binder.table(pa.table({"search": [returned(table, items)]}))


def _read_item(args: Args) -> Returned:
    token = args.peek()
    field = args.name()
    if args.accept("="):
        return Returned(args.name(), alias=field, span=args.span(token.start))
    if token.kind is Kind.WORD and field.startswith("$") and len(field) > 1:
        return Returned(field[1:], bare=True, span=args.span(token.start))
    return Returned(field, span=args.span(token.start))
