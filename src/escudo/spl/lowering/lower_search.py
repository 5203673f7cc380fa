"""Search expression -> SQL condition, by SPL's rules of matching; the binder and ``why`` call it.

- Values compare without regard to case unless ``CASE()`` is used; field names with regard to it
  (Search Manual, CASE and TERM). A lower-cased copy of a column is used where there is one, so
  that equality stays ``column = 'literal'``.
- ``=`` and ``!=`` compare text (``1`` is not ``1.0``); the order comparisons are numeric where
  both sides look numeric, else lexicographic (Search Reference, search: comparison expressions).
- ``f!=x`` leaves out events without f, ``NOT f=x`` keeps them (Search Manual, NOT expressions).
- A condition on a multivalue field holds if any of its values matches.
- ``source="WinEventLog:X"`` also matches ``XmlWinEventLog:X``: the same channel, whose events came
  as XML. Searches are written for either rendering (the Windows add-on's ``source`` differs).
- A bare term is looked for in ``_raw``, bounded by what is no letter or digit.
- ``ip="10.0.0.0/8"`` matches addresses in ``search``; in ``tstats`` it is text (Search Reference,
  tstats).

A condition that can be decided from what a table can hold (``TableSchema.values``) or from a
field that does not exist becomes TRUE or FALSE, and folds through AND, OR and NOT: a table whose
condition is FALSE need not be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.core.timerange import TimeRange
from escudo.spl.lowering.lower_eval import lower_eval
from escudo.spl.lowering.scan import within_range
from escudo.spl.relation.coercion import as_number, as_text
from escudo.spl.relation.comparison import COMPARISONS, any_value, compare_values, match_wildcards
from escudo.spl.relation.scope import Scope
from escudo.spl.relation.sql import (
    MANY,
    all_hold,
    any_holds,
    at_least,
    coalesce,
    column,
    equal,
    has_value,
    is_one_of,
    is_one_of_texts,
    less_than,
    literal_number,
    literal_text,
    lower_case,
    negate,
)
from escudo.spl.relation.time_modifiers import index_time_range, is_index_time, time_range
from escudo.spl.relation.values import (
    NUMERIC,
    Bound,
    Typed,
    is_numeric_text,
    number_text,
    number_value,
)
from escudo.spl.syntax.ast import (
    And,
    Call,
    Compare,
    FieldRef,
    InList,
    Literal,
    Not,
    Or,
    SearchExpr,
    SubsearchTerm,
    Term,
    TimeModifier,
    Value,
)


class Fields(Scope, Protocol):
    """What a search expression is matched against."""

    def bound(self, name: str) -> Bound | None: ...

    def possible(self, name: str) -> frozenset[str] | None:
        """The only values that a field can hold here; None if it is not bounded."""
        ...

    def subsearch(self, term: SubsearchTerm) -> SearchExpr | None:
        """The rows of a subsearch as conditions; None if it cannot be run now."""
        ...


@dataclass(frozen=True)
class Rules:
    """What differs between ``search`` and the WHERE of ``tstats``."""

    cidr: bool = True
    term_field: str = "_raw"


SEARCH = Rules()
TSTATS = Rules(cidr=False)

_CLASSIC = "wineventlog:"
"""How the Windows add-on's sources of events in classic rendering begin."""

_CIDR = re.compile(r"(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)/\d{1,3}")


def lower_search(expr: SearchExpr, fields: Fields, rules: Rules = SEARCH) -> exp.Expression:
    """A boolean SQL expression; NULL counts as false. Constant results are ``exp.Boolean``."""
    return _Lowering(fields, rules).expression(expr, negated=False)


