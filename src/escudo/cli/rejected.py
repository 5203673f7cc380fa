"""Tells of input that gave no event, and where it is kept."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from escudo.cli.progress import show, stderr
from escudo.core.errors import Diagnostic, Span
from escudo.lake import Lake
from escudo.lake.report import IngestReport

_SHOWN = 5


def tell_rejected(report: IngestReport, lake: Lake, *, lasting: bool) -> None:
    """The first rejected inputs, their number, and the folder that keeps them all on stderr.

    Those of a lake that does not last are copied to a folder of their own.
    """
    if not report.rejected:
        return
    show([_diagnostic(row) for row in _first(lake.rejected_folder)], None)
    folder = lake.rejected_folder
    if not lasting:
        folder = Path(tempfile.mkdtemp(prefix="escudo-rejected-"))
        shutil.copytree(lake.rejected_folder, folder, dirs_exist_ok=True)
    noun = "input was" if report.rejected == 1 else "inputs were"
    stderr().print(f"{report.rejected:,} {noun} rejected; kept in {folder}", markup=False)


def _first(folder: Path) -> Iterator[dict[str, Any]]:
    told = 0
    for file in sorted(folder.glob("*.jsonl"), key=lambda f: f.stat().st_mtime, reverse=True):
        with file.open("rb") as lines:
            for line in lines:
                if told == _SHOWN:
                    return
                told += 1
                yield orjson.loads(line)


def _diagnostic(row: dict[str, Any]) -> Diagnostic:
    kind, _, number = str(row["place"]).partition(" ")
    line = int(number) if kind == "line" and number.isdigit() else 1
    place = "" if kind == "line" else f" ({row['place']})"
    span = Span(row["file"], line, 1, line, 1)
    return Diagnostic(row["code"], f"{row['message']}{place}", span=span)
