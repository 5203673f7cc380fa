"""Statistics over a relation: what ``stats``, ``tstats``, ``eventstats``, ``chart`` ... share.

Rows in which a BY field is null are left out; a multivalue BY field counts once for each of its
values (Search Reference, stats). The result is sorted by the BY fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder
from escudo.spl.functions import stats_functions
from escudo.spl.functions.row import Params, StatsFunction
from escudo.spl.operators.late_proof import attach_proof, proves_late
from escudo.spl.operators.regrouping import sum_up_one_row
from escudo.spl.operators.sparklines import build_sparkline
from escudo.spl.operators.windows import number_rows, over
from escudo.spl.relation.bases import LateProof
from escudo.spl.relation.coercion import as_number, as_text
from escudo.spl.relation.gathered import Gathered
from escudo.spl.relation.relation import Evidence, Relation, Traits
from escudo.spl.relation.sql import (
    alias,
    all_hold,
    case_when,
    column,
    equal,
    group_rows,
    has_no_value,
    has_value,
    literal_integer,
    more_than,
    prelude_call,
    select,
)
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import NUMERIC, Bound, Typed, null_value
from escudo.spl.syntax.aggregate_terms import Aggregate
from escudo.spl.syntax.source import suggest
from escudo.spl.syntax.wildcards import renamed, select_names


def find_function(term: Aggregate) -> StatsFunction:
    """The row of a term's statistical function. Raises ``SPL200`` for an unknown one."""
    row = stats_functions.get(term.function)
    if row is None:
        raise EscudoError(
            "SPL200",
            f"unknown statistical function '{term.function}'",
            span=term.span,
            hint=suggest(term.function, stats_functions),
        )
    return row


def build_aggregate(
    term: Aggregate, relation: Relation, binder: Binder, order: exp.Expression | None
) -> Typed:
    """The SQL aggregate of a term over a relation's rows."""
    if term.inner is not None:
        inner = find_function(term.inner)
        argument = read_argument(term.inner, inner, relation, binder)
        return build_sparkline(term, inner, argument, relation, binder)
    row = find_function(term)
    bound = relation.bound(term.field) if term.field is not None else None
    if bound is not None and bound.stamp is not None and term.function in ("min", "max"):
        node = exp.Min if term.function == "min" else exp.Max
        return Typed(prelude_call("spl_epoch", node(this=column(bound.stamp))), FieldType.TIME)
    value = read_argument(term, row, relation, binder)
    time = relation.field("_time")
    if row.needs_time and time is None:
        return null_value()
    return row.build(value, time, Params(percent=term.parameter, order=order))


def read_argument(
    term: Aggregate, row: StatsFunction, relation: Relation, binder: Binder
) -> Typed | None:
    """What a statistic is of: its field or expression; None for ``count`` of rows."""
    if term.expr is not None:
        return binder.evaluate(term.expr, relation)
    if term.field is not None:
        bound = relation.bound(term.field)
        return bound.typed() if bound is not None else null_value()
    if row.needs_argument:
        raise EscudoError("SPL202", f"{term.function}() needs a field", span=term.span)
    return None


def expand_wildcards(
    terms: Sequence[Aggregate], relation: Relation, binder: Binder
) -> list[Aggregate]:
    """Terms with ``*`` in the field, one for each field that it names."""
    out: list[Aggregate] = []
    for term in terms:
        if term.field is None or "*" not in term.field:
            out.append(term)
            continue
        names = select_names([term.field], binder.all_names(relation))
        for name in names:
            if term.alias is None:
                shown = f"{term.label.partition('(')[0]}({name})"
            else:
                shown = renamed(term.field, term.alias, name) or term.alias
            out.append(replace(term, field=name, alias=shown))
    return out


def find_arrival(relation: Relation, binder: Binder) -> tuple[Relation, exp.Expression | None]:
    """An expression that grows in the order of the rows, perhaps over a helper column."""
    keys = relation.order
    if not keys:
        return relation, None
    if all(k.number is not None for k in keys):
        parts = [
            exp.Neg(this=k.number.copy()) if k.descending else k.number.copy()
            for k in keys
            if k.number is not None
        ]
        if len(parts) == 1:
            return relation, parts[0]
        named = [
            exp.PropertyEQ(this=exp.to_identifier(f"k{i}"), expression=p)
            for i, p in enumerate(parts)
        ]
        return relation, exp.Struct(expressions=named)
    return number_rows(relation, binder)


