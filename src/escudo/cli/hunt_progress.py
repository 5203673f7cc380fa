"""Follows a hunt on standard error; given to ``actions.hunt`` by the commands that hunt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

from escudo.actions.hunt import HuntFollower
from escudo.actions.ingest import Ingested
from escudo.cli.baseline_view import summarize_runs
from escudo.cli.progress import IngestProgress, follow_items, show_diagnostics
from escudo.cli.rejected_view import tell_rejected
from escudo.cli.terminal import open_stderr
from escudo.content import Baseline, Detection
from escudo.core.errors import Severity
from escudo.detect.baselines import BaselineRun
from escudo.lake.report import Progress


class HuntProgress(HuntFollower):
    """Bars, and what was wrong as soon as it is known.

    Args:
        lasting: whether the lake is there afterwards.
    """

    def __init__(self, *, lasting: bool = False, quiet: bool = False) -> None:
        self._lasting = lasting
        self._quiet = quiet

    def follow_ingest(self) -> AbstractContextManager[Progress]:
        return IngestProgress(quiet=self._quiet)

    def tell_ingested(self, ingested: Ingested) -> None:
        show_diagnostics(ingested.report.diagnostics)
        tell_rejected(ingested, lasting=self._lasting)

    def follow_baselines(self, baselines: Sequence[Baseline]) -> Iterator[Baseline]:
        return follow_items(baselines, "running baselines", quiet=self._quiet)

    def tell_learned(self, runs: Sequence[BaselineRun]) -> None:
        errors = [d for run in runs for d in run.diagnostics if d.severity is Severity.ERROR]
        show_diagnostics(errors)
        if not self._quiet:
            open_stderr().print(summarize_runs(runs))

    def follow_detections(self, detections: Sequence[Detection]) -> Iterator[Detection]:
        return follow_items(detections, "running detections", quiet=self._quiet)
