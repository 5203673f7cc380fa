"""Rows of one relation -> the same rows with fields of another's; called by ``lookup``, ``join``
and ``appendcols``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from escudo.core.catalog import Lookup
from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder
from escudo.spl.operators.described_lookups import describe_member, describe_output, is_lasting
from escudo.spl.operators.null_filling import fill_from
from escudo.spl.operators.windows import number_rows
from escudo.spl.relation.arrow_types import field_type
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.comparison import any_value, map_values
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.scans import Member
from escudo.spl.relation.sql import (
    alias,
    all_hold,
    at_least,
    column,
    equal,
    filter_rows,
    group_rows,
    identifier,
    literal_integer,
    literal_text,
    minus,
    prelude_call,
    select,
    table,
)
from escudo.spl.relation.values import Bound, Typed, is_null, null_value, text_value


def qualify(source: str, ident: str) -> exp.Column:
    """``source.ident``."""
    return exp.Column(this=identifier(ident), table=identifier(source))


def join_queries(
    left: exp.Expression,
    right: exp.Expression,
    *,
    on: exp.Expression,
    columns: Sequence[exp.Expression],
    kind: Literal["LEFT", "INNER"] = "LEFT",
) -> exp.Select:
    """``SELECT l.*, columns FROM left AS l LEFT JOIN right AS r ON ...``."""
    everything = exp.Column(this=exp.Star(), table=identifier("l"))
    source = exp.From(this=_name_source(left, "l"))
    query = exp.Select(expressions=[everything, *columns], from_=source)
    side = {"side": "LEFT"} if kind == "LEFT" else {}
    query.set("joins", [exp.Join(this=_name_source(right, "r"), on=on, **side)])
    return query


def _name_source(source: exp.Expression, name: str) -> exp.Expression:
    called = exp.TableAlias(this=identifier(name))
    if isinstance(source, exp.Table):
        source.set("alias", called)
        return source
    return exp.Subquery(this=source, alias=called)


# --- lookup -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Match:
    """Which rows of a lookup belong to a row: ``keys`` are its inputs with the row's values."""

    definition: Lookup
    rows: pa.Table
    keys: Sequence[tuple[str, Typed]]
    outputs: Sequence[str]

    @property
    def fold(self) -> bool:
        """Whether case does not count."""
        return not self.definition.case_sensitive

    @property
    def most(self) -> int:
        """The lookup rows that a row takes."""
        return max(self.definition.max_matches, 1)

    def kind(self, name: str) -> str | None:
        """``WILDCARD`` or ``CIDR`` for inputs that hold patterns."""
        kind = self.definition.match_types.get(name, "").upper()
        return kind if kind in ("WILDCARD", "CIDR") else None