_BY_ARRIVAL = frozenset({"first", "last", "list"})


def needs_arrival(terms: Sequence[Aggregate]) -> bool:
    return any(t.function in _BY_ARRIVAL for t in terms)


@dataclass(frozen=True)
class Keys:
    """BY fields that are ready to group by, in a relation that holds only rows that have them."""

    relation: Relation
    bound: tuple[tuple[str, Bound], ...]
    missing: bool = False
    """Whether a BY field does not exist at all: nothing is left then."""
    late: tuple[str, ...] = ()
    """Keys whose null groups are yet to be dropped."""


def prepare_keys(
    relation: Relation,
    by: Sequence[str],
    binder: Binder,
    given: Mapping[str, Bound] = MappingProxyType({}),
    *,
    late: bool = False,
) -> Keys:
    """Rows without a BY field left out, one row for each value of a multivalue BY field.

    ``given`` says what to group by where it is not the field itself (a bucket of it). With
    ``late`` rows stay whose key is null and costly to compute: an engine moves a filter below the
    projection, and computes the key twice then.
    """
    keys: list[tuple[str, Bound]] = []
    conditions: list[exp.Expression] = []
    dropped_later: list[str] = []
    missing = False
    for name in dict.fromkeys(by):
        bound = given.get(name) or relation.bound(name)
        if bound is None:
            missing = True
            keys.append((name, Bound(binder.names.fresh(name), FieldType.STRING)))
            continue
        if bound.type is FieldType.MULTIVALUE:
            relation, bound = expand_values(relation, name, binder)
        if late and _costly(relation.definition(bound.ident)):
            dropped_later.append(bound.ident)
        else:
            conditions.append(is_present(bound))
        keys.append((name, bound))
    for c in conditions:
        relation = relation.where(c)
    if missing:
        added = [(b.ident, null_value().sql) for n, b in keys if relation.bound(n) is None]
        relation = relation.where(exp.false()).hide(added)
    return Keys(relation, tuple(keys), missing, tuple(dropped_later))


_COSTLY = ("spl_regex", "spl_pcre", "spl_basename")


def _costly(sql: exp.Expression | None) -> bool:
    """Whether an expression runs a regular expression."""
    if sql is None:
        return False
    return any(str(f.this).startswith(_COSTLY) for f in sql.find_all(exp.Anonymous))


def is_present(bound: Bound) -> exp.Expression:
    """The condition that a field has a value."""
    return has_value(column(bound.ident))


def expand_values(relation: Relation, name: str, binder: Binder) -> tuple[Relation, Bound]:
    """One row for each value of a multivalue field; rows without a value are dropped."""
    values = relation.bound(name)
    assert values is not None
    value = Bound(binder.names.fresh(name), FieldType.STRING)
    exploded = exp.Explode(this=column(values.ident))
    relation = relation.hide([(value.ident, exploded)], unnest=True)
    return relation.with_fields({**relation.fields, name: value}), value


def aggregate_rows(
    relation: Relation,
    terms: Sequence[Aggregate],
    by: Sequence[str],
    binder: Binder,
    given: Mapping[str, Bound] = MappingProxyType({}),
) -> Relation:
    """``stats terms BY by``: a relation of the BY fields and the terms, in that order."""
    terms = expand_wildcards(terms, relation, binder)
    keys = prepare_keys(relation, by, binder, given, late=True)
    alone = _sum_up_single_rows(keys, terms, binder)
    if alone is not None:
        return alone
    inner, order = keys.relation, None
    if needs_arrival(terms):
        inner, order = find_arrival(inner, binder)
    fields: dict[str, Bound] = {}
    items: list[exp.Expression] = []
    counts: list[str] = []
    lists: list[tuple[str, Gathered]] = []
    for name, bound in keys.bound:
        items.append(column(bound.ident))
        fields[name] = Bound(bound.ident, bound.type)
    for term in terms:
        value = build_aggregate(term, inner, binder, order)
        ident = binder.names.fresh(term.output)
        items.append(alias(value.sql, ident))
        if isinstance(value.sql, exp.Count):
            counts.append(ident)
        held = _describe_list(term, inner, binder)
        lists += [(ident, held)] if held is not None else []
        fields[term.output] = Bound(ident, value.type)
    proof: list[exp.Expression] = []
    evidence = gather_evidence(relation.evidence, proof, binder)
    groups = [column(b.ident) for _, b in keys.bound]
    named = [b.ident for _, b in keys.bound]

    def render() -> exp.Select:
        return render_with([*items, *proof])

    def render_with(items: Sequence[exp.Expression]) -> exp.Select:
        query = select(items or [alias(exp.null(), "nothing")], inner.render())
        query = group_rows(query, groups)
        if keys.late:
            # A count is not moved below the grouping, as IS NOT NULL would be.
            counts = [exp.Count(this=column(ident)) for ident in keys.late]
            held = all_hold(more_than(c, literal_integer(0)) for c in counts)
            query.set("having", exp.Having(this=held))
        return query

    late = None
    if evidence is not None and groups:
        late = LateProof(
            frozenset((evidence.ids, evidence.files)),
            pays=lambda: proves_late(inner, binder),
            render=lambda: render_with(items),
            attach=lambda rows: attach_proof(rows, inner, named, proof, evidence, binder),
        )
    return binder.query(
        render,
        [inner],
        fields,
        _order_by(keys),
        evidence,
        keeps_empty=bool(groups),
        counts=counts,
        keys=named,
        gathered=lists,
        distinct=bool(groups),
        late_proof=late,
    )


