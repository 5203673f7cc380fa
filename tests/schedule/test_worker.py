"""What a worker promises: a window runs once, or is a gap; a row is found once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from escudo.content import Schedule
from escudo.detect import Match
from escudo.lake import Lake
from escudo.lake.maintenance import compact
from escudo.lake.tables import NOTABLE, RISK
from escudo.schedule import window_runs
from escudo.schedule import worker as worker_module
from escudo.schedule.status import read_status
from escudo.sinks import Delivery, Finding
from tests.schedule.scene import DAY, HOUR, OWN, START, Scene, make_detection, throttle


def test_a_window_runs_once(any_scene: Scene) -> None:
    """-70m@m to -10m@m at 01:00 is 23:50 to 00:50."""
    any_scene.add(START + 600)
    worker = any_scene.make_worker(make_detection())
    first = worker.step(START + HOUR)
    assert (first.windows, first.findings, first.risk_events) == (1, 1, 1)
    again = worker.step(START + HOUR + 1)
    assert again.windows == 0
    other = any_scene.make_worker(make_detection())
    assert other.step(START + HOUR + 2).windows == 0
    ((earliest, latest, runs),) = any_scene.ask("SELECT earliest, latest, runs FROM windows")
    assert (earliest, latest, runs) == (START - 600, START + 3000, 1)
    assert any_scene.count_rows(NOTABLE) == any_scene.count_rows(RISK) == 1


def test_windows_that_nobody_ran_are_a_gap(any_scene: Scene) -> None:
    """After an outage of five hours the last window runs, the four before it do not."""
    worker = any_scene.make_worker(make_detection())
    worker.step(START + HOUR)
    step = worker.step(START + 6 * HOUR)
    assert (step.windows, step.missed) == (1, 4)
    status = read_status(any_scene.state, now=START + 6 * HOUR)
    ((gap),) = status.gaps
    assert (gap.first_due, gap.last_due, gap.windows) == (START + 2 * HOUR, START + 5 * HOUR, 4)
    assert status.missed == 4
    assert status.windows["done"] == 2


def test_continuous_runs_all_that_was_missed(scene: Scene) -> None:
    worker = scene.make_worker(make_detection(), continuous=True)
    worker.step(START + HOUR)
    step = worker.step(START + 6 * HOUR)
    assert (step.windows, step.missed) == (5, 0)


def test_a_new_version_runs_from_its_last_due_time(scene: Scene) -> None:
    scene.add(START + 600)
    old = make_detection()
    scene.make_worker(old).step(START + HOUR)
    new = replace(old, version=2, search=old.search + " | where count>0")
    step = scene.make_worker(new).step(START + HOUR + 60)
    assert (step.windows, step.findings) == (1, 0), "the same row is the same finding"
    assert scene.ask("SELECT count(*) FROM searches WHERE retired IS NOT NULL") == [(1,)]
    assert scene.count_rows(NOTABLE) == 1


@pytest.mark.parametrize("kind", ["ingest", "follow:0123456789ab"])
def test_late_data_opens_its_windows_and_doubles_nothing(any_scene: Scene, kind: str) -> None:
    worker = any_scene.make_worker(make_detection())
    any_scene.add(START + 600)
    for hour in (1, 2, 3):
        worker.step(START + hour * HOUR)
    any_scene.add(START + 660, dest="pc2", kind=kind)
    step = worker.step(START + 3 * HOUR + 60)
    assert (step.reopened, step.windows, step.findings) == (1, 1, 1)
    assert any_scene.count_rows(NOTABLE) == 2, "pc1's row is the one that was found before"
    assert any_scene.ask("SELECT due, runs FROM windows ORDER BY due") == [
        (START + HOUR, 2),
        (START + 2 * HOUR, 1),
        (START + 3 * HOUR, 1),
    ]
    assert worker.step(START + 3 * HOUR + 120).windows == 0


def test_data_in_time_opens_nothing(scene: Scene) -> None:
    worker = scene.make_worker(make_detection())
    worker.step(START + HOUR)
    scene.add(START + HOUR - 60)  # in the ten minutes that the window leaves to the next one
    step = worker.step(START + HOUR + 60)
    assert (step.reopened, step.windows) == (0, 0)
    assert worker.step(START + 2 * HOUR).findings == 1


def test_compaction_is_no_new_data(scene: Scene) -> None:
    worker = scene.make_worker(make_detection())
    scene.add(START + 600)
    scene.add(START + 660)
    worker.step(START + HOUR)
    compact(scene.lake)
    assert worker.step(START + HOUR + 60).reopened == 0


def test_late_data_whose_commit_nobody_knows_any_more_opens_its_windows(scene: Scene) -> None:
    """The worker was away for longer than files are kept that have left the tables."""
    scene.make_worker(make_detection()).step(START + HOUR)
    for seconds in (600, 660):
        scene.add(START + seconds)
    compact(scene.lake)
    with sqlite3.connect(scene.lake.path / "ledger.sqlite") as ledger:
        (last,) = ledger.execute("SELECT max(id) FROM commits").fetchone()
        ledger.execute("UPDATE commits SET versions = '' WHERE id < ?", (last,))
    step = scene.make_worker(make_detection()).step(START + HOUR + 60)
    assert (step.reopened, step.findings) == (1, 1)


def test_a_clock_that_goes_back_repeats_nothing(scene: Scene) -> None:
    """A second or two back over the full hour is what NTP does."""
    worker = scene.make_worker(make_detection())
    assert worker.step(START + HOUR + 1).windows == 1
    assert worker.step(START + HOUR - 1).windows == 0
    assert worker.step(START + HOUR + 2).windows == 0


def test_a_clock_that_ran_ahead_is_set_right(scene: Scene) -> None:
    """A day ahead by mistake: what was planned there is planned again when it comes."""
    worker = scene.make_worker(make_detection())
    worker.step(START + HOUR)
    assert worker.step(START + DAY).missed == 22
    worker.step(START + HOUR + 60)
    assert read_status(scene.state, now=START + HOUR + 60).missed == 0
    scene.add(START + HOUR + 600)
    assert worker.step(START + 2 * HOUR).findings == 1
    assert scene.ask("SELECT due FROM windows ORDER BY due") == [
        (START + HOUR,),
        (START + 2 * HOUR,),
    ]


def test_a_search_that_fails_is_no_success(any_scene: Scene) -> None:
    broken = make_detection(2, search="| tstats count from datamodel=NoSuch.Model")
    step = any_scene.make_worker(make_detection(), broken).step(START + HOUR)
    assert (step.windows, step.failed) == (2, 1)
    status = read_status(any_scene.state, now=START + HOUR)
    assert status.windows["failed"] == status.windows["done"] == 1
    (error,) = status.errors
    assert (error.search, error.windows) == ("Detection 2", 1)
    assert error.code.startswith("SPL")


def test_throttling_keeps_later_rows_quiet(any_scene: Scene) -> None:
    """A day for each host: neither risk nor finding, until it is over."""
    detection = throttle(make_detection(), int(DAY), "dest")
    worker = any_scene.make_worker(detection)
    any_scene.add(START + 600)
    assert worker.step(START + HOUR).findings == 1
    any_scene.add(START + HOUR + 600, user="bob")
    any_scene.add(START + HOUR + 600, dest="pc2")
    step = worker.step(START + 2 * HOUR)
    assert (step.findings, step.risk_events, step.throttled) == (1, 1, 1)
    any_scene.add(START + DAY + 700)
    assert worker.step(START + DAY + HOUR).findings == 1


class Recorder:
    """A sink that keeps what it gets, and fails when it is told to."""

    name = "recorder"

    def __init__(self) -> None:
        self.got: list[Finding] = []
        self.broken = False

    def send(self, findings: Sequence[Finding]) -> Delivery:
        if self.broken:
            raise ConnectionError("nobody is there")
        self.got += findings
        return Delivery(len(findings))

    def close(self) -> None:
        pass


def test_findings_are_sent_once_and_again_after_a_failure(any_scene: Scene) -> None:
    sink = Recorder()
    worker = any_scene.make_worker(make_detection(), sinks=[sink])
    sink.broken = True
    any_scene.add(START + 600)
    assert worker.step(START + HOUR).sent == 0
    (status,) = read_status(any_scene.state, now=START + HOUR).sinks
    assert (status.waiting, status.failures) == (1, 1)
    assert status.error == "ConnectionError: nobody is there"
    sink.broken = False
    assert worker.step(START + HOUR + 1).sent == 0, "it is tried again after a pause"
    any_scene.wall += 10
    assert worker.step(START + HOUR + 2).sent == 1
    any_scene.add(START + 600)  # late data: the row changes nothing but its count
    assert worker.step(START + HOUR + 3).sent == 1
    assert len({f["event_hash"] for f in sink.got}) == len(sink.got) == 2
    assert sink.got[0]["rule_name"] == "Detection 1"
    assert sink.got[0]["dest"] == "pc1"
    assert sink.got[0]["_time"] == START + 600


def test_correlations_run_after_the_risk_that_they_read(any_scene: Scene) -> None:
    """Three detections of 50 on one host in one hour are more than 100 within a day."""
    rule = OWN.detection("Risk Threshold Exceeded For Object Over 24 Hour Period")
    detections = [make_detection(n, search=_search(n)) for n in (1, 2, 3)]
    worker = any_scene.make_worker(*detections, rule)
    any_scene.add(START + 600)
    step = worker.step(START + HOUR)
    assert (step.windows, step.risk_events, step.findings) == (4, 3, 4)
    assert worker.step(START + 2 * HOUR).findings == 0, "the object is throttled for a day"


def _search(number: int) -> str:
    return make_detection().search + f" | eval rule={number}"


@pytest.mark.parametrize("at", ["before the lake", "after the lake"])
def test_a_worker_that_dies_loses_and_doubles_nothing(
    any_scene: Scene, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """It dies beside the lake's commit; another takes its window over when its lease is over."""

    class Death(BaseException):
        pass

    def die(*_arguments: object, **_options: object) -> None:
        raise Death

    detection = throttle(make_detection(), 3600, "dest")
    any_scene.add(START + 600, user="ann")
    any_scene.add(START + 900, user="bob")
    dead = any_scene.make_worker(detection)
    with monkeypatch.context() as patched:
        if at == "before the lake":
            patched.setattr("escudo.schedule.window_runs.write_judgements", die)
        else:
            patched.setattr(dead._claims, "finish", die)
        with pytest.raises(Death):
            dead.step(START + HOUR)
    sink = Recorder()
    heir = any_scene.make_worker(detection, sinks=[sink])
    waiting = heir.step(START + HOUR + 1)
    assert (waiting.windows, waiting.held_up) == (0, True)
    any_scene.wall += 121
    step = heir.step(START + HOUR + 130)
    assert (step.windows, step.findings, step.throttled) == (1, 1, 1)
    assert any_scene.count_rows(NOTABLE) == any_scene.count_rows(RISK) == 1
    assert [f["user"] for f in sink.got] == ["ann"]