def add_lookup_fields(
    relation: Relation,
    definition: Lookup,
    rows: pa.Table,
    *,
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
    keys = [(inner, relation.field(outer) or null_value()) for inner, outer in inputs]
    match = _Match(
        definition=definition, rows=rows, keys=keys, outputs=[inner for inner, _ in outputs]
    )
    several = any(match.kind(n) or v.type is FieldType.MULTIVALUE for n, v in keys)
    join = _match_patterns if several else _match_equal
    relation, bounds = join(relation, match, binder)
    added: list[tuple[str, Typed]] = []
    for inner, outer in outputs:
        value = bounds[inner].typed()
        if definition.default_match is not None and definition.min_matches > 0:
            value = fill_from(value, text_value(definition.default_match))
        if new:
            before = relation.field(outer)
            value = fill_from(before, value) if before is not None else value
        added.append((outer, value))
    return relation.extend(added, binder.names)


def _hold_keys(relation: Relation, match: _Match, binder: Binder) -> tuple[Relation, list[str]]:
    """Columns with the values to look up."""
    held = [binder.names.fresh("key") for _ in match.keys]
    values = [_make_key(value, match.fold) for _, value in match.keys]
    return relation.hide(list(zip(held, values, strict=True))), held


def _match_equal(
    relation: Relation, match: _Match, binder: Binder
) -> tuple[Relation, dict[str, Bound]]:
    """A join with one row for each combination of keys."""
    keys = [f"key{i}" for i in range(len(match.keys))]
    outs = [f"out{i}" for i in range(len(match.outputs))]
    arrays = [_fold_case(match.rows[inner], match.fold) for inner, _ in match.keys]
    arrays += [match.rows[n] for n in match.outputs]
    plain = pa.table(arrays, names=[*keys, *outs])
    for k in keys:
        plain = plain.filter(pc.is_valid(plain[k]))
    small = _group_by_keys(plain, keys, outputs=outs, most=match.most)
    source = binder.names.fresh("lookup")
    idents = [binder.names.fresh(n) for n in small.column_names]
    binder.tables[source] = small.rename_columns(idents)
    key_idents, out_idents = idents[: len(keys)], idents[len(keys) :]
    bounds = {
        n: Bound(ident, field_type(small.schema.field(o).type))
        for n, ident, o in zip(match.outputs, out_idents, outs, strict=True)
    }
    relation, held = _hold_keys(relation, match, binder)

    def build(inner: exp.Select) -> exp.Select:
        on = all_hold(
            equal(qualify("l", h), qualify("r", i)) for h, i in zip(held, key_idents, strict=True)
        )
        shown = [qualify("r", b.ident) for b in bounds.values()]
        return join_queries(inner, table(source), on=on, columns=shown)

    return _attach(relation, build, match, bounds, held, binder), bounds


def _group_by_keys(rows: pa.Table, keys: list[str], *, outputs: list[str], most: int) -> pa.Table:
    """One row for each combination of keys: the outputs of its first ``most`` rows, as lists
    where a combination has several rows, else as text.

    >>> t = pa.table({"k": ["a", "b", "a"], "v": ["1", "2", "3"]})
    >>> _group_by_keys(t, ["k"], outputs=["v"], most=1000).to_pylist()
    [{'k': 'a', 'v': ['1', '3']}, {'k': 'b', 'v': ['2']}]
    >>> _group_by_keys(t.slice(0, 2), ["k"], outputs=["v"], most=1000).to_pylist()
    [{'k': 'a', 'v': '1'}, {'k': 'b', 'v': '2'}]
    """
    aggregations = [(o, "list") for o in outputs]
    groups = rows.group_by(keys, use_threads=False).aggregate([*aggregations, ([], "count_all")])
    several = (pc.max(groups["count_all"]).as_py() or 0) > 1 and most > 1
    columns = {k: groups[k] for k in keys}
    for o in outputs:
        lists = groups[f"{o}_list"]
        if several:
            columns[o] = pc.list_slice(lists, 0, most)
        elif rows.num_rows:
            columns[o] = pc.list_element(lists, 0)
        else:
            columns[o] = pa.array([], pa.string())
    return pa.table(columns)


def _match_patterns(
    relation: Relation, match: _Match, binder: Binder
) -> tuple[Relation, dict[str, Bound]]:
    """Patterns are tested once for each combination of values that occurs, not for each event.

    What is read twice and takes more than a scan is a common table expression."""
    keys = [binder.names.fresh("key") for _ in match.keys]
    outs = [binder.names.fresh(n) for n in match.outputs]
    position = binder.names.fresh("position")
    arrays = [_make_patterns(match.rows[n], match.kind(n), match.fold) for n, _ in match.keys]
    arrays += [match.rows[n] for n in match.outputs]
    places = pa.array(range(match.rows.num_rows), pa.int64())
    patterns = pa.table([*arrays, places], names=[*keys, *outs, position])
    relation, held = _hold_keys(relation, match, binder)
    kind = FieldType.STRING if match.most == 1 else FieldType.MULTIVALUE
    bounds = {n: Bound(binder.names.fresh(n), kind) for n in match.outputs}
    shared, values = binder.names.fresh("events"), binder.names.fresh("values")
    test = all_hold(
        _test_any(match.kind(name), value.type, qualify("l", h), qualify("r", k))
        for (name, value), h, k in zip(match.keys, held, keys, strict=True)
    )
    pairing = _Pairing(values, held, test, [position, *outs])
    words = [
        (word, _list_literals(match, name))
        for (name, value), word in zip(match.keys, held, strict=True)
        if match.kind(name) == "WILDCARD" and value.type is not FieldType.MULTIVALUE
    ]
    pairs: exp.Expression
    if words:
        # All patterns of a row have to match: the longest say most of which rows can.
        word, literals = max(words, key=lambda found: sum(map(len, found[1])))
        pairs = _pair_by_literals(pairing, patterns, literals, word, binder)
    else:
        pairs = pairing.nest(_add_table(patterns, binder))

    def build(inner: exp.Select) -> exp.Select:
        computed = inner.find(exp.Group, exp.Join, exp.Window, exp.Unnest, exp.Limit) is not None
        events = table(shared) if computed else inner
        distinct = select([column(h) for h in held], events.copy())
        distinct.set("distinct", exp.Distinct())
        groups = [column(h) for h in held]
        items = [
            alias(_gather_values(o, position, match.most), bounds[n].ident)
            for n, o in zip(match.outputs, outs, strict=True)
        ]
        matched = group_rows(select([*groups, *items], pairs.copy()), groups)
        on = all_hold(
            exp.NullSafeEQ(this=qualify("l", h), expression=qualify("r", h)) for h in held
        )
        shown = [qualify("r", b.ident) for b in bounds.values()]
        query = join_queries(events, matched, on=on, columns=shown)
        named = [(shared, inner)] if computed else []
        query.set("with_", _name_queries([*named, (values, distinct)]))
        return query

    return _attach(relation, build, match, bounds, held, binder), bounds


def _attach(
    relation: Relation,
    build: Callable[[exp.Select], exp.Select],
    match: _Match,
    bounds: Mapping[str, Bound],
    held: Sequence[str],
    binder: Binder,
) -> Relation:
    """The rows with the outputs that a query joins to them; what these are of one key is known."""
    name, value = match.keys[0]
    kind = match.kind(name)
    several = value.type is FieldType.MULTIVALUE
    if len(held) > 1 or kind == "CIDR":
        return relation.attach(build)
    if not is_lasting(match.definition):
        return relation.attach(build)
    if binder.thorough and not match.rows.num_rows:  # somebody is yet to fill it
        return relation.attach(build)
    keys, key = _fold_case(match.rows[name], match.fold), column(held[0])
    columns: list[tuple[str, exp.Expression]] = []
    members: list[tuple[str, Member]] = []
    for output, bound in bounds.items():
        wildcards, values = kind == "WILDCARD", match.rows[output]
        if bound.type is FieldType.MULTIVALUE:
            member = describe_member(key, keys, values, wildcards=wildcards, several=several)
            members += [(bound.ident, member)] if member is not None else []
        else:
            described = describe_output(key, keys, values, wildcards=wildcards, several=several)
            columns += [(bound.ident, described)] if described is not None else []
    return relation.attach(build, columns, members)


def _name_queries(named: Sequence[tuple[str, exp.Select]]) -> exp.With:
    """``WITH name AS (query), ...``."""
    return exp.With(
        expressions=[
            exp.CTE(this=query, alias=exp.TableAlias(this=identifier(name)))
            for name, query in named
        ]
    )


MANY_PATTERNS = 60
"""Patterns, for each length that pieces have, from which on they are found by a part of theirs and
not each tried with each value. 20,000 command lines of 120 characters, one length: 0.1 s of CPU
whatever the patterns are; each tried 0.1 s with 50, 1.1 s with 573 (DuckDB, 2026-11-30)."""

_GRAM = 6
"""Characters of a pattern's literal that it is found by."""


@dataclass(frozen=True)
class _Pairing:
    """Values (a query of that name, in columns ``held``) and patterns that belong together by a
    test (of ``l`` and ``r``); ``shown`` are the columns of the patterns that are kept."""

    values: str
    held: Sequence[str]
    test: exp.Expression
    shown: Sequence[str]

    def nest(self, patterns: str, more: exp.Expression | None = None) -> exp.Select:
        """Each value tried with each pattern; ``more`` is a quick test that goes before."""
        test = self.test.copy() if more is None else all_hold([more, self.test.copy()])
        columns = [qualify("r", ident) for ident in self.shown]
        return join_queries(
            table(self.values), table(patterns), on=test, columns=columns, kind="INNER"
        )


def _add_table(rows: pa.Table, binder: Binder) -> str:
    name = binder.names.fresh("lookup")
    binder.tables[name] = rows
    return name


def _list_literals(match: _Match, name: str) -> list[str]:
    """The longest part of each pattern of a key between its ``*``, as it is compared."""
    texts = _fold_case(match.rows[name], match.fold).to_pylist()
    return [max((text or "").split("*"), key=len) for text in texts]


def _pair_by_literals(
    pairing: _Pairing,
    patterns: pa.Table,
    literals: Sequence[str],
    word: str,
    binder: Binder,
) -> exp.Expression:
    """The pairs where the value has the pattern's literal: the test alone takes twice as long.

    Many patterns are joined by the beginning of their literals with the pieces of as many
    characters that a value has.
    """
    grams = [text[:_GRAM] for text in literals]
    lengths = sorted({len(g) for g in grams if g})
    if patterns.num_rows < MANY_PATTERNS * len(lengths):
        literal = binder.names.fresh("literal")
        patterns = patterns.append_column(literal, pa.array(literals, pa.string()))
        return pairing.nest(_add_table(patterns, binder), _contains(word, literal))
    gram, at = binder.names.fresh("gram"), binder.names.fresh("at")
    patterns = patterns.append_column(gram, pa.array(grams, pa.string()))
    has_gram = pc.not_equal(patterns[gram], "")
    loose, found_by_gram = patterns.filter(pc.invert(has_gram)), patterns.filter(has_gram)
    pairs: list[exp.Expression] = []
    if loose.num_rows or not lengths:
        pairs.append(pairing.nest(_add_table(loose, binder)))
    if lengths:
        cut = [_cut_values(pairing, word, length, gram=gram, at=at) for length in lengths]
        by_gram = equal(qualify("l", gram), qualify("r", gram))
        found = join_queries(
            _stack(cut),
            table(_add_table(found_by_gram, binder)),
            on=all_hold([by_gram, pairing.test.copy()]),
            columns=[qualify("r", ident) for ident in pairing.shown],
            kind="INNER",
        )
        # A value may have the piece twice.
        once = select([column(c) for c in (*pairing.held, *pairing.shown)], found)
        once.set("distinct", exp.Distinct())
        pairs.append(once)
    return _stack(pairs)


def _stack(queries: Sequence[exp.Expression]) -> exp.Expression:
    """``query UNION ALL query ...``."""
    out, *others = queries
    for query in others:
        out = exp.Union(this=out, expression=query, distinct=False)
    return out


def _contains(word: str, literal: str) -> exp.Expression:
    return exp.Contains(this=qualify("l", word), expression=qualify("r", literal))


def _cut_values(pairing: _Pairing, word: str, length: int, *, gram: str, at: str) -> exp.Select:
    """The pieces of so many characters that each value has, in a column ``gram``."""
    size = exp.Length(this=column(word))
    last = minus(size, literal_integer(length - 1))
    series = exp.GenerateSeries(start=literal_integer(1), end=last)
    places = select([alias(exp.Explode(this=series), at)], table(pairing.values), star=True)
    filter_rows(places, at_least(size.copy(), literal_integer(length)))
    piece = exp.Substring(this=column(word), start=column(at), length=literal_integer(length))
    return select([*(column(h) for h in pairing.held), alias(piece, gram)], places)


def _gather_values(ident: str, position: str, most: int) -> exp.Expression:
    if most == 1:
        return exp.ArgMin(this=column(ident), expression=column(position))
    listed = prelude_call("spl_agg_list_ordered", column(ident), column(position))
    return prelude_call("spl_first_values", listed, literal_integer(most))


def _make_key(value: Typed, fold: bool) -> exp.Expression:
    if value.type is FieldType.MULTIVALUE:
        return map_values(value.sql, lambda v: exp.Lower(this=v.sql)) if fold else value.sql
    text = as_text(value)
    return exp.Lower(this=text) if fold and not is_null(value) else text


def _fold_case(values: pa.ChunkedArray, fold: bool) -> pa.ChunkedArray:
    return pc.utf8_lower(values) if fold else values


def _make_patterns(values: pa.ChunkedArray, kind: str | None, fold: bool) -> pa.ChunkedArray:
    """Lookup keys ready to compare: for wildcards a LIKE pattern with ``!`` as escape."""
    values = _fold_case(values, fold)
    if kind != "WILDCARD":
        return values
    for char in "!%_":
        values = pc.replace_substring(values, char, f"!{char}")
    return pc.replace_substring(values, "*", "%")


def _test_any(
    kind: str | None, value_type: FieldType, value: exp.Expression, key: exp.Expression
) -> exp.Expression:
    if value_type is not FieldType.MULTIVALUE:
        return _test(kind, value, key)
    return any_value(value, lambda v: _test(kind, v.sql, key.copy()))


def _test(kind: str | None, value: exp.Expression, key: exp.Expression) -> exp.Expression:
    if kind == "WILDCARD":
        like = exp.Like(this=value, expression=key)
        return exp.Escape(this=like, expression=literal_text("!"))
    if kind == "CIDR":
        return prelude_call("spl_cidr_match", key, value)
    return equal(value, key)


# --- appendcols -------------------------------------------------------------------------------


def zip_rows(left: Relation, right: Relation, override: bool, binder: Binder) -> Relation:
    """The first row beside the first row, and so on; rows beyond the left ones are dropped."""
    left, left_row = number_rows(left, binder)
    right, right_row = number_rows(right, binder)
    moved = {n: b for n in right.names() if (b := right.bound(n)) is not None}
    idents = {n: binder.names.fresh(n) for n in moved}

    def build(inner: exp.Select) -> exp.Select:
        on = equal(qualify("l", left_row.name), qualify("r", right_row.name))
        shown = [alias(qualify("r", b.ident), idents[n]) for n, b in moved.items()]
        return join_queries(inner, right.render(), on=on, columns=shown)

    joined = left.wrap(build, [right])
    added: list[tuple[str, Typed]] = []
    for name, bound in moved.items():
        value = Bound(idents[name], bound.type).typed()
        before = left.field(name)
        if before is not None:
            value = fill_from(value, before) if override else before
        added.append((name, value))
    return joined.extend(added, binder.names)