def _sum_up_single_rows(keys: Keys, terms: Sequence[Aggregate], binder: Binder) -> Relation | None:
    """The rows as groups of their own, where no two of them have the same keys; None where they
    may, or a statistic looks at rows."""
    relation = keys.relation
    together = relation.distinct_by
    if keys.missing or not together or not together <= {b.ident for _, b in keys.bound}:
        return None
    found: list[tuple[str, Typed]] = []
    for term in terms:
        value = build_aggregate(term, relation, binder, None)
        sql = sum_up_one_row(value.sql) if term.inner is None else None
        if sql is None:
            return None
        found.append((term.output, Typed(sql, value.type)))
    for ident in keys.late:
        relation = relation.where(has_value(column(ident)))
    relation = relation.extend(found, binder.names)
    outputs = {term.output: relation.fields[term.output] for term in terms}
    kept = {n: b for n, b in (*keys.bound, *outputs.items()) if b is not None}
    return replace(relation, traits=Traits()).closed(kept).ordered(_order_by(keys))


def _describe_list(term: Aggregate, relation: Relation, binder: Binder) -> Gathered | None:
    """What the list holds that an aggregate makes; None where it makes none of values."""
    if term.inner is not None or term.function not in ("values", "list"):
        return None
    argument = read_argument(term, find_function(term), relation, binder)
    if argument is None:
        return None
    lists = argument.type is FieldType.MULTIVALUE
    return Gathered(argument.sql if lists else as_text(argument), lists)


def _order_by(keys: Keys) -> list[Order]:
    return [Order(column(b.ident), number=_find_number(b)) for _, b in keys.bound]


def _find_number(bound: Bound) -> exp.Expression | None:
    return column(bound.ident) if bound.type in NUMERIC else None


def gather_evidence(
    evidence: Evidence | None, items: list[exp.Expression], binder: Binder
) -> Evidence | None:
    """Aggregates that collect what proves the rows of a group."""
    if evidence is None:
        return None
    out = Evidence(binder.names.fresh("_event_id"), binder.names.fresh("source_file"), lists=True)
    suffix = "_lists" if evidence.lists else ""
    ids = prelude_call(f"spl_collect_ids{suffix}", column(evidence.ids))
    files = prelude_call(f"spl_collect_files{suffix}", column(evidence.files))
    items += [alias(ids, out.ids), alias(files, out.files)]
    return out


def keep_numbers(relation: Relation, terms: Sequence[Aggregate], binder: Binder) -> Relation:
    """``allnum=t``: a field with a value that is no number counts as a field without values."""
    checked: list[tuple[str, Typed]] = []
    for name in dict.fromkeys(t.field for t in terms if t.field is not None):
        value = relation.field(name)
        if value is None or value.type in NUMERIC:
            continue
        number = as_number(value)
        wrong = all_hold([has_no_value(number.copy()), has_value(value.sql.copy())])
        flag = case_when((wrong, literal_integer(1)), otherwise=literal_integer(0))
        clean = equal(over(exp.Max(this=flag)), literal_integer(0))
        kept = case_when((clean, number), otherwise=null_value(FieldType.NUMBER).sql)
        checked.append((name, Typed(kept, FieldType.NUMBER)))
    return relation.extend(checked, binder.names, window=True)
