"""Steps of a schedule and its state -> words and rows; called by ``escudo run``, ``backfill`` and
``status``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from escudo.cli.terminal import SafeConsole, open_stderr, plain
from escudo.core.timerange import iso_utc
from escudo.schedule.status import Status
from escudo.schedule.worker import Step

_COUNTED = {
    "windows": "windows ran",
    "failed": "failed",
    "missed": "missed: they are gaps",
    "reopened": "opened again by late data",
    "risk_events": "risk events",
    "findings": "findings",
    "throttled": "rows throttled",
    "suppressed": "findings suppressed",
    "sent": "findings sent",
}
_ALWAYS = ("windows", "risk_events", "findings")


def summarize_step(step: Step) -> str:
    """One line about what was done."""
    parts = [
        f"{getattr(step, name):,} {words}"
        for name, words in _COUNTED.items()
        if getattr(step, name) or name in _ALWAYS
    ]
    return ", ".join(parts)


def tell_failed(step: Step) -> None:
    """Says what to do about windows whose search failed."""
    if step.failed:
        open_stderr().print(
            f"{step.failed:,} of {step.windows:,} windows failed: "
            "`escudo status` says why, `escudo backfill` runs them again"
        )


def describe_step(step: Step) -> dict[str, Any]:
    """What was done, as an object for programs."""
    out: dict[str, Any] = {name: getattr(step, name) for name in _COUNTED}
    out["next_due"] = None if step.next_due is None else iso_utc(step.next_due)
    return out


def describe_status(status: Status) -> dict[str, Any]:
    """A status as an object for programs: times in ISO-8601."""
    out = _format_times(asdict(status))
    out["missed"] = status.missed
    return out


_TIMES = frozenset(
    {"now", "last_run", "last_due", "first_due", "due", "began", "seen", "created", "expires"}
)


def _format_times(values: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in values.items():
        if name in _TIMES and value is not None:
            out[name] = iso_utc(value)
        elif isinstance(value, list | tuple):
            out[name] = [_format_times(v) if isinstance(v, Mapping) else v for v in value]
        else:
            out[name] = value
    return out


def show_status(status: Status, out: SafeConsole) -> None:
    """A status for people."""
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in status.searches.items())
    _line(out, "searches", f"{sum(status.searches.values()):,} ({kinds})" if kinds else "none")
    windows = ", ".join(f"{number:,} {state}" for state, number in status.windows.items())
    _line(out, "windows", f"{windows}; {status.reopened:,} ran more than once")
    _line(out, "found", f"{status.findings:,} findings, {status.risk_events:,} risk events")
    if status.last_due is not None and status.last_run is not None:
        last = f"due {iso_utc(status.last_due)}, ran {iso_utc(status.last_run)}"
        _line(out, "last window", last)
    _line(out, "lag", str(timedelta(seconds=round(status.lag))))
    _line(out, "gaps", f"{status.missed:,} windows were not run" if status.gaps else "none")
    for gap in status.gaps:
        ends = iso_utc(gap.first_due)
        if gap.last_due > gap.first_due:
            ends += f" to {iso_utc(gap.last_due)}"
        _line(out, "", f"{ends}: {gap.windows:,} of {gap.searches:,} searches; {gap.reason}")
    for error in status.errors:
        told = f"{error.search}, due {iso_utc(error.due)}, {error.windows:,} windows"
        _line(out, "failed", f"{told}: {error.code} {error.error}")
    for worker in status.workers:
        state = "is gone" if worker.gone else f"has {worker.windows:,} windows"
        _line(out, "worker", f"{worker.token} {state}; seen {iso_utc(worker.seen)}")
    for sink in status.sinks:
        told = f"{sink.name}: {sink.waiting:,} findings wait"
        _line(
            out,
            "sink",
            told + (f"; {sink.failures:,} failures: {sink.error}" if sink.error else ""),
        )
    if status.suppressions:
        _line(out, "suppressed by", f"{len(status.suppressions):,} suppressions in force")
    if status.throttles:
        _line(out, "throttled by", f"{status.throttles:,} rows found before")


def _line(out: SafeConsole, label: str, text: str) -> None:
    out.print(plain(f"{label:14}{text}"))
