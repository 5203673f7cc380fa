"""``python -m benchmarks year``: what a lake's metadata costs as a year of commits goes by.

The files are empty: only the ledger, the tables' logs and the folder's entries are those of so many
events. On some days an hour is played minute by minute, as a server commits; all other days are
what maintenance leaves of them. What is asked then is what every reader and writer pays: opening
the lake, finding the files of the last hour, a commit of a minute, merging, vacuum.
"""

from __future__ import annotations

import json
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from os import utime
from pathlib import Path
from statistics import median
from unittest import mock

import click

from escudo.core.timerange import TimeRange
from escudo.lake import Lake, delta
from escudo.lake.delta import DataFile
from escudo.lake.identity import Identity
from escudo.lake.ledger import IngestedFile
from escudo.lake.maintenance import RETENTION
from escudo.lake.parquet_files import FULL_BYTES
from escudo.lake.vacuum import vacuum

BYTES_AN_EVENT = 180
"""At rest, raw events and rows of data models together: of generated Sysmon and Security events,
327 MB for 1,785,714 of them (2026-11-30)."""

SHARES = (0.35, 0.2, 0.15, 0.1, 0.08, 0.05, 0.03, 0.02, 0.01, 0.01)
"""How much of the bytes each of the tables has; a minute's commit adds a file to each."""

MINUTES = 60
"""Commits of the hour that is played on a sampled day."""

LOGS_A_DAY = 1_440
"""Entries of the ledger for the logs that came in: one of each minute."""

_DAY = 86_400
_VACUUM_DAYS = 7


@dataclass
class Day:
    """What it costs at the end of a day, in seconds unless it says otherwise."""

    day: int
    files: int
    largest_table: int
    open: float
    find_files: float
    commit: float
    merge: float
    vacuum: float
    ledger_bytes: int
    log_bytes: int


