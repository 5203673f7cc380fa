"""Baselines: searches that leave a lookup or a model, which detections compare with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from escudo.content import Baseline, Content, Detection
from escudo.content.positions import relocate
from escudo.core.catalog import Catalog
from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.timerange import TimeRange
from escudo.detect.running import attempt
from escudo.engines.execute import Engine
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


def needed(content: Content, detections: Sequence[Detection]) -> list[Baseline]:
    """The baselines that name one of the detections, in the order of their names.

    So what a baseline begins (``... - Initial``) goes before what it goes on with
    (``... - Update``).
    """
    wanted = {d.name.lower() for d in detections}
    return [b for b in ordered(content) if wanted & {d.lower() for d in b.detections}]


def ordered(content: Content) -> list[Baseline]:
    """All baselines in the order of their names."""
    return sorted(content.baselines, key=lambda b: b.name)


def named(content: Content, names: Sequence[str]) -> list[Baseline]:
    """Baselines by name (in any case) or id: DET002 where there is none of a name."""
    out = []
    for name in names:
        wanted = name.strip().lower()
        found = [b for b in ordered(content) if wanted in (b.name.lower(), b.id.lower())]
        if not found:
            raise EscudoError("DET002", f"no baseline is named {name!r}")
        out += found
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
        result, problems = attempt(
            baseline, snapshot, engine_of(snapshot), knowledge, within=within, now=now
        )
        diagnostics = [relocate(d, baseline.search) for d in problems]
        changes: tuple[Change, ...] = ()
        if result is not None:
            try:
                changes = carry_out(
                    result.compiled.effects, lake, content.knowledge, search=baseline.name
                )
            except EscudoError as error:
                diagnostics.append(error.diagnostic)
        rows = 0 if result is None else result.table.num_rows
        yield BaselineRun(baseline, rows, changes, tuple(diagnostics))
