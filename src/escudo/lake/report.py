"""What an ingest did, every event accounted for: ``ingest`` fills it in, commands show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from escudo.core.errors import Diagnostic


class Outcome(StrEnum):
    """What became of a file: ``KNOWN`` was in the lake before and was left out."""

    INGESTED = "ingested"
    KNOWN = "known"


@dataclass(slots=True)
class FileReport:
    """The events of one file (with all that an archive holds), or of standard input.

    ``datasets`` counts rows by table of a data model, ``families`` events by source family.
    ``read`` = ``normalised`` + ``kept_raw``: an event either has rows in data models or is kept
    raw only. ``rejected`` counts input that gave no event. ``ingested`` (epoch seconds) is when a
    known file came in.
    """

    name: str
    outcome: Outcome = Outcome.INGESTED
    read: int = 0
    normalised: int = 0
    rejected: int = 0
    families: Counter[str] = field(default_factory=Counter)
    datasets: Counter[str] = field(default_factory=Counter)
    ingested: float | None = None

    @property
    def kept_raw(self) -> int:
        return self.read - self.normalised


@dataclass(slots=True)
class IngestReport:
    """An ingest: its files in the order they were read, the sums over them, and what was wrong."""

    files: list[FileReport] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    commits: int = 0

    def ingested(self) -> Iterator[FileReport]:
        return (f for f in self.files if f.outcome is Outcome.INGESTED)

    def known(self) -> Iterator[FileReport]:
        return (f for f in self.files if f.outcome is Outcome.KNOWN)

    @property
    def read(self) -> int:
        return sum(f.read for f in self.files)

    @property
    def normalised(self) -> int:
        return sum(f.normalised for f in self.files)

    @property
    def kept_raw(self) -> int:
        return sum(f.kept_raw for f in self.files)

    @property
    def rejected(self) -> int:
        return sum(f.rejected for f in self.files)

    @property
    def datasets(self) -> Counter[str]:
        return sum((f.datasets for f in self.files), Counter())

    @property
    def families(self) -> Counter[str]:
        return sum((f.families for f in self.files), Counter())


class Progress(Protocol):
    """Told how far an ingest is; called from the thread that ingests."""

    def started(self, name: str, size: int | None) -> None:
        """A file begins; its size in bytes, where it is known."""
        ...

    def advanced(self, events: int, raw_bytes: int) -> None:
        """Events were read, whose text has so many bytes."""
        ...

    def finished(self, report: FileReport) -> None:
        """A file is in the lake, or was left out; small files come in together."""
        ...


class Silent:
    """Progress that nobody looks at."""

    def started(self, name: str, size: int | None) -> None:
        pass

    def advanced(self, events: int, raw_bytes: int) -> None:
        pass

    def finished(self, report: FileReport) -> None:
        pass
