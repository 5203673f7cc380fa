"""``join``: rows with the fields of matching rows of a subsearch (Search Reference: join)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.limited_subsearch import bind_limited
from escudo.spl.operators.null_filling import fill_from
from escudo.spl.operators.row_matching import join_queries, qualify
from escudo.spl.operators.windows import number_rows, over
from escudo.spl.relation.bases import TableBase
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import alias, all_hold, at_most, column, equal, literal_integer
from escudo.spl.relation.steps import Matched, Order
from escudo.spl.relation.values import Bound, Typed, null_value
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Pipeline
from escudo.spl.syntax.options import (
    boolean_option,
    choice_option,
    format_options,
    integer_option,
    text_option,
)
from escudo.spl.syntax.unparse import word

MOST_ROWS = 50_000
"""Rows of the subsearch that take part (limits.conf, [join] subsearch_maxout)."""


@dataclass(frozen=True)
class Join(Command):
    """``join [options] fields [subsearch]``, or ``join left=L right=R where L.a=R.b [subsearch]``.

    Each row takes the first matches of the subsearch; keys compare with regard to case. Without
    fields, all fields that both sides have are the keys. In the second form all fields of the
    result carry their side's name, as ``L.a``.

    Differs from Splunk: where the subsearch has more than 50,000 rows a warning says so, and there
    is no limit to its time.
    """

    name: ClassVar[str] = "join"

    subsearch: Pipeline
    fields: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    """The fields of the left and of the right side that are equal (second form)."""
    kind: str = choice_option(
        ("inner", "left"),
        "inner",
        "Which rows are kept: those with a match, or all; `outer` is the same as `left`.",
        name="type",
        synonyms={"outer": "left"},
    )
    usetime: bool = boolean_option(
        False, "Whether only matches of an earlier (or later) time count, the nearest first."
    )
    earlier: bool = boolean_option(True, "Whether these are earlier than the row, else later.")
    overwrite: bool = boolean_option(
        True, "Whether fields of the subsearch replace those of the row."
    )
    max: int = integer_option(1, "Matches of a row that are taken at most; 0 is all.", least=0)
    left: str | None = text_option(None, "The name of the left side, before WHERE.")
    right: str | None = text_option(None, "The name of the right side, before WHERE.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields, options = args.read_names_and_options(cls, stops=("where",))
        values = options.values(cls)
        pairs: tuple[tuple[str, str], ...] = ()
        if args.accept_word("where"):
            pairs = _read_pairs(args, values.get("left"), values.get("right"))
        return cls(
            subsearch=args.subsearch(), fields=fields, pairs=pairs, **values, span=args.span()
        )

    def format(self) -> str:
        fields = "".join(f" {word(f, 'where')}" for f in self.fields)
        pairs = " AND ".join(
            f"{word(f'{self.left}.{a}')}={word(f'{self.right}.{b}')}" for a, b in self.pairs
        )
        where = f" where {pairs}" if pairs else ""
        return f"join{format_options(self)}{fields}{where} [{self.subsearch.format(nested=True)}]"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        other = bind_limited(self.subsearch, MOST_ROWS, self, binder, limit_option=None)
        return join_relations(relation, other, command=self, binder=binder)


def _read_pairs(args: Args, left: str | None, right: str | None) -> tuple[tuple[str, str], ...]:
    """``L.a=R.b`` conditions, joined by AND or blanks."""
    if left is None or right is None:
        args.missing("left= and right= before WHERE")
    out: list[tuple[str, str]] = []
    while args.more() and not args.at("["):
        if args.accept_word("and") or args.accept(","):
            continue
        token = args.peek()
        first = args.name(f"a field such as {left}.id")
        args.expect("=")
        second = args.name(f"a field such as {right}.id")
        if first.startswith(f"{right}.") and second.startswith(f"{left}."):
            first, second = second, first
        if not (first.startswith(f"{left}.") and second.startswith(f"{right}.")):
            args.fail(f"a condition of this join is {left}.field={right}.field", token)
        out.append((first[len(left) + 1 :], second[len(right) + 1 :]))
    return tuple(out)


def join_relations(
    relation: Relation, other: Relation, *, command: Join, binder: Binder
) -> Relation:
    """The rows of a relation with the fields of the matching rows of another."""
    other = binder.closed(other)
    if command.pairs:
        relation = binder.closed(relation)
        return _join_qualified(relation, other, command=command, binder=binder)
    names = command.fields or _common_names(relation, other, binder)
    if not names:
        raise EscudoError("SPL105", "join has no field in common to join by", span=command.span)
    pairs = [(n, n) for n in names]
    matched, moved = _match_rows(relation, other, pairs=pairs, command=command, binder=binder)
    added: list[tuple[str, Typed]] = []
    for name, bound in moved.items():
        if name in names or (name.startswith("_") and relation.bound(name) is not None):
            continue
        value = bound.typed()
        before = relation.field(name)
        if before is not None:
            value = fill_from(value, before) if command.overwrite else fill_from(before, value)
        added.append((name, value))
    return matched.extend(added, binder.names)


def _common_names(relation: Relation, other: Relation, binder: Binder) -> tuple[str, ...]:
    mine = set(binder.all_names(relation))
    return tuple(n for n in other.names() if n in mine and not n.startswith("_"))


def _join_qualified(
    relation: Relation, other: Relation, *, command: Join, binder: Binder
) -> Relation:
    """``join left=L right=R where L.a=R.b``: all fields carry their side's name."""
    matched, moved = _match_rows(
        relation, other, pairs=command.pairs, command=command, binder=binder
    )
    fields: dict[str, Bound] = {}
    for name in relation.names():
        bound = relation.bound(name)
        if bound is not None:
            fields[f"{command.left}.{name}"] = bound
    fields.update({f"{command.right}.{name}": bound for name, bound in moved.items()})
    return matched.closed(fields)


