"""Rows that a hunt found -> what a report shows of them: fields, processes around, drilldowns;
called by ``hunt_report``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from escudo.actions.context import Context, RunDrilldown
from escudo.actions.hunt_summary import FoundRow
from escudo.actions.shown_rows import iterate_rows
from escudo.core.errors import Diagnostic
from escudo.findings.drilldown import FilledDrilldown
from escudo.findings.tree import Tree


@dataclass(frozen=True, slots=True)
class ShownDrilldown:
    """A drilldown as it was run: the first of its rows, how many there are; ``problem`` says why
    there are none."""

    drilldown: FilledDrilldown
    fields: tuple[str, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    total: int = 0
    problem: Diagnostic | None = None


@dataclass(frozen=True, slots=True)
class ShownContext:
    """What is around a row: its process trees, its drilldowns. ``problem`` says why there is
    nothing."""

    trees: tuple[Tree, ...] = ()
    drilldowns: tuple[ShownDrilldown, ...] = ()
    problem: Diagnostic | None = None


def read_fields(row: FoundRow) -> dict[str, Any]:
    """The fields of a row as its search gives them, those without a value left out."""
    return next(iterate_rows(row.match.rows.slice(row.index, 1)), {})


def show_context(context: Context, *, most_rows: int) -> ShownContext:
    """What is around a row, with the first rows of each drilldown."""
    shown = (_show_drilldown(run, most_rows) for run in context.drilldowns)
    return ShownContext(context.trees, tuple(shown))


def _show_drilldown(run: RunDrilldown, most_rows: int) -> ShownDrilldown:
    if isinstance(run.outcome, Diagnostic):
        return ShownDrilldown(run.drilldown, problem=run.outcome)
    found = run.outcome.table
    rows = tuple(iterate_rows(found.slice(0, most_rows)))
    return ShownDrilldown(
        run.drilldown, _order_fields(found.column_names, rows), rows, found.num_rows
    )


def _order_fields(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The fields of which a row has a value, in the search's order."""
    held = {name for row in rows for name in row}
    return tuple(name for name in names if name in held)
