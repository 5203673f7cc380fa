"""``dedup``: the first rows of each combination of values (Search Reference: dedup)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.commands.sort import SortKey, order_by_key, parse_sort_key
from escudo.spl.operators.grouping import is_present
from escudo.spl.operators.null_filling import only_if
from escudo.spl.operators.windows import number_rows, number_runs
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import all_hold, any_holds, column, negate
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class Dedup(Command):
    """``dedup [n] fields [options] [sortby keys]``."""

    name: ClassVar[str] = "dedup"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    fields: tuple[str, ...]
    limit: int = 1
    keepevents: bool = False
    keepempty: bool = False
    consecutive: bool = False
    sortby: tuple[SortKey, ...] = ()

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = ("keepevents", "keepempty", "consecutive", "limit")
        options = args.options(*known)
        limit = options.integer("limit", 1, least=1)
        first = args.peek()
        if first.kind is Kind.WORD and first.text.isdigit():
            args.next()
            limit = int(first.text)
            if limit < 1:
                args.fail("dedup keeps at least 1 row", first, code="SPL104")
        fields: list[str] = []
        while args.more() and not args.at_word("sortby"):
            if args.at_option() is not None:
                args.options(*known, into=options)
            elif not args.accept(","):
                fields.append(args.name())
        if not fields:
            args.missing("a field")
        sortby = args.separated(lambda: parse_sort_key(args)) if args.accept_word("sortby") else ()
        return cls(
            tuple(fields),
            options.integer("limit", limit, least=1),
            options.boolean("keepevents", False),
            options.boolean("keepempty", False),
            options.boolean("consecutive", False),
            sortby,
            span=args.span(),
        )

    def format(self) -> str:
        names = " ".join(f'"{f}"' if f.isdigit() else word(f, "sortby") for f in self.fields)
        sortby = " sortby " + " ".join(k.format() for k in self.sortby) if self.sortby else ""
        return (
            f"dedup{f' {self.limit}' if self.limit != 1 else ''} {names}"
            + option("keepevents", self.keepevents, False)
            + option("keepempty", self.keepempty, False)
            + option("consecutive", self.consecutive, False)
            + sortby
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        if self.sortby:
            keys = [o for key in self.sortby for o in order_by_key(key, relation)]
            relation = relation.ordered([*keys, *relation.order])
        bounds = [relation.bound(name) for name in self.fields]
        known = [b for b in bounds if b is not None]
        if len(known) < len(bounds) and not self.keepempty:
            return relation.where(exp.false())
        if not self.keepempty and not self.keepevents:
            relation = relation.where(all_hold([is_present(b) for b in known]))
        partition: list[exp.Expression] = [column(b.ident) for b in known]
        if self.consecutive:
            relation, run = number_runs(relation, partition, binder)
            partition = [*partition, run]
        relation, number = number_rows(relation, binder, partition)
        all_present = all_hold([is_present(b) for b in known])
        if len(known) < len(bounds):
            all_present = exp.false()
        first = exp.LTE(this=number, expression=exp.Literal.number(self.limit))
        if self.keepevents:
            kept = all_hold([all_present, first])
            return relation.extend(
                [(n, only_if(kept, relation.field(n))) for n in self.fields], binder.names
            )
        if self.keepempty:
            kept = all_hold([all_present, first])
            return relation.where(any_holds([kept, negate(all_present.copy())]))
        return relation.where(first)
