"""What became of synthesised events -> lines for people; called by ``escudo test --synthesise``."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from escudo.actions.synthesise import Outcome, SynthesisReport
from escudo.cli.terminal import plain
from escudo.cli.testing_view import MARKS, name_count
from escudo.detect.testing import Outcome as TestOutcome

_SHOWN = 200
"""Detections that are told one by one."""


def show_synthesis(report: SynthesisReport, out: Console, *, verbose: bool) -> None:
    """The detections that failed, with ``verbose`` all of them, and the counts."""
    told = [o for o in report.outcomes if verbose or o.failed]
    for outcome in told[:_SHOWN]:
        out.print(_tell(outcome, fancy=out.is_terminal), soft_wrap=True)
    if len(told) > _SHOWN:
        out.print(f"... and {len(told) - _SHOWN:,} more; --format json has all")
    counts = report.summarise()
    out.print(
        f"{name_count(counts['detections'], 'detection')}: "
        f"{counts['synthesised']:,} synthesised, {counts['fired']:,} fired; "
        f"{_count_misses(counts['near_misses'])}, {counts['near_misses_fired']:,} of them fired"
    )


def _count_misses(number: int) -> str:
    return f"{number:,} near-miss{'' if number == 1 else 'es'}"


def _tell(outcome: Outcome, *, fancy: bool) -> Text:
    if not outcome.synthesised:
        become = TestOutcome.MISSING
    else:
        become = TestOutcome.FAILED if outcome.failed else TestOutcome.PASSED
    sign, word, style = MARKS[become]
    line = Text(f"{sign if fancy else word} ", style=style)
    line.append_text(plain(outcome.detection.name))
    if outcome.reason:
        line.append_text(plain(f": {outcome.reason}"))
    elif outcome.fired:
        misses = _count_misses(len(outcome.synthesis.near_misses))
        line.append_text(plain(f" ({outcome.synthesis.source}, {misses})", "dim"))
    for condition in outcome.misfired:
        line.append("\n    ")
        line.append_text(plain(f"a near-miss fired: {condition}", "red"))
    return line
