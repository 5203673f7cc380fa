"""How long all detections of the real content take to compile, one by one, on one core."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from escudo.content import Content, load
from escudo.core.errors import EscudoError
from escudo.lake import Lake
from escudo.spl.compile import compile_search
from escudo.startup import spare_collections

NOW = 1_700_000_000.0


def compile_all(folder: Path, *, source: str) -> dict[str, Any]:
    """Text to SQL text for every detection, after the schemas and one search are loaded.

    A search that cannot be compiled (it names what is not part of the content) counts, too. The
    times of single detections are processor time, which a busy machine does not change.
    """
    loaded = load([Path(source)])
    spare_collections()
    with Lake.open(folder / "lake") as lake:
        snapshot = lake.snapshot()
        _compile(loaded, snapshot, loaded.detections[0].search)
        times: list[float] = []
        begun = time.perf_counter()
        for detection in loaded.detections:
            used = time.process_time()
            _compile(loaded, snapshot, detection.search)
            times.append(time.process_time() - used)
        seconds = time.perf_counter() - begun
    return {
        "rows": len(times),
        "seconds": seconds,
        "cpu": sum(times),
        "details": {
            "median, ms a detection": median(times) * 1000,
            "99th percentile, ms": quantiles(times, n=100)[98] * 1000,
            "slowest, ms": max(times) * 1000,
        },
    }


def _compile(loaded: Content, snapshot: Any, text: str) -> None:
    with suppress(EscudoError):
        compile_search(text, snapshot, loaded.knowledge, now=NOW).query.sql("duckdb", copy=False)
