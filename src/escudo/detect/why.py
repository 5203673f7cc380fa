"""A search, an event -> which of its conditions hold, and which events it almost selects; called by
``actions.why``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic, EscudoError, Span
from escudo.core.schema import MV_SEPARATOR, FieldType
from escudo.core.timerange import ALL_TIME, TimeRange, iso_utc
from escudo.engines.execute import Engine, run_search
from escudo.spl import (
    EVENT_IDS,
    SOURCE_FILES,
    Binder,
    Clock,
    Condition,
    Filter,
    Pipeline,
    Regex,
    Search,
    Segment,
    Where,
    add_ruled_fields,
    bind_segments,
    find_hint,
    find_tables,
    number_text,
)
from escudo.spl.parse import parse_expanded

_MOST_IDS = 100
"""How many events a row of the search names (``spl.compile``)."""


@dataclass(frozen=True)
class Verdict:
    """What became of a condition. ``held`` is None where it is null (``where`` takes that as
    false); ``values`` are those of the fields it reads, None where there is none."""

    kind: str
    text: str
    held: bool | None
    span: Span | None
    values: Mapping[str, Any]
    hint: str | None
    operands: tuple[Verdict, ...] = ()


@dataclass(frozen=True)
class Step:
    """A filter of the search; ``held`` is None where the event did not come that far."""

    command: str
    text: str
    held: bool | None
    span: Span | None
    verdicts: tuple[Verdict, ...] = ()

    @property
    def failed(self) -> int:
        return sum(v.held is not True for v in self.verdicts)


@dataclass(frozen=True)
class Candidate:
    """An event, or a row that several events made, and how it did.

    ``after`` is the command that made the row (None: an event). ``matched`` is None where it
    cannot be told; ``note`` says why, or what else there is to say.
    """

    event_ids: tuple[int, ...]
    source_files: tuple[str, ...]
    time: float | None
    fields: Mapping[str, Any]
    steps: tuple[Step, ...]
    matched: bool | None
    after: str | None = None
    note: str | None = None

    @property
    def failed(self) -> int:
        """How many top conditions do not hold."""
        return sum(s.failed for s in self.steps)


@dataclass(frozen=True)
class Explanation:
    """The candidates asked for, and what the binder had to say of the search."""

    candidates: tuple[Candidate, ...]
    diagnostics: tuple[Diagnostic, ...]


class Why:
    """Explains a search over a catalog.

    Args:
        text: the search as it stands.
        within: the events that are looked at; the search's own time range is a condition.

    Raises:
        EscudoError: what compiling the search raises.
    """

    def __init__(
        self,
        text: str,
        engine: Engine,
        catalog: Catalog,
        knowledge: Knowledge,
        *,
        now: float,
        within: TimeRange = ALL_TIME,
        file: str | None = None,
    ) -> None:
        self.text = text
        self.engine = engine
        self.catalog = catalog
        self.knowledge = knowledge
        self.now = now
        self.within = within
        self.file = file
        self.pipeline = self._parsed(text)
        self.diagnostics: dict[Diagnostic, None] = {}

    def explain_event(self, event_id: int) -> Explanation:
        """What each filter makes of an event, up to the first that drops it.

        Raises:
            EscudoError: DET201 if there is no such event.
        """
        steps: list[Step] = []
        first: Candidate | None = None
        matched: bool | None = True
        note = None
        end = 0
        for segment in self._segments(find_tables([event_id], self._binder())):
            end = segment.end
            if segment.evidence is None and first is None:
                return self._told([self._absent(event_id, segment)])
            if segment.evidence is None:
                matched, note = None, f"{_made_by(segment)}, which does not say of which events"
                break
            rows = _candidates(segment, segment.run(segment.rows([event_id])))
            if not rows and first is None:
                return self._told([self._absent(event_id, segment)])
            if not rows:
                matched, note = _gone(segment)
                break
            best = min(rows, key=lambda c: c.failed)
            first = first or best
            steps += best.steps
            if best.failed:
                matched = False
                break
        assert first is not None
        unreached = self._later(end) if matched is not True else ()
        told = replace(first, steps=(*steps, *unreached), matched=matched, note=note)
        return self._told([told])

    def explain_nearest(self, count: int) -> Explanation:
        """The rows that fail the fewest conditions, but at least one; rows that come further down
        the pipeline are nearer. If all rows match, some that do."""
        nearest: list[Candidate] = []
        tables = [t.table for t in self.catalog.raw_tables()]
        filled = [t for t in tables if self.catalog.files(t, self.within)]
        parts = list(self._segments(filled))
        for i in range(len(parts) - 1, -1, -1):
            if len(nearest) < count and any(parts[i].conditions()):
                more = self._nearest(parts[i], count - len(nearest), misses=True)
                before = tuple(_passed(f) for p in parts[:i] for f in p.filters)
                later = self._later(parts[i].end)
                nearest += [replace(c, steps=(*before, *c.steps, *later)) for c in more]
        if not nearest:
            nearest = self._nearest(parts[0], count, misses=False)
        return self._told(nearest)

    # parts

    def _parsed(self, text: str) -> Pipeline:
        return parse_expanded(text, self.knowledge, file=self.file)

    def _binder(self) -> Binder:
        return Binder(
            self.catalog,
            self.knowledge,
            Clock(self.now),
            self.within,
            self._parsed,
            self.engine,
            provenance=True,
            dress=add_ruled_fields,
        )

    def _segments(self, raw: Collection[str]) -> Iterator[Segment]:
        try:
            for segment in bind_segments(self.pipeline, self._binder, raw):
                yield segment
                self.diagnostics.update(dict.fromkeys(segment.binder.diagnostics))
        except EscudoError as error:
            raise error.located(source=self.text) from None

    def _nearest(self, segment: Segment, count: int, *, misses: bool) -> list[Candidate]:
        if segment.after is not None or segment.evidence is None:
            return _candidates(segment, segment.run(segment.nearest(count, misses=misses)))
        chosen = segment.run(segment.nearest_ids(count, misses=misses))
        ids = chosen.column(EVENT_IDS).to_pylist()
        if not ids:
            return []
        narrow = next(self._segments(find_tables(ids, self._binder())))
        events = _candidates(narrow, narrow.run(narrow.rows(ids)))
        return sorted(events, key=lambda c: ids.index(c.event_ids[0]))[:count]

    def _later(self, end: int) -> tuple[Step, ...]:
        """The filters that an event did not come to."""
        return tuple(
            Step(c.name, c.format(), None, c.span)
            for c in self.pipeline.commands[end:]
            if isinstance(c, Search | Where | Regex) and c.format() != "search *"
        )

    def _absent(self, event_id: int, segment: Segment) -> Candidate:
        """An event that is not among those that the search reads."""
        text = (
            f"search _event_id={event_id} | fields _time host source sourcetype EventCode EventID"
        )
        rows = run_search(text, self.engine, self.catalog, self.knowledge, now=self.now).table
        first = self.pipeline.commands[0]
        if not rows.num_rows:
            raise EscudoError(
                "DET201",
                f"there is no event with the id {event_id}",
                hint="`--near` names events of the lake by their ids",
            )
        held = {n: v for n, v in rows.to_pylist()[0].items() if v is not None}
        time = held.get("_time")
        fields = {**held, "_time": iso_utc(time)} if time is not None else held
        why = f"the event is not among them: its sourcetype is {fields.get('sourcetype')}"
        verdict = Verdict("condition", f"events of '{first.name}'", False, first.span, {}, why)
        step = Step("dataset", first.format(), False, first.span, (verdict,))
        steps = (step, *(_unreached(f) for f in segment.filters), *self._later(segment.end))
        return Candidate((event_id,), (), time, fields, steps, False)

    def _told(self, candidates: Sequence[Candidate]) -> Explanation:
        return Explanation(tuple(candidates), tuple(self.diagnostics))


def _made_by(segment: Segment) -> str:
    assert segment.after is not None
    return f"the rows come from '{segment.after.name}'"


def _gone(segment: Segment) -> tuple[bool | None, str]:
    """What it means that no row is made of an event that passed all filters so far."""
    assert segment.after is not None
    assert segment.evidence is not None
    if segment.evidence.lists:
        return None, (
            f"{_made_by(segment)}; none of them names the event (a row names {_MOST_IDS} at most)"
        )
    return False, f"'{segment.after.name}' leaves the event out"


def _passed(step: Filter) -> Step:
    return Step(step.command, step.text, True, step.span)


def _unreached(step: Filter) -> Step:
    return Step(step.command, step.text, None, step.span)


# --- rows to verdicts -----------------------------------------------------------------------------


def _candidates(segment: Segment, rows: pa.Table) -> list[Candidate]:
    return [_candidate(segment, row) for row in rows.to_pylist()]


def _parts(name: str, text: str) -> list[str] | str:
    """An entry of a rest map: a list where it is several values, or the name says so."""
    return text.split(MV_SEPARATOR) if "{}" in name or MV_SEPARATOR in text else text


def _candidate(segment: Segment, row: Mapping[str, Any]) -> Candidate:
    fields = {n: _shown(row[b.ident], b.type) for n, b in segment.fields}
    if segment.rest is not None:
        for name, text in row[segment.rest] or ():
            fields.setdefault(name, _parts(name, text))
    fields = {n: v for n, v in fields.items() if v is not None}
    others = {n: _texts(v) for n, v in fields.items()}
    steps = tuple(_step(f, row, others) for f in segment.filters)
    failed = sum(s.failed for s in steps)
    return Candidate(
        tuple(row.get(EVENT_IDS) or ()),
        tuple(f for f in row.get(SOURCE_FILES) or () if f is not None),
        row[segment.time] if segment.time is not None else None,
        fields,
        steps,
        failed == 0,
        segment.after.name if segment.after is not None else None,
    )


def _step(step: Filter, row: Mapping[str, Any], others: Mapping[str, Sequence[str]]) -> Step:
    verdicts = tuple(_verdict(c, row, others, wanted=True) for c in step.conditions)
    held = all(v.held is True for v in verdicts)
    return Step(step.command, step.text, held, step.span, verdicts)


def _verdict(
    condition: Condition,
    row: Mapping[str, Any],
    others: Mapping[str, Sequence[str]],
    *,
    wanted: bool,
) -> Verdict:
    """``wanted`` is whether the condition should hold for the event to be selected."""
    held = condition.value(row.get)
    values = {
        r.name: _shown(row[r.ident], r.type) if r.ident is not None else None
        for r in condition.reads
    }
    advice = None
    if wanted and held is not True:
        known = {n: _texts(v) for n, v in values.items() if v is not None}
        advice = find_hint(condition.expr, known, others)
    inner = wanted != (condition.kind == "not")
    operands = tuple(_verdict(o, row, others, wanted=inner) for o in condition.operands)
    return Verdict(condition.kind, condition.text, held, condition.span, values, advice, operands)


def _shown(value: Any, kind: FieldType) -> Any:
    """A value as SPL shows it; times as ISO-8601."""
    if value is None:
        return None
    if kind is FieldType.TIME:
        return iso_utc(value)
    return number_text(value) if isinstance(value, int | float) else value


def _texts(value: Any) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]
