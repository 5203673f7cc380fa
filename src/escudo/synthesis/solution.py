"""The fields of one event a role: what the solver finds, as events, demands and values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from escudo.synthesis.asked import Collected
from escudo.synthesis.conditions import is_of_table, split_role
from escudo.synthesis.demands import NULL, Demand, exact
from escudo.synthesis.evaluate import Scope, evaluate
from escudo.synthesis.functions import UnknownValueError
from escudo.synthesis.kinds import SOURCETYPE, EventKind
from escudo.synthesis.trials import Event, TableRow
from escudo.synthesis.values import Value, text_of
from escudo.synthesis.wire import USER_DATA, make_xml

AT = 60.0
"""Seconds into its window at which a trial's event is."""

Fields = Mapping[str, str]


@dataclass(frozen=True)
class Solution:
    """The fields of one event a role."""

    kinds: Mapping[int, EventKind]
    fields: Mapping[int, Fields]
    collected: Sequence[Collected] = ()


def pin(solution: Solution, names: Set[str]) -> list[Demand]:
    """Demands for the same texts that a solution has in some fields."""
    out: list[Demand] = []
    for name in sorted(names):
        role, plain = split_role(name)
        text = solution.fields[role].get(plain)
        out.append(Demand(name, NULL if text is None else exact(text)))
    return out


def exclude(solutions: Sequence[Solution], names: Set[str]) -> list[Demand]:
    """Demands for other texts than those that solutions have in some fields."""
    out: list[Demand] = []
    for name in sorted(names):
        role, plain = split_role(name)
        texts = {s.fields[role].get(plain) for s in solutions}
        if texts != {None}:
            out.append(Demand(name, NULL, wanted=False))
        out += [Demand(name, exact(t), wanted=False) for t in sorted(filter(None, texts))]
    return out


def make_events(solution: Solution, later: float = 0.0) -> tuple[Event, ...]:
    """An event of each role, so many seconds later than usual; the first has what collections need
    to have."""
    first, *others = (
        make_event(solution.kinds[role], fields, AT + later)
        for role, fields in solution.fields.items()
    )
    return replace(first, rows=tuple(_find_rows(solution))), *others


def _find_rows(solution: Solution) -> Iterator[TableRow]:
    scope = Scope(make_reader(solution), AT)
    for collected in solution.collected:
        try:
            keys = [(name, text_of(evaluate(value, scope))) for name, value in collected.keys]
            outputs = [(name, text_of(evaluate(v, scope))) for name, v in collected.outputs]
        except UnknownValueError:
            continue
        if any(text is not None for _, text in outputs):
            row = ((name, text) for name, text in (*keys, *outputs) if text is not None)
            yield collected.table, tuple(row)


def make_event(kind: EventKind, fields: Fields, offset: float = AT) -> Event:
    """An event of a kind, called as its source calls it."""
    family = kind.family
    source = kind.label.get("source", family.source)
    source = re.sub(r"\{([^{}]+)\}", lambda m: fields.get(m[1], ""), source)
    sourcetype = family.sourcetype
    if kind.wire.labelled:
        sourcetype = fields.get(SOURCETYPE, sourcetype)
    own = {n: text for n, text in fields.items() if n != SOURCETYPE and not is_of_table(n)}
    host = None if family.host else fields.get("host")
    return Event(family.name, kind.wire, own, offset, source, sourcetype, host)


def make_reader(solution: Solution) -> Callable[[str], Value]:
    """What gives the value of a field (``conditions.of_role``) of the events."""
    events = {
        role: make_event(solution.kinds[role], fields) for role, fields in solution.fields.items()
    }

    def read(name: str) -> Value:
        role, plain = split_role(name)
        if plain == "_raw":
            return events[role].write(0.0)
        if plain == "_time":
            return AT
        text = solution.fields[role].get(plain)
        if text and plain == USER_DATA:
            return make_xml(text)
        return None if text == "" else text

    return read