class _Lowering:
    def __init__(self, fields: Fields, rules: Rules) -> None:
        self.fields = fields
        self.rules = rules
        self.flipped = False
        """Whether what is being lowered stands behind an odd number of NOTs."""

    def expression(self, expr: SearchExpr, *, negated: bool) -> exp.Expression:
        match expr:
            case And(operands):
                return all_hold([self.expression(o, negated=negated) for o in operands])
            case Or(operands):
                found = gather_values(operands) if len(operands) >= MANY else operands
                return any_holds([self.expression(o, negated=negated) for o in found])
            case Not(operand):
                self.flipped = not self.flipped
                inner = self.expression(operand, negated=True)
                self.flipped = not self.flipped
                return negate(inner)
            case SubsearchTerm():
                rows = self.fields.subsearch(expr)
                if rows is None:  # one that cannot be run leaves every event in
                    return exp.false() if self.flipped else exp.true()
                return self.expression(rows, negated=negated)
            case Compare(name, "!=", value):
                leaf = all_hold(
                    [self.compare(name, "!=", (v,)) for v in with_renderings(name, (value,))]
                )
            case Compare(name, op, value):
                values = with_renderings(name, (value,)) if op == "=" else (value,)
                leaf = self.compare(name, op, values)
            case InList(name, values):
                leaf = self.compare(name, "=", with_renderings(name, values))
            case Term(value):
                leaf = self.term(value)
            case TimeModifier():
                leaf = self.time(expr)
        return _not_null(leaf) if negated else leaf

    # leaves

    def time(self, modifier: TimeModifier) -> exp.Expression:
        if is_index_time(modifier):
            bound = self.fields.bound("_indextime")
            within = index_time_range((modifier,), self.fields.now, self.fields.zone)
            return exp.false() if bound is None else time_condition(bound, within)
        within = time_range((modifier,), self.fields.now, self.fields.zone)
        bound = self.fields.bound("_time")
        if bound is None:
            return exp.true()
        return time_condition(bound, within)

    def compare(self, name: str, op: str, values: tuple[Value, ...]) -> exp.Expression:
        possible = self.fields.possible(name) if op in ("=", "!=") else None
        if possible is not None and not self._can_match(possible, op, values):
            return exp.false()
        bound = self.fields.bound(name)
        if bound is None:
            if name == "index" and op == "=" and any(v.text == "*" for v in values):
                return exp.true()
            return exp.false()
        if op == "=":
            if possible is not None and all(any(matches(v, p) for v in values) for p in possible):
                return _present(bound)
            return self._equal(name, bound, values)
        (value,) = values
        if op == "!=":
            return self._differ(name, bound, value)
        return self._any_value(bound, lambda v: _ordered(v, op, value))

    def _can_match(self, possible: frozenset[str], op: str, values: tuple[Value, ...]) -> bool:
        """Whether one of the possible values satisfies the comparison."""
        if self.rules.cidr and any(_CIDR.fullmatch(v.text) for v in values):
            return True
        hits = {p for p in possible for v in values if matches(v, p)}
        return bool(hits) if op == "=" else hits != possible

    def _equal(self, name: str, bound: Bound, values: tuple[Value, ...]) -> exp.Expression:
        if any(v.text.strip("*") == "" and v.text for v in values):
            return _present(bound)
        parts: list[exp.Expression] = []
        plain: list[Value] = []
        for v in values:
            if self.rules.cidr and _CIDR.fullmatch(v.text):
                parts.append(self._cidr(name, v))
            if "*" in v.text:
                parts.append(self._any_value(bound, lambda x, v=v: _like(x, v)))  # type: ignore[misc]
            else:
                plain.append(v)
        if plain:
            parts.insert(0, self._any_value(bound, lambda x: _is_one_of(x, plain)))
        return any_holds(parts)

    def _differ(self, name: str, bound: Bound, value: Value) -> exp.Expression:
        if value.text and value.text.strip("*") == "":
            return exp.false()
        if self.rules.cidr and _CIDR.fullmatch(value.text):
            return all_hold([_present(bound), negate(_not_null(self._cidr(name, value)))])
        test = _like if "*" in value.text else lambda v, x: _is_one_of(v, [x])
        return self._any_value(bound, lambda v: negate(test(v, value)))

    def _cidr(self, name: str, value: Value) -> exp.Expression:
        call = Call("cidrmatch", (Literal(value.text), FieldRef(name)))
        return lower_eval(call, self.fields).sql

    def _any_value(
        self, bound: Bound, test: Callable[[_Operand], exp.Expression]
    ) -> exp.Expression:
        if bound.type is not FieldType.MULTIVALUE:
            return test(_Operand(bound.typed(), column(bound.lower) if bound.lower else None))
        return any_value(column(bound.ident), lambda v: test(_Operand(v, None, True)))

    def term(self, value: Value) -> exp.Expression:
        if value.text and value.text.strip("*") == "":
            return exp.true()
        raw = self.fields.bound(self.rules.term_field)
        if raw is None:
            return exp.false()
        operand = _Operand(raw.typed(), column(raw.lower) if raw.lower else None)
        tests: list[exp.Expression] = [
            _like(operand, replace(value, text=f"*{part}*"))
            for part in value.text.split("*")
            if part
        ]
        pattern = _term_pattern(value)
        if pattern is not None:
            call = Call("match", (FieldRef(self.rules.term_field), Literal(pattern)))
            tests.append(lower_eval(call, self.fields).sql)
        return all_hold(tests)


