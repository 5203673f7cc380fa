"""Sources and data models -> the kinds of events that can stand for a row, and what their fields
are made of; ``walk`` asks for them.

A kind is a source family, for rows of a data model also the entry of its mapping that makes the
row. Fields of rows are eval expressions over the fields that the event itself has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from itertools import product
from math import prod

import yaml

from escudo.cim.mapping import DatasetMapping, read_mappings
from escudo.cim.models import Dataset, Models
from escudo.core.schema import FieldType
from escudo.sources import Family
from escudo.sources.families import Families
from escudo.sources.family import ANY, find_template_fields
from escudo.spl import Binary, Call, EvalExpr, FieldRef, Literal, parse_eval
from escudo.synthesis.conditions import KEPT, NOTHING, Condition, Holds, of_role, substitute
from escudo.synthesis.demands import Check, Demand, exact
from escudo.synthesis.demands import Kind as DemandKind
from escudo.synthesis.likely import likely_text
from escudo.synthesis.values import wildcard_regex
from escudo.synthesis.wire import USER_DATA, WRITERS, XML_FAMILIES, WireFormat, find_wire

TELLING = ("EventID", "event_simpleName", "ActionType")
"""The fields that tell the kinds of a family apart, of which one is among the defaults' keys."""
_FIXED = ("Channel", "Name")
_STORED = frozenset({"_time", "_raw", "_indextime", "host"})
SOURCETYPE = "sourcetype"
"""The field that holds the source type with which labelled events come in."""
_MOST_FIXED = 8
"""Kinds that one entry of a mapping stands for; beyond, its values are a condition."""


@cache
def _defaults() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    text = files("escudo.synthesis").joinpath("kinds.yml").read_text("utf-8")
    loaded: Mapping[str, Mapping[str, Mapping[str, str]]] = yaml.load(text, yaml.CSafeLoader)
    return loaded


def default_fields(family: str, telling: str | None) -> Mapping[str, str]:
    """What an event of a family has if nothing else is asked for; ``telling`` is its event id."""
    known = _defaults().get(family, {})
    own = known.get(telling or "", known.get("other", {}))
    return {**known.get("all", {}), **own}


@dataclass(frozen=True)
class EventKind:
    """Events of a family; ``entry`` makes them rows of ``dataset``, where that is asked for.

    ``fixed`` are the fields that they must have so that they are of this kind. ``label`` is what
    their source and source type match, where these say whose they are; ``*`` stands for any text.
    """

    family: Family
    wire: WireFormat
    dataset: Dataset | None = None
    entry: DatasetMapping | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)
    label: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As a person calls it, for reports."""
        told = [v for n, v in self.fixed.items() if n in TELLING]
        return " ".join([self.family.title, *told])

    def __hash__(self) -> int:
        return hash((self.family.name, *self.fixed.items(), *self.label.items()))

    def demands(self, role: int) -> Iterator[Demand]:
        """What makes an event one of this kind."""
        for name, text in self.fixed.items():
            yield Demand(of_role(role, name), exact(text))
        if self.wire.labelled:
            wanted = self.label.get(SOURCETYPE)
            check = exact(self.family.sourcetype)
            if wanted is not None:
                check = Check(DemandKind.WILD, wanted)
            yield Demand(of_role(role, SOURCETYPE), check)

    def conditions(self, role: int) -> Iterator[Condition]:
        """What else the events must be that the entry takes."""
        if self.entry is None:
            return

        def raw(name: str) -> EvalExpr:
            return _raw_field(self, name, role, frozenset())

        for name, values in self.entry.events.items():
            if name not in self.fixed:
                yield Holds(Call("in", (raw(name), *map(Literal, values))))
        if self.entry.where is not None:
            yield Holds(substitute(_parse(self.entry.where), raw))

    def has(self, name: str) -> bool:
        """Whether its events are known to have a field."""
        schema = self.dataset if self.dataset is not None else self.family.schema
        return name in schema.by_name

    def default(self, telling: str | None) -> Mapping[str, str]:
        """What an event has if nothing else is asked for; ``telling`` is its event id."""
        known = default_fields(self.family.name, telling)
        return {**_say_whose(self), **known} if self.wire.labelled else known

    def ask_form(self, name: str) -> tuple[Demand, ...]:
        """What the text of a field must be, if it has one, so that it can be written."""
        form = self.wire.forms.get(name)
        return () if form is None else (Demand(name, Check(DemandKind.REGEX, form)),)

    def suggest(self, name: str, telling: str | None) -> str | None:
        """A text for a field that is asked for."""
        known = self.default(telling).get(name, self.wire.defaults.get(name))
        return likely_text(name) if known is None else known

    def express(self, name: str, role: int) -> EvalExpr:
        """A field of the kind's rows, over the fields of the event (``conditions.of_role``)."""
        return _express(self, name, role)


