"""Events of a table with the search-time fields that content says; the front door gives it to the
binder.

The order is Splunk's (Knowledge Manager Manual, the sequence of search-time operations): EXTRACT,
REPORT, the fields that the table has (they stand for the automatic extraction), aliases, calculated
fields, lookups, event types, tags. A field is computed when it is asked for; what nobody asks for
costs nothing.

- An extraction gives no value to a field that an earlier one has filled, nor to ``host``,
  ``source`` and the like; MV_ADD adds one (transforms.conf).
- Calculated fields see the fields as the aliases left them, not each other (props.conf).
- Of settings with one key, that of the strongest stanza counts: source, host, source type.
- Source types ``XmlWinEventLog:X``, as the Sysmon add-on had them before version 11, also name the
  source; so do those of classic rendering.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo

from sqlglot import exp

from escudo.core.errors import EscudoError, Span
from escudo.core.field_rules import (
    Alias,
    AutomaticLookup,
    Calculated,
    Capture,
    Columns,
    EventsOf,
    FieldRule,
    FieldRules,
    Kind,
    Pairs,
)
from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder
from escudo.spl.lowering.lower_eval import lower_eval
from escudo.spl.lowering.lower_search import lower_search
from escudo.spl.macros import expand
from escudo.spl.operators.extraction import match_pattern
from escudo.spl.operators.lookup_tables import find_lookup, take_lookup
from escudo.spl.operators.null_filling import fill_from
from escudo.spl.operators.row_matching import add_lookup_fields
from escudo.spl.operators.rule_captures import (
    capture_field,
    find_pairs,
    pair_value,
    take_column,
    takes_names,
)
from escudo.spl.relation.bases import Base
from escudo.spl.relation.coercion import as_list, as_text, common_type, convert_to
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.scans import Needs, Scan
from escudo.spl.relation.sql import (
    all_hold,
    any_holds,
    case_when,
    coalesce,
    column,
    equal,
    is_false,
    is_one_of,
    is_true,
    list_of,
    literal_text,
    lower_case,
    negate,
    prelude_call,
)
from escudo.spl.relation.values import Bound, Typed, null_value
from escudo.spl.syntax.ast import Compare, SearchExpr, SubsearchTerm, Value
from escudo.spl.syntax.parse_eval import parse_eval
from escudo.spl.syntax.parse_search import parse_search

_INDEXED = frozenset({"host", "source", "sourcetype", "index", "linecount", "splunk_server"})
"""Fields that an event has from the start: an extraction does not replace them."""
_OWN = frozenset({"source_file", "_event_id", "_time", "_raw", "_indextime"})
"""What proves a row, and what an event is: no rule changes it."""
_FIELD_OF = {Kind.SOURCETYPE: "sourcetype", Kind.HOST: "host", Kind.SOURCE: "source"}
_CHANNEL = re.compile(r"(?:Xml)?(WinEventLog:.+)", re.IGNORECASE)
_SEARCH = re.compile(r"\s*search\s+", re.IGNORECASE)
EVENTTYPE, TAG = "eventtype", "tag"


def add_ruled_fields(relation: Relation, binder: Binder) -> Relation:
    """The events of one table, with the search-time fields of the binder's knowledge."""
    rules = binder.knowledge.field_rules()
    if not rules:
        return relation
    base = RuledBase(relation, rules, binder)
    if not base.applies:
        return relation
    return replace(Relation(base), order=relation.order, evidence=relation.evidence)


