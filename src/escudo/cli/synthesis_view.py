"""What became of synthesised events -> a table for people, JSON for machines; called by
``escudo test --synthesise``."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from escudo.actions.synthesise import Outcome, SynthesisReport
from escudo.cli.terminal import plain

_SHOWN = 200
"""Detections that are told one by one."""


def show_synthesis(report: SynthesisReport, out: Console, *, verbose: bool) -> None:
    """The detections that failed, with ``verbose`` all of them, and the counts."""
    told = [o for o in report.outcomes if verbose or o.failed]
    for outcome in told[:_SHOWN]:
        out.print(_tell(outcome), soft_wrap=True)
    if len(told) > _SHOWN:
        out.print(f"... and {len(told) - _SHOWN:,} more; --format json has all")
    counts = report.summarise()
    out.print(
        f"{counts['detections']:,} detections: {counts['synthesised']:,} synthesised, "
        f"{counts['fired']:,} fired; {counts['near_misses']:,} near-misses, "
        f"{counts['near_misses_fired']:,} of them fired"
    )


def _tell(outcome: Outcome) -> Text:
    mark, style = ("✗", "red") if outcome.misfired else ("✓", "green")
    if not outcome.fired and not outcome.misfired:
        mark, style = ("✗", "red") if outcome.synthesised else ("-", "dim")
    line = Text(f"{mark} ", style=style)
    line.append_text(plain(outcome.detection.name))
    if outcome.reason:
        line.append_text(plain(f": {outcome.reason}"))
    elif outcome.fired:
        misses = len(outcome.synthesis.near_misses)
        line.append_text(plain(f" ({outcome.synthesis.source}, {misses} near-misses)", "dim"))
    for condition in outcome.misfired:
        line.append("\n    ")
        line.append_text(plain(f"a near-miss fired: {condition}", "red"))
    return line