@lru_cache(maxsize=20_000)
def _parse(text: str) -> EvalExpr:
    return parse_eval(text)


def _express(kind: EventKind, name: str, role: int) -> EvalExpr:
    if kind.entry is None or kind.dataset is None:
        return _raw_field(kind, name, role, frozenset())
    if name in _STORED or name in ("index", "source", "sourcetype"):
        return _raw_field(kind, name, role, frozenset())
    known = kind.dataset.by_name.get(name)
    if known is None:
        return NOTHING

    def mapped(field_name: str) -> EvalExpr:
        return _mapped_field(kind, field_name, role)

    value = mapped(name)
    rule = kind.dataset.calculated.get(name)
    if rule is not None:
        whole = substitute(_parse(rule), mapped)
        keeps = rule.startswith(f"case(isnotnull({name})") and value != NOTHING
        value = Call(KEPT, (value, whole)) if keeps else whole
    value = Call("nullif", (value, Literal("")))
    if known.fill is None:
        return value
    fill: EvalExpr = Literal(known.fill)
    if known.fill == "sourcetype":
        fill = Literal(kind.family.sourcetype)
    return Call("coalesce", (value, fill))


def _mapped_field(kind: EventKind, name: str, role: int) -> EvalExpr:
    """A field as the source's mapping gives it, before the data model's own rules."""
    assert kind.entry is not None
    assert kind.dataset is not None
    text = kind.entry.fields.get(name)
    if text is None and name == "tag":
        tags = ",".join(kind.dataset.tags)
        return Call("split", (Literal(tags), Literal(",")))
    if text is None:
        return NOTHING
    return substitute(_parse(text), lambda inner: _raw_field(kind, inner, role, frozenset()))


def _raw_field(kind: EventKind, name: str, role: int, inside: frozenset[str]) -> EvalExpr:
    """A field of raw events; ``inside`` are calculated fields that are being written out."""
    family = kind.family
    if name == SOURCETYPE and kind.wire.labelled:
        return FieldRef(of_role(role, name))
    if name in ("source", "sourcetype", "index"):
        return _template(kind.label.get(name, str(getattr(family, name))), role)
    if name == "host" and family.host:
        return FieldRef(of_role(role, family.host[0]))
    column = family.schema.by_name.get(name)
    if name == USER_DATA and family.name in XML_FAMILIES:
        return FieldRef(of_role(role, name))
    if column is None or column.expr is None or name in inside:
        if name not in _STORED and not kind.wire.holds(name):
            return NOTHING
        read = FieldRef(of_role(role, name))
        several = "{}" in name or (column is not None and column.type is FieldType.MULTIVALUE)
        return Call("items", (read,)) if several else read
    within = inside | {name}
    return substitute(_parse(column.expr), lambda n: _raw_field(kind, n, role, within))