@dataclass(eq=False)
class RuledBase(Base):
    """The events of ``native`` with the fields of ``rules`` over them."""

    native: Relation
    rules: FieldRules
    binder: Binder
    _inner: Relation = field(init=False)
    _applied: tuple[FieldRule, ...] = field(init=False)
    _matches: dict[EventsOf, exp.Expression] = field(default_factory=dict)
    _known: dict[tuple[str, str, int], Bound | None] = field(default_factory=dict)
    _maps: dict[FieldRule, str] = field(default_factory=dict)
    _outputs: dict[FieldRule, Mapping[str, Bound]] = field(default_factory=dict)
    _pending: set[str] = field(default_factory=set)
    _rest: str | None = None

    def __post_init__(self) -> None:
        self._inner = self.native
        ordered = self.rules.ordered
        self._applied = tuple(r for r in ordered if not is_false(self._match(r.events)))
        self._extractions = [
            r for r in self._applied if isinstance(r.what, Capture | Columns | Pairs)
        ]
        self._mapped = [r for r in self._extractions if takes_names(r)]
        self._made = {n for r in self._applied for n in self._names_of(r)}
        if self._mapped:
            self._rest = self._hold("_fields", Typed(self._all_maps(), FieldType.STRING)).ident

    @property
    def applies(self) -> bool:
        """Whether anything is said of events that this table can hold."""
        return bool(self._applied or self.rules.eventtypes or self.rules.tags)

    @property
    def row_wise(self) -> bool:
        return self._inner.row_wise

    @property
    def rest(self) -> str | None:
        return self._rest or self.native.rest

    def names(self) -> Iterator[str]:
        made = sorted(n for n in self._made if not n.startswith("_"))
        tagged = {f"{TAG}::{f}" for f, _ in self.rules.tags}
        more = [EVENTTYPE] if self.rules.eventtypes else []
        more += [TAG, *sorted(tagged)] if self.rules.tags else []
        return iter(dict.fromkeys((*self.native.names(), *made, *more)))

    def possible(self, name: str) -> frozenset[str] | None:
        return None if self._touches(name) else self.native.base.possible(name)

    def definition(self, ident: str) -> exp.Expression | None:
        return self._inner.definition(ident)

    def scans(self) -> Iterator[Scan]:
        return self._inner.scans()

    def needs(self) -> Needs:
        return self._inner.needs()

    def render(self) -> exp.Select:
        return self._inner.render()

    def demand(self, name: str) -> Bound | None:
        if name == EVENTTYPE and self.rules.eventtypes:
            return self._once("eventtype", name, 0, self._eventtypes)
        if (name == TAG or name.startswith(f"{TAG}::")) and self.rules.tags:
            return self._once("tag", name, 0, lambda: self._tags(name))
        return self.looked_up(name) if self._touches(name) else self.native.bound(name)

    def _touches(self, name: str) -> bool:
        if name in _OWN:
            return False
        if name in self._made or (name == EVENTTYPE and self.rules.eventtypes):
            return True
        if self.rules.tags and (name == TAG or name.startswith(f"{TAG}::")):
            return True
        return bool(self._mapped) and not name.startswith("_") and name not in _INDEXED

    # columns

    def _once(
        self, stage: str, name: str, at: int, make: Callable[[], Typed | None]
    ) -> Bound | None:
        key = (stage, name, at)
        if key not in self._known:
            value = make()
            self._known[key] = None if value is None else self._hold(name, value)
        return self._known[key]

    def _hold(self, name: str, value: Typed) -> Bound:
        if isinstance(value.sql, exp.Column) and not value.sql.args.get("table"):
            return Bound(value.sql.name, value.type)
        ident = self.binder.names.fresh(name)
        self._inner = self._inner.hide([(ident, value.sql)])
        return Bound(ident, value.type)

    # which events

    def _match(self, events: EventsOf) -> exp.Expression:
        """Whether an event is one of a stanza's; constant where all or none of the table are."""
        if events not in self._matches:
            self._matches[events] = self._test(events)
        return self._matches[events].copy()

    def _test(self, events: EventsOf) -> exp.Expression:
        if events.kind is Kind.ANY:
            return exp.true()
        tests = [self._test_field(_FIELD_OF[events.kind], events)]
        channel = _CHANNEL.fullmatch(events.name)
        if channel is not None and events.pattern is None and events.kind is not Kind.HOST:
            name = channel[1]
            for shown in (name, f"Xml{name}"):
                tests.append(self._test_field("source", EventsOf(Kind.SOURCE, shown)))
        return any_holds(tests)

    def _test_field(self, name: str, events: EventsOf) -> exp.Expression:
        fold = events.kind is Kind.HOST
        pattern = None if events.pattern is None else rf"^(?:{events.pattern})$"
        possible = self.native.base.possible(name)
        if possible is not None:
            held = [p for p in possible if _is_of(p, events, pattern)]
            if not held:
                return exp.false()
            if len(held) == len(possible):
                return exp.true()
            pattern = None
            bound = self.native.bound(name)
            options = [literal_text(h) for h in sorted(held)]
            return exp.false() if bound is None else _sure(is_one_of(column(bound.ident), options))
        bound = self.native.bound(name)
        if bound is None:
            return exp.false()
        if pattern is not None:
            return _sure(match_pattern(bound.typed(), f"(?i){pattern}" if fold else pattern, None))
        text = as_text(bound.typed())
        if fold:
            return _sure(equal(lower_case(text), literal_text(events.name.lower())))
        return _sure(equal(text, literal_text(events.name)))

    def _holds(self, rule: FieldRule) -> exp.Expression:
        """Whether a rule counts for an event: no stronger stanza says otherwise under its key."""
        others = [r.events for r in self._applied if r.key == rule.key and _outranks(r, rule)]
        stronger = dict.fromkeys(others)
        return all_hold([self._match(rule.events), *(negate(self._match(e)) for e in stronger)])

    def _when(self, rule: FieldRule, value: Typed, otherwise: Typed | None) -> Typed:
        """The value where the rule counts, else another one."""
        condition = self._holds(rule)
        if is_true(condition):
            return value
        other = otherwise or null_value(value.type)
        kind = common_type((value, other))
        sql = case_when((condition, convert_to(value, kind)), otherwise=convert_to(other, kind))
        return Typed(sql, kind)

    # stages

    def _names_of(self, rule: FieldRule) -> tuple[str, ...]:
        match rule.what:
            case Capture(fields=fields):
                return tuple(name for name, _ in fields)
            case Columns(fields=names):
                return names
            case Alias(alias=name) | Calculated(field=name):
                return (name,)
            case AutomaticLookup(outputs=outputs) as lookup:
                return tuple(o for _, o in outputs) if outputs else self._table_fields(lookup)
        return ()

    def _table_fields(self, lookup: AutomaticLookup) -> tuple[str, ...]:
        try:
            definition = find_lookup(lookup.table, self.binder, None)
            names = take_lookup(definition, self.binder, None).column_names
        except EscudoError:
            return ()
        inputs = dict(lookup.inputs)
        return tuple(n for n in names if n not in inputs)

    def extracted(self, name: str, upto: int | None = None) -> Bound | None:
        """A field after the first so many extractions (None: all)."""
        at = len(self._extractions) if upto is None else upto
        return self._once("extracted", name, at, lambda: self._extract(name, at))

    def _extract(self, name: str, upto: int) -> Typed | None:
        native = self.native.field(name)
        if name.startswith("_"):
            return native
        value = native if name in _INDEXED else None
        for at, rule in enumerate(self._extractions[:upto]):
            found = self._find_in(rule, at, name)
            if found is None:
                continue
            found = self._when(rule, found, None)
            if value is None:
                value = found
            elif getattr(rule.what, "several", False):
                both = prelude_call("spl_append", as_list(value), as_list(found))
                value = Typed(both, FieldType.MULTIVALUE)
            else:
                value = fill_from(value, found)
        if value is None or native is None or name in _INDEXED:
            return value or native
        return fill_from(value, native)

    def _find_in(self, rule: FieldRule, at: int, name: str) -> Typed | None:
        """What an extraction gives a field; None if it never does."""
        what = rule.what
        assert isinstance(what, Capture | Columns | Pairs)
        if name not in self._names_of(rule):
            if not takes_names(rule):
                return None
            return pair_value(self._map(rule, at), name, several=getattr(what, "several", False))
        bound = self.extracted(what.source, at)
        if bound is None:
            return None
        text = as_text(bound.typed())
        if isinstance(what, Columns):
            return take_column(text, what, what.fields.index(name))
        assert isinstance(what, Capture)
        values = [capture_field(text, what, group) for n, group in what.fields if n == name]
        out = values[0]
        for other in values[1:]:
            out = fill_from(out, other)
        return out

    def _map(self, rule: FieldRule, at: int) -> str:
        """The column with the fields whose names an event says."""
        if rule not in self._maps:
            what = rule.what
            assert isinstance(what, Capture | Columns | Pairs)
            bound = self.extracted(what.source, at)
            text = as_text(bound.typed() if bound else null_value())
            found = case_when((self._holds(rule), find_pairs(text, what)))
            self._maps[rule] = self._hold("found", Typed(found, FieldType.STRING)).ident
        return self._maps[rule]

    def _all_maps(self) -> exp.Expression:
        """The rest map with the fields that events name; an earlier extraction counts."""
        out: exp.Expression | None = column(self.native.rest) if self.native.rest else None
        for rule in reversed(self._mapped):
            found = column(self._map(rule, self._extractions.index(rule)))
            out = found if out is None else prelude_call("spl_map_concat", out, found)
        assert out is not None
        return out

    def aliased(self, name: str) -> Bound | None:
        """A field after the aliases; they see the fields as extracted, not each other."""
        return self._once("aliased", name, 0, lambda: self._alias(name))

    def _alias(self, name: str) -> Typed | None:
        value = _typed(self.extracted(name))
        for rule in self._applied:
            if isinstance(rule.what, Alias) and rule.what.alias == name:
                old = _typed(self.extracted(rule.what.field)) or null_value()
                new = fill_from(value, old) if rule.what.keeps and value is not None else old
                value = self._when(rule, new, value)
        return value

    def calculated(self, name: str) -> Bound | None:
        """A field after the calculated ones."""
        return self._once("calculated", name, 0, lambda: self._calculate(name))

    def _calculate(self, name: str) -> Typed | None:
        value = _typed(self.aliased(name))
        for rule in self._applied:
            if isinstance(rule.what, Calculated) and rule.what.field == name:
                expression = parse_eval(rule.what.expression)
                value = self._when(rule, lower_eval(expression, _Aliased(self)), value)
        return value

    def looked_up(self, name: str) -> Bound | None:
        """A field after the automatic lookups."""
        return self._once("looked_up", name, 0, lambda: self._look_up(name))

    def _look_up(self, name: str) -> Typed | None:
        value = _typed(self.calculated(name))
        for rule in self._applied:
            if isinstance(rule.what, AutomaticLookup) and name in self._names_of(rule):
                bound = self._lookup_outputs(rule, rule.what).get(name)
                if bound is not None:
                    found = bound.typed()
                    new = fill_from(value, found) if rule.what.new and value else found
                    value = self._when(rule, new, value)
        return value

    def _lookup_outputs(self, rule: FieldRule, lookup: AutomaticLookup) -> Mapping[str, Bound]:
        if rule not in self._outputs:
            try:
                self._outputs[rule] = self._join_lookup(rule, lookup)
            except EscudoError as error:
                shown = f"{rule.key[0]} has no effect: {error.diagnostic.message}"
                self.binder.warn("SPL342", shown, None)
                self._outputs[rule] = {}
        return self._outputs[rule]

    def _join_lookup(self, rule: FieldRule, lookup: AutomaticLookup) -> Mapping[str, Bound]:
        binder = self.binder
        definition = find_lookup(lookup.table, binder, None)
        uses = [n for n, _ in (*lookup.inputs, *lookup.outputs)]
        table = take_lookup(definition, binder, None, uses=uses)
        for name in uses:
            if name not in table.column_names:
                raise EscudoError("SPL315", f"lookup '{lookup.table}' has no field '{name}'")
        inputs, relation = [], self._inner
        for inner, outer in lookup.inputs:
            value = _typed(self.calculated(outer)) or null_value()
            key = self._hold(outer, self._when(rule, value, None))
            inputs.append((inner, f"{rule.key[0]}:{inner}"))
            relation = self._inner.with_fields({**relation.fields, inputs[-1][1]: key})
        taken = dict(lookup.inputs)
        outputs = lookup.outputs or tuple((n, n) for n in table.column_names if n not in taken)
        hidden = tuple((inner, f"{rule.key[0]}>{outer}") for inner, outer in outputs)
        joined = add_lookup_fields(
            relation, definition, table, inputs=inputs, outputs=hidden, new=False, binder=binder
        )
        self._inner = joined.with_fields(self.native.fields)
        found = {}
        for (_, outer), (_, name) in zip(outputs, hidden, strict=True):
            bound = joined.fields.get(name)
            if bound is not None:
                found[outer] = bound
        return found

    # event types and tags

    def _eventtypes(self) -> Typed:
        named = [
            case_when((self._is_of_type(name), literal_text(name)))
            for name in self.rules.eventtypes
        ]
        return self._with_native(EVENTTYPE, named)

    def _is_of_type(self, name: str) -> exp.Expression:
        key = ("is of type", name, 0)
        if key not in self._known:
            condition: exp.Expression = exp.false()
            if name not in self._pending:
                self._pending.add(name)
                condition = self._search(self.rules.eventtypes[name], name)
                self._pending.discard(name)
            self._known[key] = self._hold(name, Typed(_sure(condition), FieldType.BOOLEAN))
        bound = self._known[key]
        return exp.false() if bound is None else column(bound.ident)

    def _search(self, text: str, name: str) -> exp.Expression:
        try:
            expanded = expand(_SEARCH.sub("", text), self.binder.knowledge).text
            return lower_search(parse_search(expanded), _Final(self))
        except EscudoError as error:
            shown = f"event type '{name}' has no effect: {error.diagnostic.message}"
            self.binder.warn("SPL343", shown, None)
            return exp.false()

    def _tags(self, name: str) -> Typed:
        """All tags of an event, or those of one field."""
        wanted = None if name == TAG else name.removeprefix(f"{TAG}::")
        named = []
        for (field_name, value), tags in self.rules.tags.items():
            if wanted is not None and field_name != wanted:
                continue
            test: exp.Expression
            if field_name == EVENTTYPE and value in self.rules.eventtypes:
                test = self._is_of_type(value)
            else:
                test = lower_search(
                    Compare(field_name, "=", Value(value, quoted=True)), _Final(self)
                )
            named += [case_when((test.copy(), literal_text(tag))) for tag in tags]
        return self._with_native(name, named)

    def _with_native(self, name: str, named: list[exp.Expression]) -> Typed:
        values = prelude_call("spl_values", list_of(named)) if named else null_value().sql
        native = _typed(self.looked_up(name))
        if not named:
            return native or null_value(FieldType.MULTIVALUE)
        if native is not None:
            values = prelude_call("spl_append", as_list(native), values)
        return Typed(prelude_call("spl_mvdedup", values), FieldType.MULTIVALUE)


