"""``autoregress``: earlier values of a field beside it (Search Reference: autoregress)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.windows import number_rows, over
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class Autoregress(Command):
    """``autoregress field [AS name] [p=n | p=start-end]``."""

    name: ClassVar[str] = "autoregress"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    field: str
    alias: str | None = None
    start: int = 1
    end: int = 1

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("p")
        field = args.name()
        args.options("p", into=options)
        alias = args.name("a name after AS") if args.accept_word("as") else None
        args.options("p", into=options)
        first, dash, last = options.text("p", "1").partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            options.fail("p", "option 'p' takes a number or a range such as 1-3")
        start, end = int(first), int(last) if dash else int(first)
        if alias is not None and start != end:
            args.missing("no AS together with a range of p")
        return cls(field, alias, start, end, span=args.span())

    def format(self) -> str:
        alias = f" AS {word(self.alias)}" if self.alias is not None else ""
        many = f"{self.start}-{self.end}" if self.start != self.end else f"{self.start}"
        return f"autoregress {word(self.field)}{alias}" + (f" p={many}" if many != "1" else "")

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        value = relation.field(self.field)
        if value is None:
            return relation
        relation, row = number_rows(relation, binder)
        added: list[tuple[str, Typed]] = []
        for p in range(self.start, self.end + 1):
            lag = exp.Lag(this=value.sql.copy(), offset=exp.Literal.number(p))
            name = self.alias or f"{self.field}_p{p}"
            added.append((name, Typed(over(lag, [Order(row)]), value.type)))
        return relation.extend(added, binder.names, window=True)
