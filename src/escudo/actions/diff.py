"""Two states of content, a lake -> what differs, and which rows are won and lost; called by
``escudo diff`` and before a content pack is updated."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from escudo.actions.workspace import EngineOf
from escudo.authoring.differences.comparing import Comparison, ElementChange, compare_sides
from escudo.authoring.differences.sides import Side, open_side
from escudo.content import Detection
from escudo.core.errors import Diagnostic, Severity
from escudo.core.timerange import TimeRange
from escudo.detect.running import run_detection
from escudo.engines.execute import Engine
from escudo.lake import Lake
from escudo.lake.knowledge import LakeKnowledge


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """What a detection finds in a lake before and after; ``won`` and ``lost`` are the rows that
    only one of them finds, as often as it does."""

    name: str
    before: int
    after: int
    won: tuple[Mapping[str, Any], ...]
    lost: tuple[Mapping[str, Any], ...]
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What differs, and, where a lake was given, what that means for its rows."""

    comparison: Comparison
    rows: tuple[RowChange, ...] | None = None

    @property
    def failed(self) -> bool:
        """Whether a file could not be loaded, a search not be run, or a version was not raised."""
        errors = [d for change in self.rows or () for d in change.diagnostics]
        return bool(self.comparison.diagnostics or self.comparison.overdue or errors)


@dataclass(frozen=True, kw_only=True)
class RowsOf:
    """Where the rows of detections are counted: a lake, its engine, the clock, the time range."""

    lake: Lake
    engine_of: EngineOf
    now: float
    within: TimeRange


Follow = Callable[[Sequence[ElementChange]], Iterable[ElementChange]]


def compare_content(
    before: str, after: str, *, rows_of: RowsOf | None = None, follow: Follow = iter
) -> Difference:
    """Compares two sides, each a path or REF:PATH of a git repository.

    A ref is one of the repository that the other side lies in, else of the current folder.
    ``follow`` is given the changes whose rows are counted, and yields them (a progress bar).

    Raises:
        EscudoError: AUT020, AUT030, AUT031; what ``content.load`` raises.
    """
    with ExitStack() as opened:
        old = opened.enter_context(open_side(before, beside=_find_place(after)))
        new = opened.enter_context(open_side(after, beside=_find_place(before)))
        return compare_opened(old, new, rows_of=rows_of, follow=follow)


def _find_place(other: str) -> Path:
    path = Path(other)
    if not os.path.exists(other):  # a ref, which is no legal path, perhaps
        return Path()
    return path if path.is_dir() else path.parent


def compare_opened(
    before: Side, after: Side, *, rows_of: RowsOf | None = None, follow: Follow = iter
) -> Difference:
    """``compare_content`` of sides that are open."""
    comparison = compare_sides(before, after)
    if rows_of is None:
        return Difference(comparison=comparison)
    affected = [change for change in comparison.changes if change.finds_other_rows]
    snapshot = rows_of.lake.snapshot()
    runners = [_Runner(side, rows_of, rows_of.engine_of(snapshot)) for side in (before, after)]
    rows = [_count_rows(change, *runners) for change in follow(affected)]
    return Difference(comparison=comparison, rows=tuple(rows))


class _Runner:
    """Runs the detections of one side with the macros and lookups of that side."""

    def __init__(self, side: Side, rows_of: RowsOf, engine: Engine) -> None:
        self._rows_of = rows_of
        self._engine = engine
        self._knowledge = LakeKnowledge(side.content.knowledge, rows_of.lake.artifacts)

    def run(
        self, detection: Detection | None
    ) -> tuple[list[Mapping[str, Any]], tuple[Diagnostic, ...]]:
        """The rows of a detection, none of one that is not there; and errors."""
        if detection is None:
            return [], ()
        match = run_detection(
            detection,
            self._rows_of.lake.snapshot(),
            self._engine,
            self._knowledge,
            within=self._rows_of.within,
            now=self._rows_of.now,
        )
        errors = tuple(d for d in match.diagnostics if d.severity is Severity.ERROR)
        return match.rows.to_pylist(), errors


def _count_rows(change: ElementChange, before: _Runner, after: _Runner) -> RowChange:
    old, errors_before = before.run(change.before)
    new, errors_after = after.run(change.after)
    return RowChange(
        name=change.name,
        before=len(old),
        after=len(new),
        won=_subtract(new, old),
        lost=_subtract(old, new),
        diagnostics=errors_before + errors_after,
    )


def _subtract(
    rows: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], ...]:
    """The rows that are not among others, each as often as it is more often here."""
    left = Counter(map(_identify, others))
    out = []
    for row in rows:
        identity = _identify(row)
        if left[identity] > 0:
            left[identity] -= 1
        else:
            out.append(row)
    return tuple(out)


def _identify(row: Mapping[str, Any]) -> bytes:
    """What tells a row from others: its fields that have a value."""
    filled = {key: value for key, value in row.items() if value is not None}
    return orjson.dumps(filled, default=str, option=orjson.OPT_SORT_KEYS)
