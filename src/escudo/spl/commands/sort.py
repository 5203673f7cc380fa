"""``sort``: orders the rows (Search Reference: sort)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.coercion import as_number, as_text
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import column, prelude_call
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import NUMERIC
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Node
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.options import format_options, integer_option
from escudo.spl.syntax.unparse import quoted, word


@dataclass(frozen=True)
class SortKey(Node):
    """``[-|+]field`` or ``-num(field)``; ``kind`` is ``auto``, ``str``, ``num`` or ``ip``."""

    field: str
    descending: bool = False
    kind: str = "auto"

    def format(self) -> str:
        inner = word(self.field, "d", "desc", "a", "asc", "limit")
        if self.field[:1] in ("+", "-") or self.field.isdigit():
            inner = quoted(self.field)
        sign = "-" if self.descending else "+"
        return f"{sign}{inner}" if self.kind == "auto" else f"{sign}{self.kind}({inner})"


USUAL_LIMIT = 10_000


@dataclass(frozen=True)
class Sort(Command):
    """``sort [n] keys [desc]``.

    A key is ``field``, ``-field`` (descending), or either in ``num()``, ``str()``, ``ip()`` or
    ``auto()``, which say how values compare; else numbers go by size and before other text, which
    goes by its characters. Rows without a value come last. ``n`` is the same as ``limit``. A
    trailing ``desc`` (``d``) turns the whole order around.
    """

    name: ClassVar[str] = "sort"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    keys: tuple[SortKey, ...]
    limit: int = integer_option(USUAL_LIMIT, "Rows that are kept; 0 keeps all.", least=0, bare=True)
    reverse: bool = False

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        args.read_number(options, "limit")
        keys: list[SortKey] = []
        reverse = False
        while args.more():
            if args.accept(","):
                continue
            if keys and (order := args.accept_word("d", "desc", "a", "asc")):
                reverse = order.startswith("d")
                break
            keys.append(parse_sort_key(args))
        if not keys:
            args.expected("a field to sort by")
        return cls(keys=tuple(keys), reverse=reverse, **options.values(cls), span=args.span())

    def format(self) -> str:
        keys = ", ".join(k.format() for k in self.keys)
        return f"sort{format_options(self)} {keys}{' desc' if self.reverse else ''}"

    def split_by_batches(self, partial: frozenset[str]) -> frozenset[str] | None:
        """The order is nobody's matter, unless rows are left out by it."""
        return partial if not self.limit or self.limit >= USUAL_LIMIT else None

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        order: list[Order] = []
        for key in self.keys:
            order += order_by_key(key, relation, reverse=self.reverse)
        relation = relation.ordered([*order, *relation.order])
        return relation.limit(self.limit) if self.limit else relation


_KINDS = frozenset({"auto", "str", "num", "ip"})
"""How values may be compared: by ``sort``'s rule, as text, as numbers, as addresses."""


def parse_sort_key(args: Args) -> SortKey:
    """Read one key with its sign."""
    token = args.peek()
    sign = ""
    if token.kind is Kind.WORD and token.text[0] in "+-":
        args.position = token.start + 1
        sign = token.text[0]
    kind = _read_kind(args)
    field = args.name("a field to sort by")
    if kind is not None:
        args.expect(")")
    return SortKey(
        field=field,
        descending=sign == "-",
        kind=kind or "auto",
        span=args.span(token.start),
    )


def order_by_key(key: SortKey, relation: Relation, *, reverse: bool = False) -> list[Order]:
    """The SQL order of a key: numbers before other text, nulls last (Search Reference, sort)."""
    bound = relation.bound(key.field)
    if bound is None:
        return []
    descending = key.descending != reverse
    if bound.stamp is not None and key.kind in ("auto", "num"):
        return [Order(column(bound.stamp), descending, column(bound.ident))]
    value = bound.typed()
    number = as_number(value)
    by_number = Order(number, descending, number)
    match key.kind:
        case "num":
            return [by_number]
        case "str":
            return [Order(as_text(value), descending)]
        case "ip":
            return [Order(prelude_call("spl_ip_key", as_text(value)), descending)]
    if value.type in NUMERIC:
        return [by_number]
    return [by_number, Order(as_text(value), descending)]


def _read_kind(args: Args) -> str | None:
    """The kind of comparison if ``kind(`` is next, which is then consumed."""
    token = args.peek()
    lower = token.text.lower()
    if token.kind is not Kind.WORD or lower not in _KINDS:
        return None
    args.next()
    if args.accept("("):
        return lower
    args.position = token.start
    return None
