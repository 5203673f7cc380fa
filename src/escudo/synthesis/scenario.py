"""A detection -> events that it must find, and near-misses; ``actions.synthesise`` runs them.

For each kind of events that can feed the search: what it asks is solved, the events are made of the
solution, and each condition is evaluated on them. A near-miss is solved anew with one condition
turned into its opposite; it is kept only if that condition is false of its events. All conditions
must hold for a row, so none can come of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, product

from escudo.content import Detection
from escudo.core.catalog import Knowledge
from escudo.core.errors import EscudoError
from escudo.spl import Pipeline
from escudo.spl.parse import parse_expanded
from escudo.synthesis.conditions import Condition, of_role, split_role
from escudo.synthesis.demands import Check, Demand, Kind
from escudo.synthesis.evaluate import Scope
from escudo.synthesis.functions import UnknownValueError
from escudo.synthesis.judge import holds, mentions_open
from escudo.synthesis.kinds import TELLING, EventKind, Kinds, default_fields
from escudo.synthesis.lookups import Lookups
from escudo.synthesis.solve import Demands, Solver, World
from escudo.synthesis.texts import make_text
from escudo.synthesis.trials import Event, Synthesis, Trial
from escudo.synthesis.values import Value
from escudo.synthesis.walk import Asked, Choose, Stream, Walk, follow

_MOST_KINDS = 40
"""Choices of kinds that are tried for a detection."""
_MOST_SOLUTIONS = 60
"""Solutions of the solver that are evaluated for a choice of kinds."""
_AT = 60.0
"""Seconds into its window at which a trial's event is."""
_CARRIERS = {
    "sysmon": "CommandLine",
    "sysmon_linux": "CommandLine",
    "windows_powershell": "ScriptBlockText",
    "crowdstrike_fdr": "CommandLine",
    "crowdstrike_streams": "event.DetectDescription",
}
"""The field of a family that text goes to which may be anywhere in an event."""

Fields = Mapping[str, str]


@dataclass(frozen=True)
class Solution:
    """The fields of one event a role."""

    kinds: Mapping[int, EventKind]
    fields: Mapping[int, Fields]


class Synthesiser:
    """Makes events for detections of some content, for the sources that can be written."""

    def __init__(self, knowledge: Knowledge, kinds: Kinds) -> None:
        self.knowledge = knowledge
        self.kinds = kinds
        self.lookups = Lookups(knowledge)

    def synthesise(self, detection: Detection) -> Synthesis:
        """Events for a detection; the reason where none could be made."""
        try:
            pipeline = self.parse(detection.search)
        except EscudoError as error:
            return Synthesis(detection.name, reason=str(error.diagnostic.message))
        return _Search(self, detection, pipeline).run()

    def parse(self, text: str) -> Pipeline:
        return parse_expanded(text, self.knowledge)


class _Search:
    def __init__(self, synthesiser: Synthesiser, detection: Detection, pipeline: Pipeline) -> None:
        self.parent = synthesiser
        self.detection = detection
        self.pipeline = pipeline
        self.reasons: dict[str, None] = {}

    def run(self) -> Synthesis:
        for walk in self._walks():
            solution = next(self._solve(walk, None, {}), None)
            if solution is None:
                names = " and ".join(k.name for k in walk.kinds.values())
                self.reasons[f"no event of {names} meets all conditions"] = None
                continue
            positive = Trial(_events(solution), fires=True)
            misses = tuple(self._near_misses(walk, solution))
            source = " and ".join(k.name for k in walk.kinds.values())
            return Synthesis(
                self.detection.name, (positive,), misses, source, notes=tuple(walk.unknown)
            )
        reason = next(iter(self.reasons), "no source gives events for it")
        return Synthesis(self.detection.name, reason=reason)

    # --- kinds ------------------------------------------------------------------------------------

    def _walks(self) -> Iterator[Walk]:
        """The search followed for each choice of the kinds of its streams."""
        options: list[Sequence[EventKind]] = []

        def choose(stream: Stream) -> EventKind:
            if stream.role == len(options):
                options.append(self._options(stream))
            return options[stream.role][0]

        try:
            first = self._follow(choose)
        except UnknownValueError as error:
            self.reasons[str(error)] = None
            return
        yield first
        for chosen in islice(product(*options), 1, _MOST_KINDS):
            yield self._follow(partial(_take, chosen))

    def _follow(self, choose: Choose) -> Walk:
        return follow(self.pipeline, choose, self.parent.parse)

    def _options(self, stream: Stream) -> Sequence[EventKind]:
        kinds = self.parent.kinds
        if stream.model is None:
            found = list(kinds.of_raw())
        else:
            found = list(kinds.of_dataset(stream.model, stream.dataset))
        if not found:
            named = f"{stream.model}.{stream.dataset}" if stream.dataset else f"{stream.model}"
            raise UnknownValueError(f"no source that can be written fills {named}")
        named_sources = " ".join(self.detection.data_source).lower()
        return sorted(found, key=lambda k: -_likeness(k, named_sources))

    # --- solving ----------------------------------------------------------------------------------

    def _solve(
        self, walk: Walk, broken: Condition | None, prefer: Mapping[int, Fields]
    ) -> Iterator[Solution]:
        """Events that meet all conditions, but for one that is broken."""
        wanted = [(c, c is not broken) for c in walk.conditions]
        if broken is not None:
            wanted.sort(key=lambda pair: pair[1])
        given = [
            Demand(of_role(role, name), Check(Kind.WILD, text, case=True))
            for role, kind in walk.kinds.items()
            for name, text in kind.fixed.items()
        ]
        solver = Solver(self._world(walk, prefer))
        for demands in islice(solver.solve(wanted, given), _MOST_SOLUTIONS):
            solution = Solution(walk.kinds, _fields(walk, demands, prefer))
            if self._is_right(walk, solution, broken):
                yield solution

    def _world(self, walk: Walk, prefer: Mapping[int, Fields]) -> World:
        def default(name: str) -> str | None:
            role, plain = split_role(name)
            kind = walk.kinds[role]
            told = next((v for n, v in kind.fixed.items() if n in TELLING), None)
            return default_fields(kind.family.name, told).get(plain)

        def preferred(name: str) -> str | None:
            role, plain = split_role(name)
            return prefer.get(role, {}).get(plain)

        def carrier(name: str) -> str:
            role, plain = split_role(name)
            if plain != "_raw":
                return name
            return of_role(role, _CARRIERS.get(walk.kinds[role].family.name, "Message"))

        return World(default, preferred, carrier, self.parent.lookups.ways)

    def _is_right(self, walk: Walk, solution: Solution, broken: Condition | None) -> bool:
        """Whether all conditions hold of the events, but for the broken one, which must not."""
        scope = Scope(_reader(solution), _AT, self.parent.lookups.evaluate)
        for condition in walk.conditions:
            try:
                held = holds(condition, scope)
            except UnknownValueError:
                if condition is broken:
                    return False
                continue
            if held == (condition is broken):
                return False
        return True

    # --- near-misses ------------------------------------------------------------------------------

    def _near_misses(self, walk: Walk, solution: Solution) -> Iterator[Trial]:
        if _makes_rows_otherwise(self.pipeline):
            return
        seen = [_events(solution)]
        for asked in walk.asked:
            if asked.optional or mentions_open(asked.condition):
                continue
            missed = next(self._solve(walk, asked.condition, solution.fields), None)
            if missed is None:
                continue
            events = _events(missed)
            if events not in seen:
                seen.append(events)
                yield Trial(events, fires=False, about=_describe(asked))


