"""Files of events, what they are called -> a lake that holds them, made once; for tests of
detections, which ask many searches of the same few files.

A lake is known by the bytes of its files, their labels, the sources that read them, and Escudo's
own code (``core.disk_cache.code_digest``); so a stale one is never found.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import orjson

from escudo.cim.normalise import Normaliser
from escudo.core.catalog import Catalog, OtherRawTables
from escudo.core.disk_cache import code_digest
from escudo.core.errors import EscudoError, Severity
from escudo.core.schema import TableSchema
from escudo.findings.risk import SOURCETYPE
from escudo.findings.stash import read_stash
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from escudo.lake.ingest_options import IngestOptions
from escudo.lake.labels import Labels, open_labels
from escudo.lake.normalising import make_normaliser
from escudo.lake.report import IngestReport
from escudo.lake.tables import RISK, Tables
from escudo.sources.date_order import DateOrder

MOST_LAKES = 2_000
"""Lakes that are kept on the disk; those that were not used for longest go. A small file's has
100 kB (2026-11-29)."""

_OPEN_LAKES = 8
"""Lakes that one process keeps open."""

_REPORT = "escudo-test-data.json"


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """A file, and what its events carry."""

    path: Path
    labels: Labels


@dataclass(frozen=True)
class Reading:
    """What was read of some files: events, those that no source knows, and why others were not.

    ``unknown`` are events that met no source, ``blind`` those that no detection can see.
    """

    events: int = 0
    unknown: int = 0
    blind: int = 0
    families: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class HeldData:
    """A lake, what was read into it, and the catalog of its events as they are labelled."""

    lake: Lake
    reading: Reading
    catalog: Catalog


class LakeCache:
    """Lakes of test data. Not for several threads; processes may share its folder.

    Args:
        folder: where lakes are kept from one run to the next; None: as long as the process.
        tables: what a lake can hold.
    """

    def __init__(self, folder: Path | None, tables: Tables) -> None:
        self._folder = folder
        self._tables = tables
        self._open: OrderedDict[str, HeldData] = OrderedDict()

    def hold(self, files: Sequence[LabelledFile]) -> HeldData:
        """The lake of some files, made if there is none yet. It stays open for a few more calls.

        Raises:
            EscudoError: what the lake raises; OSError where a file cannot be read.
        """
        key = self.name(files)
        held = self._open.get(key)
        if held is None:
            held = self._find(key) or self._make(key, files)
            self._open[key] = held
            while len(self._open) > _OPEN_LAKES:
                self._open.popitem(last=False)[1].lake.close()
        self._open.move_to_end(key)
        return held

    def close(self) -> None:
        """Closes the lakes, and takes the oldest from the disk where there are too many."""
        while self._open:
            self._open.popitem()[1].lake.close()
        if self._folder is not None and self._folder.is_dir():
            _prune(self._folder)

    def name(self, files: Sequence[LabelledFile]) -> str:
        """What tells the lake of some files from any other."""
        digest = hashlib.blake2b(code_digest(), digest_size=16)
        digest.update(repr([f.definition.values for f in self._tables.families.own]).encode())
        for file in files:
            digest.update(_digest_file(str(file.path), file.path.stat().st_mtime_ns))
            digest.update(repr(file.labels).encode())
        return digest.hexdigest()

    def _find(self, key: str) -> HeldData | None:
        if self._folder is None:
            return None
        path = self._folder / key
        with suppress(OSError, orjson.JSONDecodeError, TypeError, KeyError, EscudoError):
            told = orjson.loads((path / _REPORT).read_bytes())
            reading = Reading(**{**told, "problems": tuple(told["problems"])})
            os.utime(path)
            return self._held(Lake.open(path, create=False, tables=self._tables), reading)
        shutil.rmtree(path, ignore_errors=True)  # it is damaged, if it is there
        return None

    def _make(self, key: str, files: Sequence[LabelledFile]) -> HeldData:
        if self._folder is None:
            lake = Lake.create_temporary(tables=self._tables)
            return self._held(lake, self._fill(lake, files))
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".draft-{key[:8]}-", dir=self._folder))
        try:
            with Lake.open(draft, tables=self._tables) as lake:
                reading = self._fill(lake, files)
            (draft / _REPORT).write_bytes(orjson.dumps(asdict(reading)))
            with suppress(OSError):  # another process was faster
                draft.rename(self._folder / key)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        path = self._folder / key
        return self._held(Lake.open(path, create=False, tables=self._tables), reading)

    def _held(self, lake: Lake, reading: Reading) -> HeldData:
        return HeldData(lake, reading, OtherRawTables(lake.snapshot(), self._raw))

    @cached_property
    def _raw(self) -> tuple[TableSchema, ...]:
        return open_labels(self._tables.raw)

    def _fill(self, lake: Lake, files: Sequence[LabelledFile]) -> Reading:
        readings = [
            _fill_stash(lake, file)
            if (file.labels.sourcetype or "").lower() == SOURCETYPE
            else self._ingest(lake, file)
            for file in files
        ]
        families: Counter[str] = Counter()
        for reading in readings:
            families.update(reading.families)
        return Reading(
            sum(r.events for r in readings),
            sum(r.unknown for r in readings),
            sum(r.blind for r in readings),
            dict(families),
            tuple(p for r in readings for p in r.problems),
        )

    def _ingest(self, lake: Lake, file: LabelledFile) -> Reading:
        report = ingest(
            [file.path],
            lake,
            IngestOptions(
                force=True,
                date_order=DateOrder.MDY,  # as Splunk reads the text of Windows events
                labels=file.labels,
            ),
            normaliser=self._normaliser,
        )
        return read_report(report, lake.tables)

    @cached_property
    def _normaliser(self) -> Normaliser:
        return make_normaliser()


def read_report(report: IngestReport, tables: Tables) -> Reading:
    """What an ingest says of how its files were read."""
    problems = [d.message for d in report.diagnostics if d.severity is Severity.ERROR]
    if report.rejected:
        problems.append(f"{report.rejected:,} pieces of the input are no events")
    general = (tables.families.fallback, tables.families.general_text)
    unknown = sum(report.families[family.name] for family in general)
    return Reading(report.read, unknown, report.blind, dict(report.families), tuple(problems))


def _fill_stash(lake: Lake, file: LabelledFile) -> Reading:
    schema = next(s for s in lake.raw_tables() if s.table == RISK)
    rows = read_stash(file.path, schema, file.labels)
    if not rows.num_rows:
        return Reading(problems=(f"{file.path.name}: no stash event begins in it",))
    with lake.writer() as writer:
        writer.append_rows(RISK, rows)
        writer.commit(kind="stash")
    return Reading(rows.num_rows, families={"stash": rows.num_rows})


@lru_cache(maxsize=4096)
def _digest_file(path: str, _changed: int) -> bytes:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()


def _prune(folder: Path) -> None:
    lakes: list[tuple[float, Path]] = []
    for path in folder.iterdir():
        with suppress(OSError):
            lakes.append((path.stat().st_mtime, path))
    for _, path in sorted(lakes, reverse=True)[MOST_LAKES:]:
        shutil.rmtree(path, ignore_errors=True)