def _template(text: str, role: int) -> EvalExpr:
    """What a source calls itself; it may name the channel."""
    names = find_template_fields(text)
    if not names:
        return Literal(text)
    before, _, after = text.partition("{" + names[0] + "}")
    whole: EvalExpr = Binary(".", Literal(before), FieldRef(of_role(role, names[0])))
    return Binary(".", whole, Literal(after)) if after else whole


class Kinds:
    """The kinds of events that the sources can give: first those with a writer of their own, last
    those of no source in particular."""

    def __init__(self, families: Families, models: Models) -> None:
        self.models = models
        self._families: list[tuple[Family, WireFormat, Sequence[DatasetMapping]]] = [
            (family, wire, read_mappings(family, models))
            for family in sorted(families.values(), key=_rank)
            if (wire := find_wire(family)) is not None
        ]

    def of_dataset(self, model: str, name: str | None) -> Iterator[EventKind]:
        """The kinds whose events are rows of a dataset's table."""
        dataset = self.models.find(model, name)
        if dataset is None:
            return
        for family, wire, entries in self._families:
            label = next(_list_labels(family, wire))
            for entry in entries:
                if entry.dataset.schema.table == dataset.schema.table:
                    for fixed in _fix(family, entry.events):
                        yield EventKind(family, wire, dataset, entry, fixed, label)

    def of_raw(self) -> Iterator[EventKind]:
        """The kinds of raw events: one a family, or one for each way in which its events may be
        labelled."""
        for family, wire, _ in self._families:
            for label in _list_labels(family, wire):
                yield from (
                    EventKind(family, wire, fixed=fixed, label=label) for fixed in _fix(family, {})
                )


def _rank(family: Family) -> int:
    if family.name in _OF_NO_SOURCE:
        return 3
    return 0 if family.name in WRITERS else 1 if family.text is None else 2


_OF_NO_SOURCE = frozenset({"json_generic", "text_generic"})


def _list_labels(family: Family, wire: WireFormat) -> Iterator[Mapping[str, str]]:
    """What the sources and source types are of events that are a family's, its own first."""
    if not wire.labelled:
        yield {}
        return
    found = [
        dict(zip((name for name, _ in rule.conditions), values, strict=True))
        for rule in family.labels
        for values in product(*(sorted(texts) for _, texts in rule.conditions))
    ]
    own = family.sourcetype.lower()
    yield from sorted(found, key=lambda label: label.get(SOURCETYPE) != own)


def _fix(family: Family, events: Mapping[str, Sequence[str]]) -> Iterator[Mapping[str, str]]:
    """The fields that events must have, for each choice of what a mapping lets them have."""
    recognised = _recognised(family)
    stored = {c.name for c in family.schema.columns if c.expr is None}
    names = [n for n in events if n in stored or n not in family.schema.by_name]
    if prod(len(events[n]) for n in names) > _MOST_FIXED and family.name not in WRITERS:
        names = []
    for values in product(*(events[n] for n in names)):
        yield {**recognised, **dict(zip(names, values, strict=True))}


def _say_whose(kind: EventKind) -> Mapping[str, str]:
    """The fields by which labelled events would be known without their labels, and a source type
    that fits these: the family's own where it does."""
    own = kind.family.sourcetype
    wanted = kind.label.get(SOURCETYPE, own)
    fits = wildcard_regex(wanted).fullmatch(own) is not None
    # A pattern is no source type itself.
    out = {SOURCETYPE: own if fits or "*" in wanted else wanted}
    for name, texts in kind.family.rules[0].conditions if kind.family.rules else ():
        if ANY in texts and name not in kind.family.time:
            out[name] = likely_text(name) or "sample"
    return out


def _recognised(family: Family) -> Mapping[str, str]:
    """What tells a family's events from all others: its channel and provider, if it has but one."""
    defaults = default_fields(family.name, None)
    return {
        name: defaults[name]
        for rule in family.rules
        for name, wanted in rule.conditions
        if name in _FIXED and len(wanted) == 1 and name in defaults and "*" not in wanted
    }
