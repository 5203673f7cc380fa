"""Baselines, a lake -> what each leaves in it: a lookup or a model, which detections compare with;
called by actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from escudo.content import Baseline, Content, Detection
from escudo.content.positions import relocate
from escudo.core.catalog import Catalog
from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.timerange import TimeRange
from escudo.detect.attempt import attempt
from escudo.engines.execute import Engine, run_search
from escudo.lake import Lake
from escudo.lake.effects import Change, carry_out
from escudo.lake.knowledge import LakeKnowledge


@dataclass(frozen=True)
class BaselineRun:
    """What came of a baseline: its rows, and what it has left in the lake."""

    baseline: Baseline
    rows: int
    changes: tuple[Change, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def failed(self) -> bool:
        """Whether it could not be run, or could not write."""
        return any(d.severity is Severity.ERROR for d in self.diagnostics)


def select_needed(content: Content, detections: Sequence[Detection]) -> list[Baseline]:
    """The baselines of some detections, in the order of their names.

    Either names the other: the baseline its detections, or the detection its baselines (ESCU 6).

    So what a baseline begins (``... - Initial``) goes before what it goes on with
    (``... - Update``).
    """
    wanted = {d.name.lower() for d in detections}
    named = {name.lower() for d in detections for name in d.baselines}
    return [
        b
        for b in sort_baselines(content)
        if b.name.lower() in named or wanted & {d.lower() for d in b.detections}
    ]


def sort_baselines(content: Content) -> list[Baseline]:
    """All baselines in the order of their names."""
    return sorted(content.baselines, key=lambda b: b.name)


def find_baselines(content: Content, names: Sequence[str]) -> list[Baseline]:
    """Baselines by name (in any case) or id: DET002 where there is none of a name."""
    out = []
    for name in names:
        wanted = name.strip().lower()
        named = [b for b in sort_baselines(content) if wanted in (b.name.lower(), b.id.lower())]
        if not named:
            raise EscudoError("DET002", f"no baseline is named {name!r}")
        out += named
    return out


def run_baselines(
    baselines: Iterable[Baseline],
    content: Content,
    lake: Lake,
    engine_of: Callable[[Catalog], Engine],
    *,
    within: TimeRange,
    now: float,
) -> Iterator[BaselineRun]:
    """Runs baselines one by one, and keeps in the lake what each leaves before the next begins.

    One that fails leaves nothing, and does not end the run of the others.
    """
    knowledge = LakeKnowledge(content.knowledge, lake.artifacts)
    for baseline in baselines:
        snapshot = lake.snapshot()
        search = partial(
            run_search,
            baseline.search,
            engine_of(snapshot),
            snapshot,
            knowledge,
            now=now,
            within=within,
            file=baseline.origin.file,
        )
        outcome = attempt(search, name=baseline.name, source=baseline.search)
        if isinstance(outcome, Diagnostic):
            yield BaselineRun(baseline, 0, (), (relocate(outcome, baseline.search),))
            continue
        diagnostics = [relocate(d, baseline.search) for d in outcome.diagnostics]
        write = partial(
            carry_out, outcome.compiled.effects, lake, content.knowledge, search=baseline.name
        )
        changes = attempt(write, name=baseline.name)
        if isinstance(changes, Diagnostic):
            diagnostics.append(changes)
            changes = ()
        yield BaselineRun(baseline, outcome.table.num_rows, changes, tuple(diagnostics))
