"""``regex``: keeps rows whose field matches a regular expression (Search Reference: regex)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.extraction import match_pattern
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import coalesce, negate
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.unparse import quoted, word


@dataclass(frozen=True)
class Regex(Command):
    """``regex "pattern"``, ``regex field="pattern"`` or ``regex field!="pattern"``.

    The pattern matches anywhere in the field, in ``_raw`` where none is named. ``!=`` keeps the
    rows that do not match, those without the field, too.
    """

    name: ClassVar[str] = "regex"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, filters=True)

    pattern: str
    field: str = "_raw"
    negated: bool = False

    @classmethod
    def parse(cls, args: Args) -> Self:
        if not args.more():
            args.missing("a regular expression")
        before = args.position
        field, negated = "_raw", False
        if args.peek().kind in (Kind.WORD, Kind.STRING, Kind.FIELD):
            name = args.name()
            if args.at("=", "!=", "=="):
                field, negated = name, args.next().text == "!="
            else:
                args.position = before
        if not args.more():
            args.expected("a regular expression in quotes")
        return cls(pattern=args.pattern(), field=field, negated=negated, span=args.span())

    def format(self) -> str:
        if self.field == "_raw" and not self.negated:
            return f"regex {quoted(self.pattern)}"
        return f"regex {word(self.field)}{'!=' if self.negated else '='}{quoted(self.pattern)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None:
            return relation if self.negated else relation.where(exp.false())
        condition = match_pattern(value, self.pattern, self.span)
        if self.negated:
            condition = negate(coalesce(condition, exp.false()))
        return relation.where(condition)
