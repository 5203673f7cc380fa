"""What an ingest did, every event accounted for: ``ingest`` fills it in, commands show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from escudo.core.errors import Diagnostic, Severity, Span
from escudo.sources.notes import Kind


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
    known file came in. ``notes`` counts what was told beside the events, ``seen`` shows one of each
    kind; ``unnamed`` counts process events without image and command line, ``blind`` the events
    that no detection can see, as far as this shows.
    """

    name: str
    outcome: Outcome = Outcome.INGESTED
    read: int = 0
    normalised: int = 0
    rejected: int = 0
    families: Counter[str] = field(default_factory=Counter)
    datasets: Counter[str] = field(default_factory=Counter)
    ingested: float | None = None
    notes: Counter[Kind] = field(default_factory=Counter)
    seen: dict[Kind, str] = field(default_factory=dict)
    unnamed: int = 0
    blind: int = 0

    def add(self, other: FileReport) -> None:
        """Counts what was read of another piece of the same file, too."""
        for name in ("read", "normalised", "rejected", "unnamed", "blind"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("families", "datasets", "notes"):
            getattr(self, name).update(getattr(other, name))
        self.seen = {**other.seen, **self.seen}

    def warnings(self, general: Sequence[str]) -> list[Diagnostic]:
        """What of the file was read but not understood; sets ``blind``.

        ``general`` are the families of events that met no source.
        """
        told: list[tuple[str, str]] = []
        strange, untimed = self.notes[Kind.NOT_UNDERSTOOD], self.notes[Kind.FILE_TIME]
        if strange:
            names = self.seen[Kind.NOT_UNDERSTOOD]
            message = f"{strange:,} events look like Windows' but have no known form; seen: {names}"
            told.append(("SRC060", message))
        elif self.read and sum(self.families[name] for name in general) == self.read:
            told.append(("SRC061", f"none of its {self.read:,} events met a source"))
            self.blind += self.read
        if self.unnamed:
            message = f"{self.unnamed:,} process events have no image and no command line"
            told.append(("SRC062", message))
        if untimed:
            message = (
                f"{untimed:,} events have the file's time, since their own cannot be read: "
                f"{self.seen[Kind.FILE_TIME]}"
            )
            told.append(("SRC063", message))
        if zoneless := self.notes[Kind.NO_ZONE]:
            message = f"{zoneless:,} events name no time zone; their times are taken as UTC"
            told.append(("SRC064", message))
        self.blind += strange + self.unnamed
        span = Span(self.name, 1, 1, 1, 1)
        return [Diagnostic(code, text, Severity.WARNING, span) for code, text in told]

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
    def blind(self) -> int:
        """Events that were read and not understood."""
        return sum(f.blind for f in self.files)

    def count_notes(self, kind: Kind) -> int:
        """How many events or lines of all files were told to be of a kind."""
        return sum(f.notes[kind] for f in self.files)

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
