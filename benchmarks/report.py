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
    """A suite's results in Markdown. Ratios are to the fastest alternative."""
    others = [r.median for r in results[1:]]
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
    lines += [
        "",
        f"{rounds} interleaved rounds on {_machine()}, {datetime.now(UTC):%Y-%m-%d}.",
    ]
    return "\n".join(lines)


def write(suite: Suite, text: str) -> None:
    """Replace the suite's part of the README."""
    start, end = f"<!-- {suite.name}:start -->", f"<!-- {suite.name}:end -->"
    page = README.read_text("utf-8")
    before, found, rest = page.partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{README} has no markers {start} ... {end}")
    README.write_text(f"{before}{start}\n{text}\n{end}{after}", "utf-8")


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
