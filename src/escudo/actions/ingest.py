"""Logs, a lake -> what came in, and what did not; called by ``escudo ingest`` and other actions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from escudo.core.errors import Diagnostic, EscudoError, Severity, Span
from escudo.core.places import COPY_IT, refuse_url
from escudo.core.spread import Spread
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from escudo.lake.ingest_options import AS_USUAL, IngestOptions
from escudo.lake.report import IngestReport, Progress
from escudo.lake.spread_ingest import ingest_spread
from escudo.storage import Storage

_TOLD = 5


@dataclass(frozen=True)
class Ingested:
    """What an ingest did. ``rejected`` tells of the first inputs that gave no event;
    ``rejected_folder`` has them all, those of earlier runs, too, as JSON lines."""

    report: IngestReport
    rejected: tuple[Diagnostic, ...]
    rejected_folder: Storage

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
    options: IngestOptions = AS_USUAL,
    *,
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
    spread: Spread | None = None,
) -> Ingested:
    """Reads logs into a lake, by other machines where there is a ``spread`` over them; the other
    arguments and errors are those of ``lake.ingest.ingest`` and ``lake.spread_ingest``."""
    if spread is None:
        report = ingest(logs, lake, options, progress=progress, stdin=stdin)
    else:
        report = ingest_spread(logs, lake, spread, options, progress=progress, stdin=stdin)
    folder = lake.rejected_folder
    rejected = islice(read_rejected(folder), _TOLD) if report.rejected else ()
    return Ingested(report, tuple(rejected), folder)


def refuse_remote(logs: Sequence[Path | str]) -> None:
    """Raises SYS006 where a log is at a URL, which this process does not read."""
    for log in logs:
        refuse_url(log, "log", f"{COPY_IT}; or have Spark read it there: --engine spark")


def copy_rejected(ingested: Ingested) -> Path:
    """Copies the rejected inputs of a lake that does not last to a new folder, which does."""
    folder = Path(tempfile.mkdtemp(prefix="escudo-rejected-"))
    for stored in ingested.rejected_folder.list_files():
        (folder / stored.name).write_bytes(ingested.rejected_folder.read(stored.name))
    return folder


def read_rejected(folder: Storage) -> Iterator[Diagnostic]:
    """What is in a folder of rejected inputs, the newest file first."""
    for line in read_rejected_lines(folder):
        yield _diagnostic(orjson.loads(line))


def read_rejected_lines(folder: Storage) -> Iterator[bytes]:
    """The lines of a folder of rejected inputs, the newest file first; each is JSON."""
    files = [stored for stored in folder.list_files() if stored.name.endswith(".jsonl")]
    for stored in sorted(files, key=lambda f: f.modified, reverse=True):
        with suppress(FileNotFoundError):  # taken away meanwhile
            yield from folder.read(stored.name).splitlines()


def _diagnostic(row: dict[str, Any]) -> Diagnostic:
    kind, _, number = str(row["place"]).partition(" ")
    line = int(number) if kind == "line" and number.isdigit() else 1
    place = "" if kind == "line" else f" ({row['place']})"
    span = Span(row["file"], line, 1, line, 1)
    return Diagnostic(row["code"], f"{row['message']}{place}", span=span)
