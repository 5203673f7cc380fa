"""Runs variants, each in its own process, in interleaved rounds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Variant:
    """``function`` of ``module`` gets ``arguments`` and a fresh folder, and returns rows done.

    A ``partial`` alternative does less than the job: it is shown, and no promise is measured by it.
    """

    name: str
    module: str
    function: str
    arguments: Mapping[str, Any]
    partial: bool = False


@dataclass(frozen=True)
class Suite:
    """Variants that do the same work; the first is Escudo's, the rest alternatives.

    ``limit`` is the largest ratio to the fastest alternative that the project promises.
    ``strict`` suites count rows: all variants must return the same number.
    """

    name: str
    title: str
    note: str
    events: int
    variants: Sequence[Variant]
    limit: float | None = None
    strict: bool = True
    pairs: bool = False
    """Variants come in pairs (Escudo's, then the alternative) that are compared with each other."""
    by_cpu: bool = False
    """The limit is of processor time: of pairs only."""


@dataclass
class Measured:
    variant: Variant
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Processor seconds of all threads: steadier than the clock on a busy machine."""
    peak_mb: list[float] = field(default_factory=list)
    rows: int = 0
    details: dict[str, float] = field(default_factory=dict)
    """Further numbers of the last round, by what they are."""

    @property
    def median(self) -> float:
        return median(self.seconds)


class BenchmarkError(Exception):
    """A variant failed, or variants disagree."""


def run_suite(
    suite: Suite, rounds: int, tell: Callable[[str], None], work: Path | None = None
) -> list[Measured]:
    """Measure all variants ``rounds`` times, one after the other in each round."""
    results = [Measured(v) for v in suite.variants]
    for number in range(rounds):
        for result in results:
            folder = Path(tempfile.mkdtemp(prefix="escudo-bench-", dir=work))
            try:
                _measure(result, folder)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            tell(
                f"{suite.name} round {number + 1}/{rounds} {result.variant.name}: "
                f"{result.seconds[-1]:.2f} s, {result.cpu[-1]:.2f} s of CPU, "
                f"{result.peak_mb[-1]:.0f} MB"
            )
    together = [results[i : i + 2] for i in range(0, len(results), 2)] if suite.pairs else [results]
    for compared in together:
        if suite.strict and len({r.rows for r in compared}) != 1:
            found = ", ".join(f"{r.variant.name}: {r.rows}" for r in compared)
            raise BenchmarkError(f"{suite.name}: different numbers of rows: {found}")
    return results


def _measure(result: Measured, folder: Path) -> None:
    job = {
        "module": result.variant.module,
        "function": result.variant.function,
        "arguments": dict(result.variant.arguments),
        "folder": str(folder),
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.child"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"{result.variant.name} failed:\n{done.stderr[-4000:]}")
    answer = json.loads(done.stdout.splitlines()[-1])
    result.seconds.append(answer["seconds"])
    result.cpu.append(answer["cpu"])
    result.peak_mb.append(answer["peak_mb"])
    result.rows = answer["rows"]
    result.details = answer["details"]