class _Clock:
    """A clock that is set; the machine's own where time is measured."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Year:
    """The simulation, in an empty folder; ``play`` it once.

    Args:
        events: events a day.
        days: how many of them go by.
        samples: how many of these are looked at, the first and the last among them.
    """

    def __init__(self, folder: Path, *, events: float, days: int, samples: int) -> None:
        self._folder = folder
        self._days = days
        count = max(samples - 1, 1)
        self._sampled = {round(i * (days - 1) / count) for i in range(count + 1)}
        self._clock = _Clock(time.time() - days * _DAY)
        self._begin = self._clock.now
        size = events * BYTES_AN_EVENT
        self._files = [max(round(size * share / FULL_BYTES), 1) for share in SHARES]
        self._rows = [max(round(events * share), 1) for share in SHARES]

    def play(self) -> Iterator[Day]:
        """Gives each sampled day when it is over."""
        with mock.patch("time.time", self._clock):
            for day in range(self._days):
                yield from self._play_day(day)

    def _play_day(self, day: int) -> Iterator[Day]:
        with Lake.open(self._folder) as lake:
            tables = [schema.table for schema in lake.tables.raw][: len(SHARES)]
            start = self._begin + day * _DAY
            merged = {
                table: self._make_files(table, count, rows // count, start, _DAY)
                for table, count, rows in zip(tables, self._files, self._rows, strict=True)
            }
            if day not in self._sampled:
                self._clock.now = start + _DAY
                self._commit(lake, merged, day)
                if day % _VACUUM_DAYS == 0:
                    vacuum(lake.tables_folder, lake.ledger, RETENTION)
                return
            commits, small = self._play_hour(lake, tables, start + _DAY - 60 * MINUTES)
            with _measured() as merge:
                self._merge(lake, small, merged)
            with _measured() as emptied:
                vacuum(lake.tables_folder, lake.ledger, RETENTION)
        with _measured() as opened:
            lake = Lake.open(self._folder)
        with lake, _measured() as found:
            snapshot = lake.snapshot()
            last_hour = TimeRange(self._clock.now - 3600, self._clock.now)
            for table in tables:
                snapshot.files(table, last_hour)
        counts = [len(snapshot.data_files(table)) for table in tables]
        logs = self._folder.glob("tables/*/_delta_log/*")
        yield Day(
            day=day + 1,
            files=sum(counts),
            largest_table=max(counts),
            open=opened[0],
            find_files=found[0],
            commit=round(median(commits), 3),
            merge=merge[0],
            vacuum=emptied[0],
            ledger_bytes=sum(f.stat().st_size for f in self._folder.glob("ledger*")),
            log_bytes=sum(f.stat().st_size for f in logs),
        )

    def _play_hour(
        self, lake: Lake, tables: Sequence[str], start: float
    ) -> tuple[list[float], Mapping[str, list[DataFile]]]:
        """Commits as a server makes them, a minute each: their seconds, and the files."""
        small: dict[str, list[DataFile]] = {table: [] for table in tables}
        seconds = []
        for minute in range(MINUTES):
            self._clock.now = start + 60 * (minute + 1)
            begin = self._clock.now - 60
            added = {table: self._make_files(table, 1, 1000, begin, 60) for table in tables}
            with _measured() as took:
                self._commit(lake, added, minute)
            seconds.append(took[0])
            for table, files in added.items():
                small[table] += files
        return seconds, small

    def _commit(self, lake: Lake, files: Mapping[str, list[DataFile]], number: int) -> None:
        several = LOGS_A_DAY if max(map(len, files.values())) > 1 else 1
        logs = [
            IngestedFile(Identity(number, uuid.uuid4().hex), f"log{i}", 1, 0, self._clock.now)
            for i in range(several)
        ]
        with lake.writer() as writer:
            writer.adopt(files)
            writer.commit(logs)

    def _merge(
        self,
        lake: Lake,
        small: Mapping[str, Sequence[DataFile]],
        merged: Mapping[str, Sequence[DataFile]],
    ) -> None:
        """The step of ``maintenance.compact`` that makes its files take the others' place."""
        with lake.ledger.exclusive() as transaction:
            before = transaction.head().versions
            versions = {
                table: delta.append(
                    lake.tables_folder.below(table),
                    lake.tables.layout(table).schema,
                    files,
                    small[table],
                    pinned=before[table],
                )
                for table, files in merged.items()
            }
            transaction.record("compact", {**before, **versions})
        for table, version in versions.items():
            delta.checkpoint(lake.tables_folder.below(table), before[table], version)

    def _make_files(
        self, table: str, count: int, rows: int, start: float, seconds: float
    ) -> list[DataFile]:
        """Empty files of a stretch of time, cut evenly."""
        folder = self._folder / "tables" / table
        folder.mkdir(parents=True, exist_ok=True)
        edges = [round((start + seconds * i / count) * 1_000_000) for i in range(count + 1)]
        made = []
        for low, high in pairwise(edges):
            path = folder / f"{uuid.uuid4().hex}.parquet"
            path.touch()
            utime(path, (low / 1_000_000, low / 1_000_000))
            made.append(DataFile(path.name, rows, FULL_BYTES, low, high - 1))
        return made


@contextmanager
def _measured() -> Iterator[list[float]]:
    """A list that has the seconds of the block after it."""
    took: list[float] = []
    begun = time.perf_counter()
    yield took
    took.append(round(time.perf_counter() - begun, 3))


@click.command()
@click.option("--events", default=1e9, show_default=True, help="Events a day.")
@click.option("--days", default=365, show_default=True, help="Days that go by.")
@click.option("--samples", default=5, show_default=True, help="Days that are looked at.")
def main(events: float, days: int, samples: int) -> None:
    """Simulate the metadata of a lake; one line of JSON a day that is looked at."""
    with tempfile.TemporaryDirectory(prefix="escudo-year-") as folder:
        for day in Year(Path(folder), events=events, days=days, samples=samples).play():
            click.echo(json.dumps(asdict(day)))


if __name__ == "__main__":
    main()
