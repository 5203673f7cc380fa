"""``top``: the most frequent values (Search Reference: top)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.grouping import aggregate_rows
from escudo.spl.operators.windows import over
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import (
    alias,
    at_most,
    case_when,
    cast_to,
    column,
    divided_by,
    group_rows,
    literal_integer,
    literal_number,
    literal_text,
    more_than,
    prelude_call,
    select,
    times,
)
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Bound, Typed
from escudo.spl.syntax.aggregate_terms import Aggregate, format_by
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.options import boolean_option, format_options, integer_option, text_option
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class Top(Command):
    """``top [n] [options] fields [BY fields]``.

    ``n`` is the same as ``limit``.
    """

    name: ClassVar[str] = "top"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, closes_schema=True)
    most_first: ClassVar[bool] = True

    fields: tuple[str, ...]
    by: tuple[str, ...] = ()
    limit: int = integer_option(10, "Rows of each group; 0 gives all.", least=0)
    countfield: str = text_option("count", "The field that holds how often a value occurs.")
    percentfield: str = text_option("percent", "The field that holds its share in percent.")
    showcount: bool = boolean_option(True, "Whether the count is shown.")
    showperc: bool = boolean_option(True, "Whether the share is shown.")
    useother: bool = boolean_option(False, "Whether the values beyond the limit are one row.")
    otherstr: str = text_option("OTHER", "What that row is called.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        first = args.peek()
        if first.kind is Kind.WORD and first.text.isdigit():
            args.next()
            if "limit" not in options:
                options.put("limit", first)
        fields, options = args.read_names_and_options(cls, stops=("by",), into=options)
        if not fields:
            args.missing("a field")
        by: tuple[str, ...] = ()
        if args.accept_word("by"):
            by, options = args.read_names_and_options(cls, into=options)
            if not by:
                args.expected("a field after BY")
        return cls(fields=fields, by=by, **options.values(cls), span=args.span())

    def format(self) -> str:
        names = " ".join(f'"{n}"' if n.isdigit() else word(n, "by") for n in self.fields)
        return f"{self.name}{format_options(self)} {names}{format_by(self.by)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return rank_values(rows(source, self), self, binder)


_COUNT = "\0count"


@dataclass(frozen=True)
class _Ranking:
    """Rows with a combination of values each, and the columns that rank them."""

    rows: Relation
    keys: Mapping[str, Bound]
    count: Bound
    total: str
    rank: str


def rank_values(relation: Relation, command: Top, binder: Binder) -> Relation:
    """The combinations of values by how often they occur, in each BY group."""
    names = (*command.by, *command.fields)
    counted = aggregate_rows(relation, [Aggregate("count", alias=_COUNT)], by=names, binder=binder)
    keys = {name: bound for name in names if (bound := counted.bound(name)) is not None}
    count = counted.bound(_COUNT)
    assert count is not None
    groups = [column(keys[n].ident) for n in command.by]
    order = [Order(column(count.ident), command.most_first, column(count.ident))]
    order += [Order(column(keys[n].ident)) for n in command.fields]
    total, rank = binder.names.fresh("total"), binder.names.fresh("rank")
    sums = over(exp.Sum(this=column(count.ident)), partition=groups)
    ranks = over(exp.RowNumber(), order, groups)
    counted = counted.hide([(total, sums), (rank, ranks)], window=True)
    ranking = _Ranking(rows=counted, keys=keys, count=count, total=total, rank=rank)
    if command.limit and command.useother:
        ranking = _sum_others(ranking, command, binder)
    elif command.limit:
        within = at_most(column(rank), literal_integer(command.limit))
        ranking = replace(ranking, rows=counted.where(within))
    return _show_ranking(ranking, command, binder)


def _sum_others(ranking: _Ranking, command: Top, binder: Binder) -> _Ranking:
    """The combinations beyond the limit as one row of ``otherstr``."""
    rank, count = column(ranking.rank), column(ranking.count.ident)
    beyond = more_than(rank, literal_integer(command.limit))
    labels: dict[str, Bound] = {}
    cells: list[exp.Expression] = []
    for name, key in ranking.keys.items():
        label = Bound(binder.names.fresh(name), key.type)
        cell: exp.Expression = column(key.ident)
        if name in command.fields:
            label = Bound(label.ident, FieldType.STRING)
            other = (beyond.copy(), literal_text(command.otherstr))
            cell = case_when(other, otherwise=as_text(key.typed()))
        cells.append(alias(cell, label.ident))
        labels[name] = label
    place = exp.Least(this=rank.copy(), expressions=[literal_integer(command.limit + 1)])
    place_ident, sum_ident = binder.names.fresh("rank"), binder.names.fresh("count")

    def build() -> exp.Select:
        inner = select([*cells, alias(place, place_ident)], ranking.rows.render(), star=True)
        groups = [column(ident) for ident in (*(b.ident for b in labels.values()), place_ident)]
        summed = alias(cast_to(exp.Sum(this=count.copy()), FieldType.INTEGER), sum_ident)
        total = alias(exp.Max(this=column(ranking.total)), ranking.total)
        return group_rows(select([*groups, summed, total], inner), groups)

    rows = binder.query(build, [ranking.rows], labels, keeps_empty=True)
    summed = Bound(sum_ident, FieldType.INTEGER)
    return replace(ranking, rows=rows, keys=labels, count=summed, rank=place_ident)


def _show_ranking(ranking: _Ranking, command: Top, binder: Binder) -> Relation:
    """The fields, with their count and share, in the order of the ranking."""
    fields = dict(ranking.keys)
    if command.showcount:
        fields[command.countfield] = ranking.count
    result = ranking.rows.closed(fields)
    if command.showperc:
        count = cast_to(column(ranking.count.ident), FieldType.NUMBER)
        share = divided_by(times(count, literal_number(100)), column(ranking.total))
        percent = prelude_call("spl_round", share, literal_integer(6))
        shown = [(command.percentfield, Typed(percent, FieldType.NUMBER))]
        result = result.extend(shown, binder.names)
    by = [Order(column(ranking.keys[n].ident)) for n in command.by]
    rank = column(ranking.rank)
    return result.ordered([*by, Order(rank, number=rank)])
