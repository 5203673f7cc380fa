"""Logs, a lake -> what came in, and what did not; called by ``escudo ingest`` and other actions."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from escudo.core.errors import Diagnostic, EscudoError, Severity, Span
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from escudo.lake.report import IngestReport, Progress
from escudo.sources.date_order import DateOrder
from escudo.sources.inventory import Inventory
from escudo.sources.opening import UnpackLimits

_TOLD = 5


@dataclass(frozen=True)
class Ingested:
    """What an ingest did. ``rejected`` tells of the first inputs that gave no event;
    ``rejected_folder`` has them all, those of earlier runs, too, as JSON lines."""

    report: IngestReport
    rejected: tuple[Diagnostic, ...]
    rejected_folder: Path

    @property
    def failed(self) -> bool:
        """Whether part of the input did not come in."""
        errors = any(d.severity is Severity.ERROR for d in self.report.diagnostics)
        return errors or bool(self.report.rejected)

    @property
    def blind(self) -> bool:
        """Whether events came in that no detection can see, since they are not understood."""
        return bool(self.report.blind)

    def require_logs(self) -> None:
        """Raises CLI004 where nothing was read, and nothing was known already."""
        if not self.report.files:
            raise EscudoError("CLI004", "none of the inputs holds a log that Escudo reads")


def ingest_logs(
    logs: Sequence[Path | str],
    lake: Lake,
    *,
    force: bool = False,
    date_order: DateOrder | None = None,
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
    limits: UnpackLimits | None = None,
    names: Callable[[], Inventory] = Inventory,
) -> Ingested:
    """Reads logs into a lake; the arguments and errors are those of ``lake.ingest.ingest``."""
    report = ingest(
        logs,
        lake,
        force=force,
        date_order=date_order,
        progress=progress,
        stdin=stdin,
        limits=limits,
        names=names,
    )
    folder = lake.rejected_folder
    rejected = islice(read_rejected(folder), _TOLD) if report.rejected else ()
    return Ingested(report, tuple(rejected), folder)


def copy_rejected(ingested: Ingested) -> Path:
    """Copies the rejected inputs of a lake that does not last to a new folder, which does."""
    folder = Path(tempfile.mkdtemp(prefix="escudo-rejected-"))
    shutil.copytree(ingested.rejected_folder, folder, dirs_exist_ok=True)
    return folder


def read_rejected(folder: Path) -> Iterator[Diagnostic]:
    """What is in a folder of rejected inputs, the newest file first."""
    for file in sorted(folder.glob("*.jsonl"), key=lambda f: f.stat().st_mtime, reverse=True):
        with file.open("rb") as lines:
            yield from (_diagnostic(orjson.loads(line)) for line in lines)


def _diagnostic(row: dict[str, Any]) -> Diagnostic:
    kind, _, number = str(row["place"]).partition(" ")
    line = int(number) if kind == "line" and number.isdigit() else 1
    place = "" if kind == "line" else f" ({row['place']})"
    span = Span(row["file"], line, 1, line, 1)
    return Diagnostic(row["code"], f"{row['message']}{place}", span=span)
