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

import yaml

from escudo.cim.mapping import DatasetMapping, read_mappings
from escudo.cim.models import Dataset, Models
from escudo.sources import Family
from escudo.sources.families import Families
from escudo.sources.family import find_template_fields
from escudo.spl import Binary, Call, EvalExpr, FieldRef, Literal, parse_eval
from escudo.synthesis.conditions import KEPT, NOTHING, of_role, substitute
from escudo.synthesis.wire import USER_DATA, WRITERS, XML_FAMILIES

TELLING = ("EventID", "event_simpleName", "ActionType")
"""The fields that tell the kinds of a family apart, of which one is among the defaults' keys."""
_FIXED = ("Channel", "Name")
_STORED = frozenset({"_time", "_raw", "_indextime", "host"})


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

    ``fixed`` are the fields that they must have so that they are of this kind.
    """

    family: Family
    dataset: Dataset | None = None
    entry: DatasetMapping | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As a person calls it, for reports."""
        told = [v for n, v in self.fixed.items() if n in TELLING]
        return " ".join([self.family.title, *told])

    def __hash__(self) -> int:
        return hash((self.family.name, tuple(self.fixed.items())))

    def express(self, name: str, role: int) -> EvalExpr:
        """A field of the kind's rows, over the fields of the event (``conditions.of_role``)."""
        return _express(self, name, role)


@lru_cache(maxsize=20_000)
def _parse(text: str) -> EvalExpr:
    return parse_eval(text)


def _express(kind: EventKind, name: str, role: int) -> EvalExpr:
    if kind.entry is None or kind.dataset is None:
        return _raw_field(kind.family, name, role, frozenset())
    if name in _STORED or name in ("index", "source", "sourcetype"):
        return _raw_field(kind.family, name, role, frozenset())
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
    return substitute(_parse(text), lambda inner: _raw_field(kind.family, inner, role, frozenset()))


def _raw_field(family: Family, name: str, role: int, inside: frozenset[str]) -> EvalExpr:
    """A field of raw events; ``inside`` are calculated fields that are being written out."""
    if name in ("source", "sourcetype", "index"):
        return _template(str(getattr(family, name)), role)
    if name == "host":
        return FieldRef(of_role(role, family.host[0]))
    column = family.schema.by_name.get(name)
    if name == USER_DATA and family.name in XML_FAMILIES:
        return FieldRef(of_role(role, name))
    if column is None or column.expr is None or name in inside:
        return FieldRef(of_role(role, name))
    within = inside | {name}
    return substitute(_parse(column.expr), lambda n: _raw_field(family, n, role, within))


def _template(text: str, role: int) -> EvalExpr:
    """What a source calls itself; it may name the channel."""
    names = find_template_fields(text)
    if not names:
        return Literal(text)
    before, _, after = text.partition("{" + names[0] + "}")
    whole: EvalExpr = Binary(".", Literal(before), FieldRef(of_role(role, names[0])))
    return Binary(".", whole, Literal(after)) if after else whole


class Kinds:
    """The kinds of events that the sources can give."""

    def __init__(self, families: Families, models: Models) -> None:
        self.families = families
        self.models = models
        self._entries: dict[str, Sequence[DatasetMapping]] = {
            name: read_mappings(family, models)
            for name, family in families.items()
            if name in WRITERS
        }

    def of_dataset(self, model: str, name: str | None) -> Iterator[EventKind]:
        """The kinds whose events are rows of a dataset's table."""
        dataset = self.models.find(model, name)
        if dataset is None:
            return
        for family_name, entries in self._entries.items():
            family = self.families[family_name]
            for entry in entries:
                if entry.dataset.schema.table == dataset.schema.table:
                    for fixed in self._fixed(family, entry.events):
                        yield EventKind(family, dataset, entry, fixed)

    def of_raw(self) -> Iterator[EventKind]:
        """The kinds of raw events: one a family, whatever tells its events apart."""
        for name in self._entries:
            family = self.families[name]
            yield from (EventKind(family, fixed=fixed) for fixed in self._fixed(family, {}))

    def _fixed(
        self, family: Family, events: Mapping[str, Sequence[str]]
    ) -> Iterator[Mapping[str, str]]:
        recognised = _recognised(family)
        names = list(events)
        for values in product(*(events[n] for n in names)):
            yield {**recognised, **dict(zip(names, values, strict=True))}


def _recognised(family: Family) -> Mapping[str, str]:
    """What tells a family's events from all others: its channel and provider, if it has but one."""
    defaults = default_fields(family.name, None)
    return {
        name: defaults[name]
        for rule in family.rules
        for name, wanted in rule.conditions
        if name in _FIXED and len(wanted) == 1 and name in defaults and "*" not in wanted
    }
