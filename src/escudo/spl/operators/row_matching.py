"""Rows of one relation beside those of another: ``lookup`` and ``join``."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from escudo.core.catalog import Lookup
from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder
from escudo.spl.operators import lookup_tables
from escudo.spl.operators.null_filling import or_else
from escudo.spl.operators.windows import number_rows
from escudo.spl.relation.arrow_types import field_type
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.comparison import any_value, map_values
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import (
    alias,
    all_hold,
    column,
    identifier,
    literal_text,
    prelude_call,
    select,
    table,
)
from escudo.spl.relation.values import Bound, Typed, is_null, null_value, text_value


def qualify(source: str, ident: str) -> exp.Column:
    return exp.Column(this=identifier(ident), table=identifier(source))


def join_queries(
    left: exp.Expression,
    right: exp.Expression,
    on: exp.Expression,
    columns: Sequence[exp.Expression],
    kind: str = "LEFT",
) -> exp.Select:
    """``SELECT l.*, columns FROM left AS l LEFT JOIN right AS r ON ...``."""
    everything = exp.Column(this=exp.Star(), table=identifier("l"))
    query = exp.Select(expressions=[everything, *columns], from_=exp.From(this=_named(left, "l")))
    join = exp.Join(this=_named(right, "r"), on=on, **({"side": "LEFT"} if kind == "LEFT" else {}))
    query.set("joins", [join])
    return query


def _named(source: exp.Expression, name: str) -> exp.Expression:
    called = exp.TableAlias(this=identifier(name))
    if isinstance(source, exp.Table):
        source.set("alias", called)
        return source
    return exp.Subquery(this=source, alias=called)


def add_lookup_fields(
    relation: Relation,
    definition: Lookup,
    rows: pa.Table,
    inputs: Sequence[tuple[str, str]],
    outputs: Sequence[tuple[str, str]],
    new: bool,
    binder: Binder,
) -> Relation:
    """The events with the outputs of the lookup rows that match all inputs.

    A multivalue matches by any of its values. Several matching rows, in the order of the table,
    give multivalues; ``new`` keeps what an event already has. Events without a match get
    ``default_match`` where the definition has one.
    """
    events = [(inner, relation.field(outer)) for inner, outer in inputs]
    names = [inner for inner, _ in outputs]
    fold = not definition.case_sensitive
    special = {f: k.upper() for f, k in definition.match_types.items() if k.upper() in _SPECIAL}
    most = max(definition.max_matches, 1)
    keyed = [(inner, value or null_value()) for inner, value in events]
    if any(inner in special or value.type is FieldType.MULTIVALUE for inner, value in keyed):
        relation, found = _by_pattern(relation, rows, keyed, names, special, fold, most, binder)
    else:
        relation, found = _by_equality(relation, rows, keyed, names, fold, most, binder)
    added: list[tuple[str, Typed]] = []
    for inner, outer in outputs:
        value = found[inner].typed()
        if definition.default_match is not None and definition.min_matches > 0:
            value = or_else(value, text_value(definition.default_match))
        if new:
            before = relation.field(outer)
            value = or_else(before, value) if before is not None else value
        added.append((outer, value))
    return relation.extend(added, binder.names)


_SPECIAL = ("WILDCARD", "CIDR")


def _by_equality(
    relation: Relation,
    rows: pa.Table,
    keyed: Sequence[tuple[str, Typed]],
    names: Sequence[str],
    fold: bool,
    most: int,
    binder: Binder,
) -> tuple[Relation, dict[str, Bound]]:
    """A join with one row for each combination of keys."""
    keys = [f"key{i}" for i in range(len(keyed))]
    arrays = [_folded(rows[inner], fold) for inner, _ in keyed]
    outs = [f"out{i}" for i in range(len(names))]
    plain = pa.table([*arrays, *(rows[n] for n in names)], names=[*keys, *outs])
    for k in keys:
        plain = plain.filter(pc.is_valid(plain[k]))
    small = lookup_tables.grouped(plain, keys, outs, most)
    source = binder.names.fresh("lookup")
    idents = [binder.names.fresh(n) for n in small.column_names]
    binder.tables[source] = small.rename_columns(idents)
    bounds = {
        n: Bound(idents[len(keys) + i], field_type(small.schema.field(o).type))
        for i, (n, o) in enumerate(zip(names, outs, strict=True))
    }
    values = [_event_key(value, fold) for _, value in keyed]
    held = [binder.names.fresh("key") for _ in values]
    relation = relation.hide(list(zip(held, values, strict=True)))

    def build(inner: exp.Select) -> exp.Select:
        on = all_hold(
            exp.EQ(this=qualify("l", h), expression=qualify("r", i))
            for h, i in zip(held, idents, strict=False)
        )
        shown = [qualify("r", b.ident) for b in bounds.values()]
        return join_queries(inner, table(source), on, shown)

    return relation.wrap(build), bounds


def _by_pattern(
    relation: Relation,
    rows: pa.Table,
    keyed: Sequence[tuple[str, Typed]],
    names: Sequence[str],
    special: dict[str, str],
    fold: bool,
    most: int,
    binder: Binder,
) -> tuple[Relation, dict[str, Bound]]:
    """Patterns are tested once for each combination of values that occurs, not for each event.

    What takes more than a scan is a common table expression: it is read twice."""
    source = binder.names.fresh("lookup")
    keys = [binder.names.fresh("key") for _ in keyed]
    outs = [binder.names.fresh(n) for n in names]
    position = binder.names.fresh("position")
    arrays = [_pattern_array(rows[inner], special.get(inner), fold) for inner, _ in keyed]
    binder.tables[source] = pa.table(
        [*arrays, *(rows[n] for n in names), pa.array(range(rows.num_rows), pa.int64())],
        names=[*keys, *outs, position],
    )
    values = [_event_key(value, fold) for _, value in keyed]
    held = [binder.names.fresh("key") for _ in values]
    relation = relation.hide(list(zip(held, values, strict=True)))
    kind = FieldType.STRING if most == 1 else FieldType.MULTIVALUE
    bounds = {n: Bound(binder.names.fresh(n), kind) for n in names}
    shared = binder.names.fresh("events")

    def build(inner: exp.Select) -> exp.Select:
        computed = inner.find(exp.Group, exp.Join, exp.Window, exp.Unnest, exp.Limit) is not None
        events = table(shared) if computed else inner
        distinct = select([column(h) for h in held], events.copy())
        distinct.set("distinct", exp.Distinct())
        test = all_hold(
            _any_test(special.get(name), value.type, qualify("l", h), qualify("r", k))
            for (name, value), h, k in zip(keyed, held, keys, strict=True)
        )
        pairs = join_queries(
            distinct,
            table(source),
            test,
            [qualify("r", position), *(qualify("r", o) for o in outs)],
            "INNER",
        )
        items: list[exp.Expression] = [column(h) for h in held]
        for n, o in zip(names, outs, strict=True):
            items.append(alias(_gathered(o, position, most), bounds[n].ident))
        groups = select(items, pairs)
        groups.set("group", exp.Group(expressions=[column(h) for h in held]))
        on = all_hold(
            exp.NullSafeEQ(this=qualify("l", h), expression=qualify("r", h)) for h in held
        )
        query = join_queries(events, groups, on, [qualify("r", b.ident) for b in bounds.values()])
        if computed:
            called = exp.TableAlias(this=identifier(shared))
            query.set("with_", exp.With(expressions=[exp.CTE(this=inner, alias=called)]))
        return query

    return relation.wrap(build), bounds


def _gathered(ident: str, position: str, most: int) -> exp.Expression:
    if most == 1:
        return exp.ArgMin(this=column(ident), expression=column(position))
    listed = prelude_call("spl_agg_list_ordered", column(ident), column(position))
    return prelude_call("spl_first_values", listed, exp.Literal.number(most))


def _event_key(value: Typed, fold: bool) -> exp.Expression:
    if value.type is FieldType.MULTIVALUE:
        return map_values(value.sql, lambda v: exp.Lower(this=v.sql)) if fold else value.sql
    text = as_text(value)
    return exp.Lower(this=text) if fold and not is_null(value) else text


def _folded(values: pa.ChunkedArray, fold: bool) -> pa.ChunkedArray:
    return pc.utf8_lower(values) if fold else values


def _pattern_array(values: pa.ChunkedArray, kind: str | None, fold: bool) -> pa.ChunkedArray:
    """Lookup keys ready to compare: for wildcards a LIKE pattern with ``!`` as escape."""
    values = _folded(values, fold)
    if kind != "WILDCARD":
        return values
    for char in "!%_":
        values = pc.replace_substring(values, char, f"!{char}")
    return pc.replace_substring(values, "*", "%")


def _any_test(
    kind: str | None, field_type: FieldType, value: exp.Expression, key: exp.Expression
) -> exp.Expression:
    if field_type is not FieldType.MULTIVALUE:
        return _test(kind, value, key)
    return any_value(value, lambda v: _test(kind, v.sql, key.copy()))


def _test(kind: str | None, value: exp.Expression, key: exp.Expression) -> exp.Expression:
    if kind == "WILDCARD":
        like = exp.Like(this=value, expression=key)
        return exp.Escape(this=like, expression=literal_text("!"))
    if kind == "CIDR":
        return prelude_call("spl_cidr_match", key, value)
    return exp.EQ(this=value, expression=key)


def zip_rows(left: Relation, right: Relation, override: bool, binder: Binder) -> Relation:
    """The first row beside the first row, and so on; rows beyond the left ones are dropped."""
    left, left_row = number_rows(left, binder)
    right, right_row = number_rows(right, binder)
    moved = {n: b for n in right.names() if (b := right.bound(n)) is not None}
    idents = {n: binder.names.fresh(n) for n in moved}

    def build(inner: exp.Select) -> exp.Select:
        on = exp.EQ(this=qualify("l", left_row.name), expression=qualify("r", right_row.name))
        shown = [alias(qualify("r", b.ident), idents[n]) for n, b in moved.items()]
        return join_queries(inner, right.render(), on, shown)

    joined = left.wrap(build, [right])
    added: list[tuple[str, Typed]] = []
    for name, bound in moved.items():
        value = Bound(idents[name], bound.type).typed()
        before = left.field(name)
        if before is not None:
            value = or_else(value, before) if override else before
        added.append((name, value))
    return joined.extend(added, binder.names)
