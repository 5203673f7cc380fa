"""A detection -> events that it must find, and near-misses; ``actions.synthesise`` runs them.

For each kind of events that can feed the search: what it asks is solved, the events are made of the
solution, and each condition is evaluated on them. A near-miss is solved anew with one condition
turned into its opposite; it is kept only if that condition is false of its events. All conditions
must hold for a row, so none can come of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import partial
from itertools import islice, product

from escudo.content import Detection
from escudo.core.catalog import Knowledge
from escudo.spl import Binary, FieldRef, Literal, Pipeline
from escudo.spl.parse import parse_expanded
from escudo.synthesis.asked import Stream, Walk
from escudo.synthesis.conditions import (
    All,
    Condition,
    Holds,
    of_role,
    split_role,
)
from escudo.synthesis.demands import Demand, Kind
from escudo.synthesis.evaluate import Scope, evaluate
from escudo.synthesis.functions import UnknownValueError
from escudo.synthesis.groups import find_group, list_near_misses, list_positives
from escudo.synthesis.judge import holds, mentions_open
from escudo.synthesis.kinds import TELLING, EventKind, Kinds
from escudo.synthesis.lookups import Lookups
from escudo.synthesis.populations import (
    Plan,
    field_names,
    find_keys,
    find_shortages,
    plan_population,
)
from escudo.synthesis.solution import (
    AT,
    Fields,
    Solution,
    exclude,
    make_events,
    make_reader,
    pin,
)
from escudo.synthesis.solve import Demands, Solver, World
from escudo.synthesis.texts import make_text
from escudo.synthesis.trials import Event, Synthesis, Trial
from escudo.synthesis.unsolved import explain_unsolved, find_strangers
from escudo.synthesis.values import text_of
from escudo.synthesis.walk import Choose, follow

_MOST_KINDS = 200
"""Choices of kinds that are tried for a detection."""
_QUARTER, _WEEK = 900.0, 604_800.0
_MOMENTS = (0.0, 12 * 3600.0, 60 * 3600.0)
"""Seconds after a Thursday's begin in UTC: at night, at noon, and at noon of a Saturday."""
_MOST_SOLUTIONS = 300
"""Solutions of the solver that are evaluated for a choice of kinds."""


class Synthesiser:
    """Makes events for detections of some content, for the sources that can be written."""

    def __init__(self, knowledge: Knowledge, kinds: Kinds) -> None:
        self.knowledge = knowledge
        self.kinds = kinds
        self.lookups = Lookups(knowledge)

    def synthesise(self, detection: Detection) -> Synthesis:
        """Events for a detection; the reason where none could be made.

        Raises:
            EscudoError: its search cannot be parsed.
        """
        return _Search(self, detection, self.parse(detection.search)).run()

    def parse(self, text: str) -> Pipeline:
        return parse_expanded(text, self.knowledge)


