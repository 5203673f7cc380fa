"""A simulated stretch of time: hourly detections, outages, late data, a clock that is set.

``python -m tests.schedule.month --days 30 --detections 1500`` prints the figures of a month.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from escudo.actions.engines import DuckDBEngines
from escudo.content import Content
from escudo.detect.screening import Screener
from escudo.lake.maintenance import compact
from escudo.schedule.backfill import open_gaps
from escudo.schedule.planned_search import PlannedSearch, plan_searches
from escudo.schedule.planning import plan_windows
from escudo.schedule.window_runs import Equipment
from escudo.schedule.worker import Worker
from tests.schedule.scene import DAY, HOUR, Scene, make_detection, play, with_detections

BEGIN = 1_710_460_800.0
"""2024-03-15T00:00:00Z; summer time begins in Europe on the 31st."""

_SEARCH = (
    '| tstats count from datamodel=Endpoint.Processes where Processes.process_name="tool{n}.exe"'
    " by Processes.dest _time span=1s | rename Processes.* as *"
)


@dataclass
class Figures:
    """What came of it. ``due`` is how many windows there had to be."""

    days: int
    detections: int
    due: int = 0
    ran: int = 0
    missed: int = 0
    doubled: int = 0
    reopened: int = 0
    outages: int = 0
    clock_changes: int = 0
    late_events: int = 0
    planted: int = 0
    found_before_backfill: int = 0
    found: int = 0
    missed_after_backfill: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_first_day: int = 0
    memory_end: int = 0
    state_bytes: int = 0


@dataclass
class _Event:
    time: float
    arrives: float
    tool: int


class Month:
    """The simulation; ``play`` it once."""

    def __init__(self, scene: Scene, *, days: int, detections: int, seed: int = 1) -> None:
        self._scene = scene
        self._chance = random.Random(seed)
        self.figures = Figures(days, detections)
        self._detections = [
            make_detection(n, search=_SEARCH.format(n=n)) for n in range(detections)
        ]
        self._end = BEGIN + days * DAY
        self._events = self._plant()
        self._outages = self._choose_outages(days)

    def _plant(self) -> list[_Event]:
        """Six events an hour; one in twenty comes up to nine hours late."""
        out = []
        for hour in range(int((self._end - BEGIN) / HOUR) - 14):
            for _ in range(6):
                at = BEGIN + hour * HOUR + self._chance.randrange(3600)
                late = self._chance.random() < 0.05
                delay = self._chance.uniform(HOUR, 9 * HOUR) if late else self._chance.random() * 60
                tool = self._chance.randrange(self.figures.detections)
                out.append(_Event(at, at + delay, tool))
                self.figures.late_events += late
        self.figures.planted = len({(e.time, e.tool) for e in out})
        return sorted(out, key=lambda event: event.arrives)

    def _choose_outages(self, days: int) -> list[tuple[float, float]]:
        """Every fifth day nothing runs for one to twenty hours."""
        out = []
        for day in range(1, days - 1, 5):
            begin = BEGIN + day * DAY + self._chance.uniform(0, 12 * HOUR)
            out.append((begin, begin + self._chance.uniform(HOUR, 20 * HOUR)))
        self.figures.outages = len(out)
        return out

    def play(self) -> Figures:
        """The stretch of time, then the gaps; what came of it."""
        content = with_detections(self._detections)
        searches, _ = plan_searches(content, self._detections)
        worker = self._open_worker(content, searches)
        begun, begun_cpu = time.monotonic(), time.process_time()
        now = BEGIN + HOUR
        while now <= self._end:
            self._deliver(now)
            if not any(low <= now < high for low, high in self._outages):
                self._step(worker, now)
            now += HOUR
            if now - BEGIN == DAY:
                self.figures.memory_first_day = _measure_memory()
            if (now - BEGIN) % (6 * HOUR) == 0:
                compact(self._scene.lake)
        self.figures.seconds = round(time.monotonic() - begun, 1)
        self.figures.cpu_seconds = round(time.process_time() - begun_cpu, 1)
        self.figures.memory_end = _measure_memory()
        self._count()
        self.figures.found_before_backfill = self._scene.count_rows("raw_notable")
        planned = plan_windows(self._scene.state, searches, self._end)
        open_gaps(self._scene.state, planned.searches, now=self._end)
        worker.step(self._end)
        self.figures.found = self._scene.count_rows("raw_notable")
        self.figures.missed_after_backfill = self._ask("SELECT coalesce(sum(windows), 0) FROM gaps")
        return self.figures

    def _open_worker(self, content: Content, searches: Sequence[PlannedSearch]) -> Worker:
        equipment = Equipment(
            content=content,
            lake=self._scene.lake,
            engine_of=DuckDBEngines(),
            screener=Screener(),
        )
        return Worker(self._scene.state, searches, equipment)

    def _step(self, worker: Worker, now: float) -> None:
        """A step a few seconds after the hour; now and then the clock is wrong before it."""
        seconds = self._chance.uniform(0, 30)
        if self._chance.random() < 0.03:  # set back over the full hour
            worker.step(now + 1)
            worker.step(now - 2)
            self.figures.clock_changes += 1
        if self._chance.random() < 0.01:  # ahead by some hours, and set right
            worker.step(now + 5 * HOUR)
            self.figures.clock_changes += 1
        worker.step(now + seconds)

    def _deliver(self, now: float) -> None:
        come = [e for e in self._events if e.arrives < now]
        if come:
            self._events = self._events[len(come) :]
            add_tools(self._scene, [(e.time, e.tool) for e in come])

    def _count(self) -> None:
        figures = self.figures
        hours = int((self._end - BEGIN) / HOUR)
        figures.due = hours * figures.detections
        figures.ran = self._ask("SELECT count(*) FROM windows WHERE state = 'done'")
        figures.missed = self._ask("SELECT coalesce(sum(windows), 0) FROM gaps")
        figures.reopened = self._ask("SELECT count(*) FROM windows WHERE runs > 1")
        figures.doubled = self._ask(
            "SELECT count(*) FROM windows w JOIN gaps g ON g.search_id = w.search_id"
            " AND w.due BETWEEN g.first_due AND g.last_due"
        )
        file = self._scene.state.engine.url.database
        if file is not None and Path(file).exists():
            figures.state_bytes = Path(file).stat().st_size

    def _ask(self, statement: str) -> int:
        ((number,),) = self._scene.ask(statement)
        return int(number)


def add_tools(scene: Scene, events: Sequence[tuple[float, int]]) -> None:
    """Processes ``tool<n>.exe`` at times, in one commit."""
    count = len(events)
    stamps = pa.array([round(t * 1_000_000) for t, _ in events], pa.int64())
    stamps = stamps.cast(pa.timestamp("us", tz="UTC"))
    names = pa.array([f"tool{n}.exe" for _, n in events])
    with scene.lake.writer() as writer:
        ids = pa.array(list(scene.lake.ledger.allocate(count)), pa.int64())
        raw = {"_time": stamps, "_event_id": ids, "_raw": names}
        writer.append_rows("raw_sysmon", pa.table(raw))
        rows = {
            "_time": stamps,
            "_event_id": ids,
            "dest": pa.array(["pc1"] * count),
            "process_name": names,
            "process_name_lc": names,
        }
        writer.append_rows("endpoint_processes", pa.table(rows))
        writer.commit(kind="ingest")


def _measure_memory() -> int:
    """MB that the process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() >> 20


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="escudo-month-") as name:
        yield Path(name)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--detections", type=int, default=1500)
    given = parser.parse_args()
    with _folder() as folder, play(folder) as scene:
        figures = Month(scene, days=given.days, detections=given.detections).play()
    print(json.dumps(asdict(figures), indent=2))


if __name__ == "__main__":
    main()
