"""``join``: the rows of a subsearch beside those of the search that have the same values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.spl import coerce
from escudo.spl.bind import Binder
from escudo.spl.filling import or_else
from escudo.spl.joining import beside, qualified
from escudo.spl.match import all_of
from escudo.spl.plan import Bound, Order, Relation, Typed, alias, column
from escudo.spl.windows import numbered, over

if TYPE_CHECKING:
    from escudo.spl.commands.join import Join


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
            value = or_else(value, before) if command.overwrite else or_else(before, value)
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
        condition = all_of([c.copy() for c in on])
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
    return coerce.null().sql if value is None else coerce.as_text(value)