def _match_rows(
    relation: Relation,
    other: Relation,
    *,
    pairs: Sequence[tuple[str, str]],
    command: Join,
    binder: Binder,
) -> tuple[Relation, Mapping[str, Bound]]:
    """The rows with their matches, and the subsearch's fields among the columns."""
    left_keys = [binder.names.fresh("key") for _ in pairs]
    right_keys = [binder.names.fresh("key") for _ in pairs]
    relation = relation.hide(
        [(k, _key(relation.field(n))) for k, (n, _) in zip(left_keys, pairs, strict=True)]
    )
    other = other.hide(
        [(k, _key(other.field(n))) for k, (_, n) in zip(right_keys, pairs, strict=True)]
    )
    most = literal_integer(command.max)
    if not command.usetime:
        keys = [column(k) for k in right_keys] if command.max else []
        other, number = number_rows(other, binder, keys)
        if command.max:
            other = other.where(at_most(number, most))
    idents = {n: binder.names.fresh(n) for n in other.names()}
    moved = {n: b for n in idents if (b := other.bound(n)) is not None}
    place = binder.names.fresh("place")
    on: list[exp.Expression] = [
        equal(qualify("l", a), qualify("r", b)) for a, b in zip(left_keys, right_keys, strict=True)
    ]
    shown = [alias(qualify("r", b.ident), idents[n]) for n, b in moved.items()]
    if command.usetime:
        relation, row = number_rows(relation, binder)
        time, other_time = relation.bound("_time"), other.bound("_time")
        if time is None or other_time is None:
            raise EscudoError("SPL105", "usetime needs _time on both sides", span=command.span)
        node = exp.GTE if command.earlier else exp.LTE
        left, right = qualify("l", time.ident), qualify("r", other_time.ident)
        on.append(node(this=left, expression=right))
        shown.append(alias(right.copy(), place))
    else:
        shown.append(alias(qualify("r", number.name), place))
    kind: Literal["LEFT", "INNER"] = "LEFT" if command.kind == "left" else "INNER"

    def build(inner: exp.Select) -> exp.Select:
        condition, columns = all_hold(c.copy() for c in on), [s.copy() for s in shown]
        return join_queries(inner, other.render(), on=condition, columns=columns, kind=kind)

    at_hand = kind == "INNER" and isinstance(other.base, TableBase)
    small = Matched(tuple(left_keys), tuple(right_keys), other.render) if at_hand else None
    matched = relation.wrap(build, [other], inner=kind == "INNER", matched=small)
    if command.usetime and command.max:
        nearest = Order(column(place), descending=command.earlier)
        rank = binder.names.fresh("rank")
        matched = matched.hide([(rank, over(exp.RowNumber(), [nearest], [row]))], window=True)
        matched = matched.where(at_most(column(rank), most))
    matched = matched.ordered([*matched.order, Order(column(place), number=column(place))])
    return matched, {n: Bound(idents[n], b.type) for n, b in moved.items()}


def _key(value: Typed | None) -> exp.Expression:
    return null_value().sql if value is None else as_text(value)