class _Search:
    def __init__(self, synthesiser: Synthesiser, detection: Detection, pipeline: Pipeline) -> None:
        self.parent = synthesiser
        self.detection = detection
        self.pipeline = pipeline
        self.reasons: dict[str, bool] = {}
        """Why there are no events, and whether that is about what a source is called."""

    def run(self) -> Synthesis:
        unsolved: list[Walk] = []
        for walk in self._walks():
            solution = next(self._solve(walk, None, {}), None)
            if solution is None:
                unsolved.append(walk)
                reason, is_stranger = explain_unsolved(walk)
                self.reasons[reason] = is_stranger
                continue
            positives = tuple(self._positives(walk, solution))
            if not positives:
                self.reasons["no events were found that differ as it asks"] = False
                continue
            misses = (*self._near_misses(walk, solution), *self._shortages(walk, solution))
            return self._tell(walk, positives, misses, alone=bool(walk.open_terms))
        for walk in unsolved:
            apart = self._synthesise_apart(walk)
            if apart is not None:
                return apart
        reasons = sorted(self.reasons, key=lambda reason: self.reasons[reason])
        reason = next(iter(reasons), "no source gives events for it")
        return Synthesis(self.detection.name, reason=reason)

    def _synthesise_apart(self, walk: Walk) -> Synthesis | None:
        """Events that meet the conditions on rows together, where none meets all of them."""
        group = find_group(walk, self._solve)
        if group is None:
            return None
        misses: tuple[Trial, ...] = ()
        if not _makes_rows_otherwise(self.pipeline):
            misses = tuple(list_near_misses(group, self._solve, self._may_hold))
        return self._tell(walk, tuple(list_positives(group)), misses, alone=True)

    def _tell(
        self, walk: Walk, positives: tuple[Trial, ...], misses: tuple[Trial, ...], *, alone: bool
    ) -> Synthesis:
        return Synthesis(
            self.detection.name,
            positives,
            misses,
            source=" and ".join(k.name for k in walk.kinds.values()),
            notes=tuple(walk.unknown),
            alone=alone,
        )

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
            self.reasons[str(error)] = False
            return
        if len(options) > 1:
            options = [self._narrow(options, role) for role in range(len(options))]
            first = self._follow(partial(_take, [kinds[0] for kinds in options]))
        yield first
        for chosen in islice(product(*options), 1, _MOST_KINDS):
            yield self._follow(partial(_take, chosen))

    def _narrow(self, options: Sequence[Sequence[EventKind]], role: int) -> Sequence[EventKind]:
        """The kinds of one of several streams whose events are called as the search asks; all if
        none are."""
        firsts = [kinds[0] for kinds in options]
        fitting: list[EventKind] = []
        for kind in options[role]:
            walk = self._follow(partial(_take, [*firsts[:role], kind, *firsts[role + 1 :]]))
            if all(asked.role != role for asked in find_strangers(walk)):
                fitting.append(kind)
        return fitting or options[role]

    def _follow(self, choose: Choose) -> Walk:
        return follow(self.pipeline, choose, self.parent.parse, self.parent.lookups)

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
        self,
        walk: Walk,
        broken: Condition | None,
        prefer: Mapping[int, Fields],
        *,
        given: Sequence[Demand] = (),
        also: Sequence[Condition] = (),
    ) -> Iterator[Solution]:
        """Events that meet all conditions, but for one that is broken.

        ``given`` are further demands, ``also`` further conditions.
        """
        wanted = [(c, c is not broken) for c in (*walk.conditions, *also)]
        if broken is not None:
            wanted.sort(key=lambda pair: pair[1])
        own = (demand for role, kind in walk.kinds.items() for demand in kind.demands(role))
        given = [*own, *given]
        solver = Solver(self._world(walk, prefer))
        seen: list[Mapping[int, Fields]] = []
        for demands in islice(solver.solve(wanted, given), _MOST_SOLUTIONS):
            solution = Solution(walk.kinds, _fields(walk, demands, prefer), walk.collected)
            if solution.fields in seen:
                continue
            seen.append(solution.fields)
            if self._is_right(walk, solution, broken):
                yield solution

    def _world(self, walk: Walk, prefer: Mapping[int, Fields]) -> World:
        def default(name: str, demands: Demands) -> str | None:
            role, plain = split_role(name)
            kind = walk.kinds[role]
            told = _find_telling(kind, role, demands)
            return kind.suggest(plain, told)

        def preferred(name: str) -> str | None:
            role, plain = split_role(name)
            return prefer.get(role, {}).get(plain)

        def form(name: str) -> tuple[Demand, ...]:
            role, plain = split_role(name)
            return walk.kinds[role].ask_form(plain)

        def carrier(name: str) -> str:
            role, plain = split_role(name)
            if plain != "_raw":
                return name
            return of_role(role, walk.kinds[role].wire.carrier)

        return World(default, preferred, form, carrier, self.parent.lookups.ways)

    def _is_right(self, walk: Walk, solution: Solution, broken: Condition | None) -> bool:
        """Whether all conditions hold of the events, but for the broken one, which must not."""
        scope = Scope(make_reader(solution), AT, self.parent.lookups.evaluate)
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

    def _may_hold(self, condition: Condition, solution: Solution) -> bool:
        """Whether a condition holds of events, or that cannot be told."""
        scope = Scope(make_reader(solution), AT, self.parent.lookups.evaluate)
        try:
            return holds(condition, scope)
        except UnknownValueError:
            return True

    # --- several events ---------------------------------------------------------------------------

    def _positives(self, walk: Walk, solution: Solution) -> Iterator[Trial]:
        """Events that should be found; of several trials the likeliest first."""
        if any(c != All(()) for c in walk.sequence):
            yield from self._in_sequence(walk, solution)
            return
        plan = plan_population(walk)
        if plan is None:
            for later in _MOMENTS if walk.asks_when else (0.0,):
                align = _WEEK if walk.asks_when else _QUARTER
                events = make_events(solution, later)
                yield Trial(events, fires=True, span=later + _QUARTER, align=align)
            return
        for size in plan.sizes:
            group = self._populate(walk, solution, plan, size)
            if group is not None:
                yield self._lay_out(walk, group, plan, fires=True)

    def _in_sequence(self, walk: Walk, solution: Solution) -> Iterator[Trial]:
        """The events that begin and end a transaction, of the same keys."""
        given = pin(solution, find_keys(walk))
        events: list[Event] = []
        for number, condition in enumerate(walk.sequence):
            found = next(
                self._solve(walk, None, solution.fields, given=given, also=[condition]), None
            )
            if found is None:
                return
            events += make_events(found, number * 1.0)
        yield Trial(tuple(events), fires=True)

    def _populate(
        self, walk: Walk, solution: Solution, plan: Plan, size: int
    ) -> list[Solution] | None:
        """So many events that differ in what is counted; None where they cannot."""
        first = next(self._solve(walk, None, solution.fields, also=plan.present), solution)
        return self._differing(walk, first, size, varied=plan.varied, pinned=plan.pinned)

    def _differing(
        self,
        walk: Walk,
        solution: Solution,
        size: int,
        *,
        varied: Set[str],
        pinned: Set[str],
    ) -> list[Solution] | None:
        found = [solution]
        same = self._same_keys(walk, solution, varied)
        while len(found) < size:
            if not varied:
                found.append(solution)
                continue
            given = [*pin(solution, pinned), *exclude(found, varied)]
            other = next(self._solve(walk, None, solution.fields, given=given, also=same), None)
            if other is None:
                return None
            found.append(other)
        return found

    def _same_keys(self, walk: Walk, solution: Solution, varied: Set[str]) -> list[Condition]:
        """Conditions for the keys of groups that are parts of what is varied."""
        scope = Scope(make_reader(solution), AT, self.parent.lookups.evaluate)
        same: list[Condition] = []
        for grouping in walk.groupings:
            for _, key in grouping.by:
                if varied.isdisjoint(field_names(key)) or isinstance(key, FieldRef):
                    continue
                try:
                    text = text_of(evaluate(key, scope))
                except UnknownValueError:
                    continue
                if text is not None:
                    same.append(Holds(Binary("==", key, Literal(text))))
        return same

    def _lay_out(
        self, walk: Walk, group: Sequence[Solution], plan: Plan, *, fires: bool, about: str = ""
    ) -> Trial:
        """The events of a group in time, and those of the background before them."""
        width = plan.bucket or 0.0
        before: list[Event] = []
        if plan.background and plan.bucket is not None:
            for number in range(plan.background):
                before += make_events(group[0], number * width)
        elif plan.background and plan.spread_over:
            others = self._differing(
                walk,
                group[0],
                plan.background + 1,
                varied=plan.spread_over,
                pinned=plan.pinned - plan.spread_over,
            )
            for other in (others or [])[1:]:
                before += make_events(other)
        begin = plan.background * width
        after = [e for n, s in enumerate(group) for e in make_events(s, begin + n * 0.2)]
        span = max(900.0, (plan.background + 1) * width)
        align = max(900.0, width)
        events = (*before, *after)
        return Trial(events, fires=fires, about=about, span=span, align=align)

    def _shortages(self, walk: Walk, solution: Solution) -> Iterator[Trial]:
        """Near-misses of too few events."""
        plan = plan_population(walk)
        if plan is None or walk.sequence or _makes_rows_otherwise(self.pipeline):
            return
        for shortage in find_shortages(walk):
            group = self._populate(walk, solution, plan, shortage.size)
            if group is not None:
                few = replace(plan, background=0)
                yield self._lay_out(
                    walk, group, few, fires=False, about=f"too few events: {shortage.asked.text}"
                )

    # --- near-misses ------------------------------------------------------------------------------

    def _near_misses(self, walk: Walk, solution: Solution) -> Iterator[Trial]:
        if _makes_rows_otherwise(self.pipeline):
            return
        seen = [make_events(solution)]
        for asked in walk.asked:
            if asked.optional or mentions_open(asked.condition):
                continue
            missed = next(self._solve(walk, asked.condition, solution.fields), None)
            if missed is None:
                continue
            events = make_events(missed)
            if events not in seen:
                seen.append(events)
                yield Trial(events, fires=False, about=asked.text)