def _take(chosen: Sequence[EventKind], stream: Stream) -> EventKind:
    return chosen[stream.role]


def _describe(asked: Asked) -> str:
    return asked.text


def _likeness(kind: EventKind, named: str) -> float:
    """How well a kind fits the sources that a detection names; of equal ones the earlier."""
    told = next((v for n, v in kind.fixed.items() if n in TELLING), "")
    words = {
        "sysmon": "sysmon event",
        "sysmon_linux": "sysmon for linux",
        "windows_security": "windows event log security",
        "windows_powershell": "powershell",
        "windows_other": "windows event log",
        "crowdstrike_fdr": "crowdstrike",
    }.get(kind.family.name, "\0")
    score = 2.0 if words in named else 0.0
    if told and any(part == told.lower() for part in named.split()):
        score += 1.0
    return score


def _fields(walk: Walk, demands: Demands, prefer: Mapping[int, Fields]) -> Mapping[int, Fields]:
    """The fields of each role's event."""
    out: dict[int, Fields] = {}
    for role, kind in walk.kinds.items():
        own = {
            plain: asked
            for name, asked in demands.items()
            for number, plain in [split_role(name)]
            if number == role
        }
        told = next((make_text(own[n], None, None) for n in TELLING if n in own), None)
        defaults = dict(default_fields(kind.family.name, told))
        liked = prefer.get(role, {})
        fields = {**defaults, **{n: t for n, t in liked.items() if n not in own}}
        for name, asked in own.items():
            nothing = any(d.check.kind is Kind.NULL and d.wanted and not d.steps for d in asked)
            text = None
            if not nothing:
                text = make_text(asked, defaults.get(name), liked.get(name))
            if text is None:
                fields.pop(name, None)
            else:
                fields[name] = text
        out[role] = {n: t for n, t in fields.items() if not n.startswith("_") and n != "host"}
    return out


def _events(solution: Solution) -> tuple[Event, ...]:
    return tuple(_event(solution.kinds[role], fields) for role, fields in solution.fields.items())


def _event(kind: EventKind, fields: Fields, offset: float = _AT) -> Event:
    family = kind.family
    source = re.sub(r"\{([^{}]+)\}", lambda m: fields.get(m[1], ""), family.source)
    return Event(family.name, dict(fields), offset, source, family.sourcetype)


def _reader(solution: Solution) -> Callable[[str], Value]:
    """What evaluates a field of the events."""
    events = {
        role: Event(solution.kinds[role].family.name, fields, _AT)
        for role, fields in solution.fields.items()
    }

    def read(name: str) -> Value:
        role, plain = split_role(name)
        if plain == "_raw":
            return events[role].write(0.0)
        if plain == "_time":
            return _AT
        text = solution.fields[role].get(plain)
        return None if text == "" else text

    return read


_OTHERWISE = frozenset(
    {"append", "union", "multisearch", "set", "appendcols", "inputlookup", "map"}
)


def _makes_rows_otherwise(pipeline: Pipeline) -> bool:
    """Whether rows can come of what is not asked of: appended searches, statistics of nothing."""
    for command in pipeline.commands:
        if command.name in _OTHERWISE:
            return True
        if command.name in ("stats", "tstats") and not getattr(command, "by", ()):
            return True
    return False
