"""A lake, a state, detections of a line each and a clock that tests set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from escudo import content
from escudo.actions.engines import DuckDBEngines
from escudo.content import Content, Detection, RiskConfig, RiskObject, Schedule, Throttling
from escudo.detect.screening import Screener
from escudo.lake import Lake
from escudo.schedule.database import State
from escudo.schedule.planned_search import plan_searches
from escudo.schedule.window_runs import Equipment
from escudo.schedule.worker import Worker
from escudo.sinks import Sink
from escudo.sinks.dispatch import Dispatcher

OWN = content.load()
HOUR = 3600.0
DAY = 24 * HOUR
START = 1_700_006_400.0
"""2023-11-15T00:00:00Z."""

HOURLY = Schedule("0 * * * *", "-70m@m", "-10m@m")
_TEMPLATE = OWN.detection("Process Execution via WMI")
RISKY_ROWS = (
    "| tstats count min(_time) as firstTime from datamodel=Endpoint.Processes"
    ' where Processes.process_name="{name}" by Processes.dest Processes.user'
    " | rename Processes.* as *"
)


def make_detection(number: int = 1, **changes: Any) -> Detection:
    """A detection of processes named ``bad.exe``, hourly; its row is a host and user of an hour."""
    usual: dict[str, Any] = {
        "name": f"Detection {number}",
        "id": f"00000000-0000-4000-8000-{number:012}",
        "type": "TTP",
        "search": RISKY_ROWS.format(name="bad.exe"),
        "risk": RiskConfig("seen on $dest$", (RiskObject("dest", "system", 50),)),
        "drilldowns": (),
        "schedule": HOURLY,
        "tests": (),
    }
    return replace(_TEMPLATE, **{**usual, **changes})


def throttle(detection: Detection, seconds: int, *fields: str) -> Detection:
    """The detection with throttling."""
    tags = replace(detection.tags, throttling=Throttling(fields, seconds))
    return replace(detection, tags=tags)


def with_detections(detections: Sequence[Detection]) -> Content:
    """Escudo's own content with these detections in place of its own."""
    return replace(OWN, detections=tuple(detections))


@dataclass
class Scene:
    """What a test plays with. ``wall`` is the clock of leases."""

    lake: Lake
    state: State
    wall: float = START

    def add(
        self,
        *times: float,
        name: str = "bad.exe",
        dest: str = "pc1",
        user: str = "ann",
        kind: str = "ingest",
    ) -> None:
        """Processes at times (epoch seconds), in one commit as an ingest makes it."""
        stamps = pa.array([round(t * 1_000_000) for t in times], pa.int64())
        stamps = stamps.cast(pa.timestamp("us", tz="UTC"))
        count = len(times)
        with self.lake.writer() as writer:
            ids = list(self.lake.ledger.allocate(count))
            raw = {
                "_time": stamps,
                "_event_id": pa.array(ids, pa.int64()),
                "_raw": pa.array(["event"] * count),
                "index": pa.array(["main"] * count),
                "host": pa.array([dest] * count),
            }
            writer.append_rows("raw_sysmon", pa.table(raw))
            rows = {
                "_time": stamps,
                "_event_id": pa.array(ids, pa.int64()),
                "dest": pa.array([dest] * count),
                "user": pa.array([user] * count),
                "process_name": pa.array([name] * count),
            }
            schema = self.lake.dataset("Endpoint", "Processes")
            assert schema is not None
            for column in schema.columns:
                if column.lower is not None and column.name in rows:
                    rows[column.lower] = pa.compute.utf8_lower(rows[column.name])
            writer.append_rows(schema.table, pa.table(rows))
            writer.commit(kind=kind)

    def make_worker(
        self,
        *detections: Detection,
        sinks: Sequence[Sink] = (),
        content: Content | None = None,
        **options: Any,
    ) -> Worker:
        content = content or with_detections(detections)
        searches, problems = plan_searches(content, detections)
        assert not problems
        equipment = Equipment(
            content=content, lake=self.lake, engine_of=DuckDBEngines(), screener=Screener()
        )
        dispatcher = Dispatcher(sinks)
        return Worker(
            self.state, searches, equipment, outlet=dispatcher, wall=lambda: self.wall, **options
        )

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of the state."""
        with self.state.begin() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement)).all()]

    def ask_to(self, statement: str) -> None:
        """Changes the state behind everybody's back."""
        with self.state.begin() as connection:
            connection.execute(sa.text(statement))

    def count_rows(self, table: str) -> int:
        """Rows of a table of the lake."""
        return sum(f.rows for f in self.lake.snapshot().data_files(table))


@contextmanager
def play(folder: Path, place: str | Path | None = None) -> Iterator[Scene]:
    """A scene whose files are in a folder; its state is SQLite's unless a URL is given."""
    state = State.open(place or folder / "schedule.sqlite")
    with Lake.open(folder / "lake") as lake, state:
        yield Scene(lake, state)
