"""What Escudo does in the benchmarks, through the interfaces that its users have."""

from __future__ import annotations

from pathlib import Path

from escudo.generate.generate import generate
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from escudo.startup import prepare_process


def ingest_log(folder: Path, *, source: str) -> int:
    """From a log to a committed lake: raw events with all fields, and the rows of data models."""
    prepare_process()
    with Lake.open(folder / "lake") as lake:
        report = ingest([source], lake)
    return sum(f.read for f in report.files)


def generate_log(folder: Path, *, events: int, format: str) -> int:
    return generate(events, 1, format, folder / "log").events
