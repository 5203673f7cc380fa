"""``convert``: field values to other notations (Search Reference: convert)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command, Node
from escudo.spl.bind import rows
from escudo.spl.conversions import converted
from escudo.spl.lexer import Kind
from escudo.spl.source import suggest
from escudo.spl.unparse import option, word
from escudo.spl.wildcards import renamed, select_names

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Conversion(Node):
    """``function(field) [AS alias]``; the field may hold ``*``."""

    function: str
    field: str
    alias: str | None = None

    def format(self) -> str:
        alias = f" AS {word(self.alias)}" if self.alias else ""
        return f"{self.function}({word(self.field)}){alias}"


@dataclass(frozen=True)
class Convert(Command):
    """``convert [timeformat=...] function(field) ...``."""

    name: ClassVar[str] = "convert"

    conversions: tuple[Conversion, ...]
    timeformat: str = "%m/%d/%Y %H:%M:%S"

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("timeformat")
        conversions = args.separated(lambda: _conversion(args))
        if not conversions:
            args.missing("a conversion such as ctime(field)")
        timeformat = options.text("timeformat", "%m/%d/%Y %H:%M:%S")
        return cls(conversions, timeformat, span=args.span())

    def format(self) -> str:
        return (
            "convert"
            + option("timeformat", self.timeformat, "%m/%d/%Y %H:%M:%S")
            + " "
            + ", ".join(c.format() for c in self.conversions)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        kept = [c.field for c in self.conversions if c.function == "none"]
        left_out = set(select_names(kept, binder.matching(relation, kept))) if kept else set()
        for c in self.conversions:
            for name in select_names([c.field], binder.matching(relation, [c.field])):
                bound = relation.bound(name)
                if bound is None or name in left_out:
                    continue
                target = c.alias or name
                if c.alias and "*" in c.alias:
                    target = renamed(c.field, c.alias, name) or c.alias
                value = converted(c.function, name, bound.type, self.timeformat, relation, binder)
                relation = relation.extend([(target, value)], binder.names)
        return relation


FUNCTIONS = frozenset(
    {"auto", "ctime", "dur2sec", "memk", "mktime", "mstime", "none", "num", "rmcomma", "rmunit"}
)


def _conversion(args: Args) -> Conversion:
    token = args.peek()
    if token.kind is not Kind.WORD:
        args.expected("a conversion such as ctime(field)")
    args.next()
    function = token.text.lower()
    if function not in FUNCTIONS:
        args.fail(f"'{token.text}' is no conversion", token, hint=suggest(function, FUNCTIONS))
    args.expect("(")
    field = args.name()
    args.expect(")")
    alias = args.name("a name after AS") if args.accept_word("as") else None
    return Conversion(function, field, alias, span=args.span(token.start))
