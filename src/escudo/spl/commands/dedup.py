"""``dedup``: the first rows of each combination of values (Search Reference: dedup)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.commands.sort import SortKey, order_by_key, parse_sort_key
from escudo.spl.operators.grouping import is_present
from escudo.spl.operators.windows import number_rows, number_runs
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import (
    all_hold,
    any_holds,
    at_most,
    case_when,
    column,
    literal_integer,
    negate,
)
from escudo.spl.relation.values import Typed, null_value
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.options import boolean_option, format_options, integer_option
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class Dedup(Command):
    """``dedup [n] fields [options] [sortby keys]``.

    The first rows of each combination of values, in the order of the rows or that of ``sortby``;
    ``n`` is the same as ``limit``. Rows in which a field is null are left out.
    """

    name: ClassVar[str] = "dedup"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    fields: tuple[str, ...]
    limit: int = integer_option(1, "Rows that are kept of each combination.", least=1)
    keepevents: bool = boolean_option(
        False, "Whether the other rows stay, without a value in the fields."
    )
    keepempty: bool = boolean_option(False, "Whether rows in which a field is null stay.")
    consecutive: bool = boolean_option(
        False, "Whether only rows that follow each other count as the same."
    )
    sortby: tuple[SortKey, ...] = ()

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        first = args.peek()
        if first.kind is Kind.WORD and first.text.isdigit():
            args.next()
            if int(first.text) < 1:
                args.fail("dedup keeps at least 1 row", first, code="SPL104")
            if "limit" not in options:
                options.put("limit", first)
        fields, options = args.read_names_and_options(cls, stops=("sortby",), into=options)
        if not fields:
            args.missing("a field")
        sortby = args.separated(lambda: parse_sort_key(args)) if args.accept_word("sortby") else ()
        return cls(fields=fields, sortby=sortby, **options.values(cls), span=args.span())

    def format(self) -> str:
        names = " ".join(f'"{f}"' if f.isdigit() else word(f, "sortby") for f in self.fields)
        sortby = " sortby " + " ".join(k.format() for k in self.sortby) if self.sortby else ""
        count = f" {self.limit}" if self.limit != 1 else ""
        return f"dedup{count} {names}{format_options(self, leave_out=('limit',))}{sortby}"

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
        first = at_most(number, literal_integer(self.limit))
        if not self.keepevents and not self.keepempty:
            return relation.where(first)
        complete = len(known) == len(bounds)
        all_present = all_hold([is_present(b) for b in known]) if complete else exp.false()
        kept = all_hold([all_present, first])
        if self.keepevents:
            cleared = [(name, _keep_if(kept, relation.field(name))) for name in self.fields]
            return relation.extend(cleared, binder.names)
        return relation.where(any_holds([kept, negate(all_present.copy())]))


def _keep_if(condition: exp.Expression, value: Typed | None) -> Typed:
    """The value where a condition holds, else null."""
    if value is None:
        return null_value()
    return Typed(case_when((condition.copy(), value.sql)), value.type)
