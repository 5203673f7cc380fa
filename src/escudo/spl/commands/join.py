"""``join``: rows with the fields of matching rows of a subsearch (Search Reference: join)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.operators.null_filling import fill_from
from escudo.spl.operators.row_matching import beside, qualified
from escudo.spl.operators.windows import numbered, over
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import alias, all_hold, column
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Bound, Typed, null_value
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Pipeline
from escudo.spl.syntax.unparse import option, word


@dataclass(frozen=True)
class Join(Command):
    """``join [options] fields [subsearch]``, or ``join left=L right=R where L.a=R.b [subsearch]``.

    ``kind`` is ``inner`` or ``left`` (``outer`` is the same). Without fields, all fields that both
    sides have. ``pairs`` are the (left, right) fields of the second form. ``max`` 0 is unlimited.
    """

    name: ClassVar[str] = "join"

    subsearch: Pipeline
    fields: tuple[str, ...] = ()
    kind: str = "inner"
    usetime: bool = False
    earlier: bool = True
    overwrite: bool = True
    max: int = 1
    left: str | None = None
    right: str | None = None
    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields, options = args.names_and_options(*OPTIONS, stops=("where",))
        left, right = options.text("left", None), options.text("right", None)
        pairs: tuple[tuple[str, str], ...] = ()
        if args.accept_word("where"):
            pairs = _pairs(args, left, right)
        subsearch = args.subsearch()
        kind = options.choice("type", ("inner", "left", "outer"), "inner")
        return cls(
            subsearch,
            fields,
            "left" if kind == "outer" else kind,
            options.boolean("usetime", False),
            options.boolean("earlier", True),
            options.boolean("overwrite", True),
            options.integer("max", 1, least=0),
            left,
            right,
            pairs,
            span=args.span(),
        )

    def format(self) -> str:
        out = (
            "join"
            + option("type", self.kind, "inner")
            + option("usetime", self.usetime, False)
            + option("earlier", self.earlier, True)
            + option("overwrite", self.overwrite, True)
            + option("max", self.max, 1)
            + option("left", self.left)
            + option("right", self.right)
        )
        if self.fields:
            out += " " + " ".join(word(f, "where") for f in self.fields)
        if self.pairs:
            out += " where " + " AND ".join(
                f"{word(f'{self.left}.{a}')}={word(f'{self.right}.{b}')}" for a, b in self.pairs
            )
        return f"{out} [{self.subsearch.format(nested=True)}]"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        other = binder.limited_subsearch(self.subsearch, MOST_ROWS, self, limit_option=None)
        return joined(relation, other, self, binder)


OPTIONS = ("type", "usetime", "earlier", "overwrite", "max", "left", "right")


def _pairs(args: Args, left: str | None, right: str | None) -> tuple[tuple[str, str], ...]:
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


MOST_ROWS = 50_000
"""Rows of the subsearch that take part (limits.conf, [join] subsearch_maxout)."""


def joined(relation: Relation, other: Relation, command: Join, binder: Binder) -> Relation:
    """Keys compare with regard to case; each row takes the first ``max`` matches of the subsearch;
    fields of the subsearch overwrite (Search Reference, join)."""
    other = binder.closed(other)
    if command.pairs:
        return _qualified_join(binder.closed(relation), other, command, binder)
    names = command.fields or _common(relation, other, binder)
    if not names:
        raise EscudoError("SPL105", "join has no field in common to join by", span=command.span)
    pairs = [(n, n) for n in names]
    rows, moved = _matched(relation, other, pairs, command, binder)
    added: list[tuple[str, Typed]] = []
    for name, bound in moved.items():
        if name in names or (name.startswith("_") and relation.bound(name) is not None):
            continue
        value = bound.typed()
        before = relation.field(name)
        if before is not None:
            value = fill_from(value, before) if command.overwrite else fill_from(before, value)
        added.append((name, value))
    return rows.extend(added, binder.names)


def _common(relation: Relation, other: Relation, binder: Binder) -> tuple[str, ...]:
    mine = set(binder.all_names(relation))
    return tuple(n for n in other.names() if n in mine and not n.startswith("_"))


def _qualified_join(relation: Relation, other: Relation, command: Join, binder: Binder) -> Relation:
    """``join left=L right=R where L.a=R.b``: all fields carry their side's name."""
    rows, moved = _matched(relation, other, command.pairs, command, binder)
    fields: dict[str, Bound] = {}
    for name in relation.names():
        bound = relation.bound(name)
        if bound is not None:
            fields[f"{command.left}.{name}"] = bound
    fields.update({f"{command.right}.{name}": bound for name, bound in moved.items()})
    return rows.closed(fields)


def _matched(
    relation: Relation,
    other: Relation,
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
    if command.max and not command.usetime:
        other, number = numbered(other, binder, [column(k) for k in right_keys])
        other = other.where(exp.LTE(this=number, expression=exp.Literal.number(command.max)))
    elif not command.usetime:
        other, number = numbered(other, binder)
    idents = {n: binder.names.fresh(n) for n in other.names()}
    moved = {n: b for n in idents if (b := other.bound(n)) is not None}
    place = binder.names.fresh("place")
    on: list[exp.Expression] = [
        exp.EQ(this=qualified("l", a), expression=qualified("r", b))
        for a, b in zip(left_keys, right_keys, strict=True)
    ]
    shown = [alias(qualified("r", b.ident), idents[n]) for n, b in moved.items()]
    if command.usetime:
        relation, row = numbered(relation, binder)
        time, other_time = relation.bound("_time"), other.bound("_time")
        if time is None or other_time is None:
            raise EscudoError("SPL105", "usetime needs _time on both sides", span=command.span)
        node = exp.GTE if command.earlier else exp.LTE
        on.append(
            node(this=qualified("l", time.ident), expression=qualified("r", other_time.ident))
        )
        shown.append(alias(qualified("r", other_time.ident), place))
    else:
        shown.append(alias(qualified("r", number.name), place))
    kind = "LEFT" if command.kind == "left" else "INNER"

    def build(inner: exp.Select) -> exp.Select:
        condition = all_hold([c.copy() for c in on])
        return beside(inner, other.render(), condition, [s.copy() for s in shown], kind)

    rows = relation.wrap(build, [other])
    if command.usetime and command.max:
        nearest = Order(column(place), descending=command.earlier)
        rank = binder.names.fresh("rank")
        rows = rows.hide([(rank, over(exp.RowNumber(), [nearest], [row]))], window=True)
        rows = rows.where(exp.LTE(this=column(rank), expression=exp.Literal.number(command.max)))
    rows = rows.ordered([*rows.order, Order(column(place), number=column(place))])
    return rows, {n: Bound(idents[n], b.type) for n, b in moved.items()}


def _key(value: Typed | None) -> exp.Expression:
    return null_value().sql if value is None else as_text(value)