def _take(chosen: Sequence[EventKind], stream: Stream) -> EventKind:
    return chosen[stream.role]


def _likeness(kind: EventKind, named: str) -> float:
    """How well a kind fits the sources that a detection names; of equal ones the earlier."""
    told = next((v for n, v in kind.fixed.items() if n in TELLING), "")
    words = kind.wire.named
    score = 2.0 if words and words in named else 0.0
    if told and any(part == told.lower() for part in named.split()):
        score += 1.0
    return score


def _find_telling(kind: EventKind, role: int, demands: Demands) -> str | None:
    """What is asked of the field that tells the kinds of a family apart."""
    for name in TELLING:
        if name in kind.fixed:
            return kind.fixed[name]
        asked = demands.get(of_role(role, name), ())
        for demand in asked:
            if demand.wanted and demand.check.kind in (Kind.WILD, Kind.ORDER):
                return demand.check.text
    return None


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
        told = _find_telling(kind, role, demands)
        defaults = dict(kind.default(told))
        liked = prefer.get(role, {})
        fields = {**defaults, **{n: t for n, t in liked.items() if n not in own}}
        for name, asked in own.items():
            nothing = any(d.check.kind is Kind.NULL and d.wanted and not d.steps for d in asked)
            text = None
            if not nothing:
                whole = (*asked, *kind.ask_form(name))
                text = make_text(whole, kind.suggest(name, told), liked.get(name))
            if text is None:
                fields.pop(name, None)
            else:
                fields[name] = text
        stored = _NOT_WRITTEN - {*kind.family.host} if kind.family.host else _OF_ROWS
        out[role] = {n: t for n, t in fields.items() if n not in stored}
    return out


_OF_ROWS = frozenset({"_time", "_raw", "_indextime"})
"""Fields of rows that no event has as such."""
_NOT_WRITTEN = _OF_ROWS | {"host"}


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
