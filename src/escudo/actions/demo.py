"""A seed -> a generated day, hunted, and what an analyst opens; called by ``escudo demo``."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from escudo import content as contents
from escudo.actions.context import Context, open_context
from escudo.actions.engines import DuckDBEngines
from escudo.actions.hunt import Hunt, HuntFollower, LogHunt, hunt_logs, plan_hunt
from escudo.actions.ingest import ingest_logs
from escudo.actions.match_rows import iterate_match
from escudo.actions.run import fill_gaps, prepare_worker
from escudo.actions.workspace import Workspace
from escudo.core.timerange import TimeRange
from escudo.detect import Match
from escudo.generate.answers import Answers
from escudo.generate.generate import generate
from escudo.lake import Lake
from escudo.schedule.clock import SystemClock
from escudo.schedule.database import State
from escudo.schedule.worker import Step

_DAY = 86_400.0


@dataclass(frozen=True)
class Score:
    """A detection against the answer file: processes planted for it, found, reported beside."""

    detection: str
    planted: int
    found: int
    others: int


@dataclass(frozen=True)
class Demo:
    """A hunt through a generated day. ``context`` is that of the row whose host and user have the
    most risk."""

    hunt: LogHunt
    context: Context
    scores: tuple[Score, ...]


class DemoFollower(HuntFollower):
    """Is told how far a demo is; this one does not care."""

    def follow_generation(
        self, events: int
    ) -> AbstractContextManager[Callable[[int, int], None] | None]:
        """What is told, done and in all, of the events that are generated."""
        return nullcontext()

    def tell_generated(self, answers: Answers, size: int) -> None:
        """The log is written; its size is in bytes."""


def run_demo(events: int, seed: int, follower: DemoFollower | None = None) -> Demo:
    """Generates a Windows day with attacks hidden in it, and hunts it with Escudo's detections.

    The log and the lake are gone afterwards.
    """
    follower = follower or DemoFollower()
    content = contents.load()
    with (
        tempfile.TemporaryDirectory(prefix="escudo-demo-") as folder,
        Lake.create_temporary() as lake,
    ):
        log = Path(folder) / "sysmon.xml"
        now = time.time()
        workspace = Workspace(content=content, lake=lake, engine_of=DuckDBEngines(), now=now)
        with follower.follow_generation(events) as progress:
            answers = generate(events, seed, "xml", log, progress=progress)
        follower.tell_generated(answers, log.stat().st_size)
        hunt = hunt_logs([log], workspace, plan_hunt(content), follower=follower)
        match, row = _find_riskiest(hunt.hunt)
        context = Context() if match is None else open_context(match, row, workspace)
        return Demo(hunt, context, tuple(_score_detections(hunt.hunt, answers)))


def fill_demo(
    events: int,
    seed: int,
    lake: Lake,
    *,
    state: State,
    follower: DemoFollower | None = None,
) -> Step:
    """Generates the same day as ``run_demo``, moved to yesterday, reads it into a lake, and runs
    Escudo's detections over it by their schedules, so that their findings wait in the queue."""
    follower = follower or DemoFollower()
    content = contents.load()
    clock = SystemClock()
    now = clock.now()
    midnight = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with tempfile.TemporaryDirectory(prefix="escudo-demo-") as folder:
        log = Path(folder) / "sysmon.xml"
        with follower.follow_generation(events) as progress:
            answers = generate(
                events, seed, "xml", log, start=midnight - timedelta(days=1), progress=progress
            )
        follower.tell_generated(answers, log.stat().st_size)
        with follower.follow_ingest() as counted:
            ingest_logs([log], lake, progress=counted)
    workspace = Workspace(content=content, lake=lake, engine_of=DuckDBEngines(), now=now)
    prepared = prepare_worker(plan_hunt(content), workspace, state)
    try:
        within = TimeRange(midnight.timestamp() - _DAY, midnight.timestamp())
        _, step = fill_gaps(prepared, state, within, now=now, clock=clock)
    finally:
        prepared.worker.leave()
    return step


def _find_riskiest(hunt: Hunt) -> tuple[Match | None, int]:
    """The match and row whose risk objects have the most risk together; the earliest of equals."""
    rows = [
        (match, i, row) for match, _ in hunt.hits() for i, row in enumerate(iterate_match(match))
    ]
    risk: Counter[str] = Counter()
    for _, _, row in rows:
        for item in row["risk_objects"]:
            risk[item["value"].lower()] += item["score"]

    def rank(entry: tuple[Match, int, dict[str, Any]]) -> tuple[int, str]:
        row = entry[2]
        return -sum(risk[item["value"].lower()] for item in row["risk_objects"]), row["_time"]

    first = min(rows, key=rank, default=None)
    return (first[0], first[1]) if first is not None else (None, 0)


def _score_detections(hunt: Hunt, answers: Answers) -> Iterator[Score]:
    """Whether each detection found what was planted for it, and nothing else.

    A rule over the risk index has no process of its own planted, and is not asked.
    A process may be recorded twice, by Sysmon and by Security auditing (ids in hex there).
    """
    for match in hunt.matches:
        name = match.detection.name
        planted = {(a.host.lower(), a.process_id) for a in answers.processes if name in a.expect}
        if not planted:
            continue
        rows = match.rows.select(["dest", "process_id"]).to_pylist()
        hit = {(row["dest"].lower(), int(row["process_id"], 0)) for row in rows}
        yield Score(name, len(planted), len(hit & planted), len(hit - planted))