def gather_values(operands: Sequence[SearchExpr]) -> list[SearchExpr]:
    """Alternatives, with those that give a field one value as one list of the field's values."""
    values: dict[str, list[Value]] = {}
    others: list[SearchExpr] = []
    for operand in operands:
        match operand:
            case Compare(name, "=", value):
                values.setdefault(name, []).append(value)
            case InList(name, listed):
                values.setdefault(name, []).extend(listed)
            case _:
                others.append(operand)
    return [*(InList(name, tuple(v)) for name, v in values.items()), *others]


def with_renderings(name: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """The values that a field is compared with; a source of classic rendering has its XML beside.

    >>> [v.text for v in with_renderings("source", (Value("WinEventLog:System"),))]
    ['WinEventLog:System', 'XmlWinEventLog:System']
    """
    if name != "source":
        return values
    out: list[Value] = []
    for value in values:
        out.append(value)
        if value.text.lower().startswith(_CLASSIC):
            out.append(replace(value, text=f"Xml{value.text}"))
    return tuple(out)


@dataclass(frozen=True)
class _Operand:
    """One value to test: itself, and its lower-cased copy where one is stored."""

    value: Typed
    lowered: exp.Expression | None
    in_list: bool = False

    def text(self) -> exp.Expression:
        return as_text(self.value)

    def folded(self) -> exp.Expression:
        if self.lowered is not None:
            return self.lowered.copy()
        return lower_case(self.text())


def _is_one_of(operand: _Operand, values: list[Value]) -> exp.Expression:
    """Text equality with one of several values; values without letters need no folding."""
    if operand.value.type in (FieldType.NUMBER, FieldType.INTEGER, FieldType.TIME):
        return _number_is_one_of(operand, values)
    exact = [v.text for v in values if v.exact_case or _caseless(v.text)]
    folded = [v.text.lower() for v in values if not (v.exact_case or _caseless(v.text))]
    parts = []
    if folded:
        parts.append(_in(operand.folded(), folded, in_list=operand.in_list))
    if exact:
        parts.append(_in(operand.text(), exact, in_list=operand.in_list))
    return any_holds(parts)


def _number_is_one_of(operand: _Operand, values: list[Value]) -> exp.Expression:
    """A number equals the text that it prints as."""
    if len(values) >= MANY:
        return _in(operand.text(), [v.text for v in values], in_list=operand.in_list)
    parts: list[exp.Expression] = []
    for v in values:
        if is_numeric_text(v.text) and number_text(float(v.text)) == v.text:
            same = Typed(operand.value.sql.copy(), operand.value.type)
            parts.append(compare_values("=", same, number_value(float(v.text))))
    return any_holds(parts)


def _in(sql: exp.Expression, texts: list[str], *, in_list: bool) -> exp.Expression:
    unique = list(dict.fromkeys(texts))
    if len(unique) == 1:
        return equal(sql, literal_text(unique[0]))
    # A row of its own has no place inside the lambda that tests the values of a list.
    if in_list:
        return is_one_of(sql, [literal_text(t) for t in unique])
    return is_one_of_texts(sql, unique)


def _caseless(text: str) -> bool:
    return text.lower() == text.upper()


def _like(operand: _Operand, value: Value) -> exp.Expression:
    if value.exact_case or _caseless(value.text):
        return match_wildcards(operand.text(), value.text, fold=False)
    if operand.lowered is not None:
        return match_wildcards(operand.lowered.copy(), value.text.lower(), fold=False)
    return match_wildcards(operand.folded(), value.text, fold=True)


def _ordered(operand: _Operand, op: str, value: Value) -> exp.Expression:
    build = COMPARISONS[op]
    fold = not (value.exact_case or _caseless(value.text))
    text = value.text.lower() if fold else value.text
    if not is_numeric_text(value.text):
        left = operand.folded() if fold else operand.text()
        return build(this=left, expression=literal_text(text))
    number = number_value(float(value.text))
    if operand.value.type in NUMERIC:
        return compare_values(op, operand.value, number)
    numeric = build(this=as_number(operand.value), expression=number.sql)
    if operand.value.type is not FieldType.STRING:
        return numeric
    lexical = build(this=operand.text(), expression=literal_text(text))
    return coalesce(numeric, lexical)


def _present(bound: Bound) -> exp.Expression:
    return has_value(column(bound.ident))


def time_condition(bound: Bound, within: TimeRange) -> exp.Expression:
    """``earliest <= _time < latest`` on a time field, on its SQL timestamp where there is one."""
    if bound.stamp is not None:
        return within_range(column(bound.stamp), within) or exp.true()
    value = as_number(bound.typed())
    parts: list[exp.Expression] = []
    if within.earliest is not None:
        parts.append(at_least(value, literal_number(within.earliest)))
    if within.latest is not None:
        parts.append(less_than(value.copy(), literal_number(within.latest)))
    return all_hold(parts)


# --- terms ------------------------------------------------------------------------------------


def _term_pattern(value: Value) -> str | None:
    """The regular expression of a term's bounds; None if plain containment says it all."""
    text = value.text
    parts = text.split("*")
    edge = r"[^\s\[\]<>(){}|!;,'\"]" if value.exact_term else "[A-Za-z0-9]"
    before = parts[0] and (value.exact_term or parts[0][0].isalnum())
    after = parts[-1] and (value.exact_term or parts[-1][-1].isalnum())
    inner = len([p for p in parts if p]) > 1
    if not before and not after and not inner:
        return None
    gap = ".*" if value.quoted else r"\S*"
    body = gap.join(re.escape(p) for p in parts if p)
    flags = "s" if value.exact_case else "is"
    start = f"(?:^|{_none_of(edge)})" if before else ""
    end = f"(?:$|{_none_of(edge)})" if after else ""
    return f"(?{flags}){start}{body}{end}"


def _none_of(edge: str) -> str:
    return edge.replace("[^", "[", 1) if edge.startswith("[^") else edge.replace("[", "[^", 1)


def matches(value: Value, text: str) -> bool:
    """Whether a text matches a search value: the reference of the SQL forms above.

    >>> matches(Value("Wmi*"), "wmiprvse.exe"), matches(Value("a*b"), "ab ")
    (True, False)
    """
    pattern = ".*".join(re.escape(p) for p in value.text.split("*"))
    flags = re.DOTALL if value.exact_case else re.DOTALL | re.IGNORECASE
    return re.fullmatch(pattern, text, flags) is not None


def _not_null(sql: exp.Expression) -> exp.Expression:
    """The same with false for null, as NOT wants it."""
    if isinstance(sql, exp.Boolean) or (isinstance(sql, exp.Not) and isinstance(sql.this, exp.Is)):
        return sql
    return coalesce(sql, exp.false())
