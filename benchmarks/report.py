"""Writes results as tables between markers of ``README.md``."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.harness import Measured, Suite

README = Path(__file__).with_name("README.md")


def table(suite: Suite, results: Sequence[Measured], rounds: int) -> str:
    """A suite's results in Markdown. Ratios are to the fastest alternative that does the job."""
    if suite.pairs:
        return _pairs(suite, results, rounds)
    others = [r.median for r in results[1:] if not r.variant.partial]
    best = min(others) if suite.limit is not None and others else None
    lines = [
        f"### {suite.title}",
        "",
        suite.note,
        "",
        "| variant | rows | seconds (median) | range | CPU s | rows/s | ratio | peak MB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for r in results:
        ratio = f"{r.median / best:.2f}" if best is not None else ""
        count = suite.events or r.rows
        span = f"{min(r.seconds):.2f}-{max(r.seconds):.2f}"
        speed = f"{count / r.median:,.0f}"
        lines.append(
            f"| {r.variant.name} | {r.rows:,} | {r.median:.2f} | {span} | {median(r.cpu):.2f} "
            f"| {speed} | {ratio} | {max(r.peak_mb):,.0f} |"
        )
    if best is not None and suite.limit is not None:
        ratio_value = results[0].median / best
        verdict = "kept" if ratio_value <= suite.limit else "NOT kept"
        lines += ["", f"Promise: at most {suite.limit:g} times the fastest alternative: {verdict}."]
    for r in results:
        numbers = ", ".join(
            f"{what} {value:,.2f}".removesuffix(".00") for what, value in r.details.items()
        )
        lines += ["", f"{r.variant.name}: {numbers}."] if numbers else []
    lines += ["", measured(rounds)]
    return "\n".join(lines)


def _pairs(suite: Suite, results: Sequence[Measured], rounds: int) -> str:
    """Escudo beside an alternative for each of several jobs."""
    lines = [
        f"### {suite.title}",
        "",
        suite.note,
        "",
        "| search | rows | Escudo s | SQL s | ratio | Escudo CPU s | SQL CPU s | CPU ratio "
        "| peak MB | SQL peak MB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    over: list[str] = []
    for ours, other in zip(results[::2], results[1::2], strict=True):
        ratio = ours.median / other.median
        cpu, other_cpu = median(ours.cpu), median(other.cpu)
        lines.append(
            f"| {ours.variant.name} | {ours.rows:,} | {ours.median:.3f} | {other.median:.3f} "
            f"| {ratio:.2f} | {cpu:.3f} | {other_cpu:.3f} | {cpu / other_cpu:.2f} "
            f"| {max(ours.peak_mb):,.0f} | {max(other.peak_mb):,.0f} |"
        )
        measured_by = cpu / other_cpu if suite.by_cpu else ratio
        if suite.limit is not None and measured_by > suite.limit and not other.variant.partial:
            over.append(ours.variant.name)
    if suite.limit is not None:
        verdict = f"NOT kept by {', '.join(over)}" if over else "kept"
        of = "the SQL's processor time" if suite.by_cpu else "the SQL"
        lines += ["", f"Promise: at most {suite.limit:g} times {of}: {verdict}."]
    lines += ["", measured(rounds)]
    return "\n".join(lines)


def measured(rounds: int) -> str:
    """On what, and when."""
    return f"{rounds} interleaved rounds on {_machine()}, {datetime.now(UTC):%Y-%m-%d}."


def write(name: str, text: str) -> None:
    """Replace a suite's part of the README."""
    start, end = f"<!-- {name}:start -->", f"<!-- {name}:end -->"
    page = README.read_text("utf-8")
    before, found, rest = page.partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{README} has no markers {start} ... {end}")
    README.write_text(f"{before}{start}\n{text}\n{end}{after}", "utf-8")


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