def test_who_was_thought_dead_changes_nothing(
    any_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was only slow: another worker has run its window, and what it brings late is dropped."""
    sink = Recorder()
    any_scene.add(START + 600)
    slow = any_scene.make_worker(make_detection(), sinks=[sink])
    heir = any_scene.make_worker(make_detection(), sinks=[sink])
    run_windows = worker_module.run_windows

    def run_late(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(worker_module, "run_windows", run_windows)
        any_scene.wall += 121
        assert heir.step(START + HOUR).findings == 1
        return run_windows(*arguments, **options)

    monkeypatch.setattr(worker_module, "run_windows", run_late)
    step = slow.step(START + HOUR)
    assert step.windows == 0
    assert any_scene.ask("SELECT state, runs, findings FROM windows") == [("done", 2, 1)]
    assert any_scene.count_rows(NOTABLE) == len(sink.got) == 1


def test_the_lake_may_be_hunted_beside(scene: Scene) -> None:
    """What a hunt has written for the same row stands."""
    scene.add(START + 600)
    scene.make_worker(make_detection()).step(START + HOUR)
    with Lake.open(scene.lake.path) as other:
        scene.lake = other
        step = scene.make_worker(make_detection(version=2)).step(START + HOUR + 1)
    assert (step.windows, step.findings) == (1, 0)


def test_what_ran_long_ago_is_forgotten_and_not_run_again(scene: Scene) -> None:
    """35 days; a daily search, so that there are few windows."""
    daily = make_detection(schedule=Schedule("0 0 * * *", "-24h@h", "@h"))
    worker = scene.make_worker(daily)
    for day in range(1, 41):
        worker.step(START + day * DAY)
    ((count, first),) = scene.ask("SELECT count(*), min(due) FROM windows")
    assert (count, first) == (36, START + 5 * DAY)
    assert worker.step(START + 40 * DAY + 60).windows == 0


def test_a_worker_of_some_searches_leaves_the_others_alone(any_scene: Scene) -> None:
    """Back-filling one detection neither retires the others nor waits for their windows."""
    one, two = make_detection(1), make_detection(2)
    both = any_scene.make_worker(one, two)
    both.step(START + HOUR)
    part = any_scene.make_worker(one, whole=False)
    step = part.step(START + 2 * HOUR)
    assert (step.windows, step.held_up) == (1, False)
    assert any_scene.ask("SELECT count(*) FROM searches WHERE retired IS NOT NULL") == [(0,)]
    assert both.step(START + 2 * HOUR + 1).windows == 1
    assert any_scene.ask("SELECT count(*) FROM gaps") == [(0,)]


def test_what_the_content_has_no_longer_is_a_gap_where_it_waited(any_scene: Scene) -> None:
    """Its worker died in the middle; the windows cannot be run by anyone."""
    any_scene.make_worker(make_detection(1), make_detection(2)).step(START + HOUR)
    any_scene.ask_to("UPDATE windows SET state = 'ready', reason = 'data came late'")
    step = any_scene.make_worker(make_detection(1)).step(START + HOUR + 60)
    assert (step.windows, step.held_up) == (1, False)
    (gap,) = read_status(any_scene.state, now=START + HOUR).gaps
    assert (gap.searches, gap.windows, gap.first_due) == (1, 1, START + HOUR)


def test_a_stop_leaves_what_was_not_begun(
    any_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes in the middle of two windows: none counts as run, and another worker runs both."""
    any_scene.add(START + 600)
    stop = Event()
    matched = window_runs.run_detections

    def run_detections(*arguments: Any, **options: Any) -> Iterator[Match]:
        for match in matched(*arguments, **options):
            yield match
            stop.set()

    monkeypatch.setattr(window_runs, "run_detections", run_detections)
    both = make_detection(1), make_detection(2)
    worker = any_scene.make_worker(*both)
    step = worker.step(START + HOUR, stop)
    assert (step.planned, step.windows, step.findings) == (2, 0, 0)
    assert worker.step(START + HOUR + 1, stop).windows == 0
    worker.leave()
    heir = any_scene.make_worker(*both).step(START + HOUR + 2)
    assert (heir.windows, heir.findings) == (2, 2)
    assert any_scene.count_rows(NOTABLE) == 2
