"""``sort``: orders the rows (Search Reference: sort)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.ast import Command, Node
from escudo.spl.lexer import Kind
from escudo.spl.unparse import word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder, Relation


@dataclass(frozen=True)
class SortKey(Node):
    """``[-|+]field`` or ``-num(field)``; ``kind`` is ``auto``, ``str``, ``num`` or ``ip``."""

    field: str
    descending: bool = False
    kind: str = "auto"

    def format(self) -> str:
        inner = word(self.field, "d", "desc", "a", "asc", "limit")
        if self.field[:1] in ("+", "-") or self.field.isdigit():
            inner = f'"{self.field}"'
        sign = "-" if self.descending else "+"
        return f"{sign}{inner}" if self.kind == "auto" else f"{sign}{self.kind}({inner})"


@dataclass(frozen=True)
class Sort(Command):
    """``sort [limit] keys [desc]``; limit 0 means all rows, 10,000 where none is given.

    A trailing ``desc`` (``d``) turns the whole order around (``reverse``).
    """

    name: ClassVar[str] = "sort"

    keys: tuple[SortKey, ...]
    limit: int = 10_000
    reverse: bool = False

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("limit")
        limit = options.integer("limit", 10_000, least=0)
        first = args.peek()
        if first.kind is Kind.WORD and first.text.isdigit():
            args.next()
            limit = int(first.text)
        keys: list[SortKey] = []
        reverse = False
        while args.more():
            if args.accept(","):
                continue
            if keys and (order := args.accept_word("d", "desc", "a", "asc")):
                reverse = order.startswith("d")
                break
            keys.append(sort_key(args))
        if not keys:
            args.expected("a field to sort by")
        return cls(tuple(keys), limit, reverse, span=args.span())

    def format(self) -> str:
        limit = "" if self.limit == 10_000 else f" {self.limit}"
        keys = ", ".join(k.format() for k in self.keys)
        return f"sort{limit} {keys}{' desc' if self.reverse else ''}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)


_KINDS = frozenset({"auto", "str", "num", "ip"})


def sort_key(args: Args) -> SortKey:
    """Read one key with its sign."""
    token = args.peek()
    sign = ""
    if token.kind is Kind.WORD and token.text[0] in "+-":
        args.position = token.start + 1
        sign = token.text[0]
    field = args.name("a field to sort by")
    kind = "auto"
    if field.lower() in _KINDS and args.at("("):
        args.next()
        kind, field = field.lower(), args.name()
        args.expect(")")
    return SortKey(field, sign == "-", kind, span=args.span(token.start))