class _Stage:
    """The fields of ruled events at one stage, for expressions."""

    def __init__(self, base: RuledBase) -> None:
        self.base = base

    @property
    def now(self) -> float:
        return self.base.binder.now

    @property
    def zone(self) -> tzinfo:
        return self.base.binder.zone

    def bound(self, name: str) -> Bound | None:
        raise NotImplementedError

    def field(self, name: str) -> Typed | None:
        return _typed(self.bound(name))

    def possible(self, name: str) -> frozenset[str] | None:
        return self.base.possible(name)

    def subsearch(self, term: SubsearchTerm) -> SearchExpr | None:
        raise EscudoError("SPL343", "a subsearch cannot stand here", span=term.span)

    def search(self, text: str, span: Span | None) -> Typed:
        return Typed(lower_search(parse_search(text), self), FieldType.BOOLEAN)

    def warn(self, code: str, message: str, span: Span | None) -> None:
        """What it warns of is no news to the author of a search."""


class _Aliased(_Stage):
    def bound(self, name: str) -> Bound | None:
        return self.base.aliased(name)


class _Final(_Stage):
    def bound(self, name: str) -> Bound | None:
        return self.base.demand(name)


def _typed(bound: Bound | None) -> Typed | None:
    return None if bound is None else bound.typed()


def _sure(condition: exp.Expression) -> exp.Expression:
    """A condition that is false where it was null."""
    return condition if isinstance(condition, exp.Boolean) else coalesce(condition, exp.false())


def _is_of(value: str, events: EventsOf, pattern: str | None) -> bool:
    flags = re.IGNORECASE if events.kind is Kind.HOST else re.NOFLAG
    wanted = re.escape(events.name) if pattern is None else pattern
    return re.fullmatch(wanted, value, flags) is not None


def _outranks(rule: FieldRule, other: FieldRule) -> bool:
    if rule.events.rank != other.events.rank:
        return rule.events.rank > other.events.rank
    return rule.events.name < other.events.name
