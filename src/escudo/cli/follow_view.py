"""What comes of followed inputs -> a line a finding, or JSON lines, and messages on standard error;
called by ``escudo follow``."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from escudo.actions.follow import Arrival, ArrivalPlan, FollowListener
from escudo.cli.json_text import dump_json
from escudo.cli.progress import show_diagnostics
from escudo.cli.terminal import escape_line, open_stderr
from escudo.core.errors import Diagnostic, Severity
from escudo.core.event_log import log_event
from escudo.lake.report import IngestReport
from escudo.sinks import Finding


class FollowView(FollowListener):
    """Shows findings as they come, and what is wrong once for each file and kind."""

    def __init__(self, format_: str, *, quiet: bool) -> None:
        self._format = format_
        self._quiet = quiet
        self._told: set[tuple[str, str]] = set()
        self._begun = time.monotonic()
        self.failed = False
        self._events = self._findings = self._rejected = 0

    def tell_plan(self, plan: ArrivalPlan) -> None:
        """Says how many detections run as events come, and how many cannot."""
        for detection, reason in plan.others:
            log_event("not on arrival", name=detection.name, reason=reason.message)
        if not self._quiet:
            others = f"; those that need a schedule: {len(plan.others):,}" if plan.others else ""
            text = f"detections that run on events as they come: {len(plan.detections):,}{others}"
            open_stderr().print(text)

    def tell_maintenance(self, diagnostic: Diagnostic) -> None:
        """Says once what keeps the lake from being maintained."""
        if (diagnostic.code, diagnostic.message) not in self._told:
            self._told.add((diagnostic.code, diagnostic.message))
            show_diagnostics([diagnostic])

    def tell_ingested(self, report: IngestReport) -> None:
        self._events += report.read
        if report.rejected:
            self._rejected += report.rejected
            self.failed = True
        new = [d for d in report.diagnostics if (d.code, _place(str(d.span))) not in self._told]
        if new:
            self._told.update((d.code, _place(str(d.span))) for d in new)
            self.failed = self.failed or any(d.severity is Severity.ERROR for d in new)
            show_diagnostics([d for d in new if d.severity is not Severity.INFO])

    def show_findings(self, findings: Sequence[Finding]) -> None:
        """Shows what was found in a batch."""
        self._findings += len(findings)
        for finding in findings:
            text = dump_json(finding) if self._format == "jsonl" else describe_finding(finding)
            sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def tell_arrival(self, arrival: Arrival) -> None:
        """Says once what was wrong with detections."""
        new = [d for d in arrival.diagnostics if (d.code, d.message) not in self._told]
        self._told.update((d.code, d.message) for d in new)
        if new:
            self.failed = True
            show_diagnostics(new)

    def tell_end(self) -> None:
        """Says what there was in all."""
        if self._quiet:
            return
        seconds = time.monotonic() - self._begun
        rejected = f", {self._rejected:,} inputs rejected" if self._rejected else ""
        open_stderr().print(
            f"{self._events:,} events read in {seconds:,.0f} s{rejected}; "
            f"{self._findings:,} findings"
        )


def describe_finding(finding: Finding) -> str:
    """A finding in one line: when, how bad, which detection, where, and what happened.

    >>> describe_finding({"_time": "2020-10-08T11:03:46.000Z", "severity": "high",
    ...     "detection": "WMI", "host": "pc1", "user": None, "message": "wmiprvse began\\nx"})
    '2020-10-08T11:03:46.000Z high WMI host=pc1: wmiprvse began\\\\nx'
    """
    where = "".join(f" {k}={finding[k]}" for k in ("host", "user") if finding.get(k))
    message = f": {finding['message']}" if finding.get("message") else ""
    head = f"{finding['_time']} {finding['severity']} {finding['detection']}"
    return escape_line(f"{head}{where}{message}")


def _place(span: str) -> str:
    return span.split(":", 1)[0]
