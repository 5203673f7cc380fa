"""``escudo follow``: what comes is read once, and what is in it is found, whatever happens."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from escudo.lake import Lake
from tests.cli.conftest import Run, json_lines
from tests.inputs.json_logs import all_once, attack, line, lines, read_numbers
from tests.lake.logs import sysmon
from tests.program import Run as Process
from tests.program import Server
from tests.sinks.servers import serve_web

pytestmark = pytest.mark.slow

LONG = os.environ.get("ESCUDO_FAULTS") == "long"
EVENTS = 5_000 if LONG else 700
"""What is written while followers are killed."""

PATIENCE = 60.0
"""Seconds that anything may take on a machine that is busy with other things."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as made:
        yield made


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def wait_until(condition: Callable[[], bool], process: Process) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, process.said()
        time.sleep(0.02)


def test_what_is_there_gives_what_a_hunt_gives(escudo: Run, tmp_path: Path) -> None:
    """Each batch by itself: a commit for each file."""
    logs = tmp_path / "logs"
    logs.mkdir()
    for start in (0, 100, 200):
        (logs / f"{start}.log").write_text(lines(range(start, start + 5)) + attack(start + 5))
    done = escudo("follow", logs, "--lake", tmp_path / "a", "--once", "--settle", 0)
    assert done.returncode == 0, done.stderr
    hunted = escudo("hunt", logs, "--lake", tmp_path / "b", "--format", "jsonl")

    def seen(text: str) -> Counter[tuple[str, str, str, str]]:
        rows = json_lines(text)
        alone = [r for r in rows if r["detection_type"] != "Correlation"]
        return Counter((r["detection"], r["_time"], r["host"], r["row"]["process"]) for r in alone)

    assert seen(done.stdout) == seen(hunted.stdout)
    assert sum(seen(done.stdout).values()) == 3
    query = 'index=* search_name="*WMI*" | stats dc(event_hash) as rows count by index | sort index'
    for lake in ("a", "b"):
        found = escudo("search", query, "--lake", tmp_path / lake, "--format", "jsonl")
        assert json_lines(found.stdout) == [
            {"index": "notable", "rows": 3, "count": 3},
            {"index": "risk", "rows": 3, "count": 6},  # of the host, and of the user
        ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_finding_is_shown_as_its_event_comes(
    server: Server, logs: Path, tmp_path: Path, number: signal.Signals
) -> None:
    log = logs / "app.log"
    log.write_text(lines(range(20)))
    process = server.start("follow", logs, "--lake", tmp_path / "lake", "--format", "lines")
    wait_until(lambda: "run on events as they come" in process.said(), process)
    for wanted in (1, 2):
        with log.open("a") as out:
            out.write(attack(100 * wanted))
        wait_until(lambda n=wanted: process.said().count(" host=pc1") == n, process)
    process.signal(number)
    done = process.wait()
    assert done.code == 0, done.err
    assert "22 events read" in done.err
    again = server.run("follow", logs, "--lake", tmp_path / "lake", "--once", "--quiet")
    assert (again.code, again.out) == (0, "")
    assert read_numbers(tmp_path / "lake") == all_once([*range(20), 100, 200])


def test_standard_input_is_followed(escudo: Run, tmp_path: Path) -> None:
    given = (lines(range(10)) + attack(10)).encode()
    done = escudo("follow", "-", "--lake", tmp_path / "lake", stdin=given)
    assert done.returncode == 0, done.stderr
    assert [r["host"] for r in json_lines(done.stdout)] == ["pc1"]
    assert read_numbers(tmp_path / "lake") == all_once(range(11))


class Writer(threading.Thread):
    """Writes numbered events into a log that it rotates, in both ways, now and then."""

    def __init__(self, log: Path, seed: int, count: int) -> None:
        super().__init__(daemon=True)
        self.log = log
        self.count = count
        self.attacks: list[int] = []
        self._random = random.Random(seed)
        self._rotations = 0

    def run(self) -> None:
        out = self.log.open("a")
        for number in range(self.count):
            planted = self._random.random() < 0.02
            if planted:
                self.attacks.append(number)
            text = attack(number) if planted else f"{line(number)}\n"
            cut = self._random.randrange(len(text))
            out.write(text[:cut])  # a line is not written at once
            out.flush()
            out.write(text[cut:])
            out.flush()
            time.sleep(self._random.random() * 0.008)
            if self._random.random() < 0.01:
                out = self._rotate(out)
        out.close()

    def _rotate(self, out):  # type: ignore[no-untyped-def]
        self._rotations += 1
        old = self.log.with_name(f"{self.log.name}.{self._rotations}")
        if self._random.random() < 0.5:
            self.log.rename(old)
            out.close()
            return self.log.open("a")
        shutil.copy(self.log, old)
        os.truncate(self.log, 0)
        return out


@pytest.mark.parametrize("followed", ["folder", "file"])
def test_each_event_is_in_the_lake_once_whenever_it_is_killed(
    server: Server, logs: Path, tmp_path: Path, followed: str
) -> None:
    lake, log = tmp_path / "lake", logs / "app.log"
    log.write_text(lines(range(1_000_000, 1_000_003)))
    target = logs if followed == "folder" else log
    out = tmp_path / "found.jsonl"
    arguments = ("follow", target, "--lake", lake, "--every", 0.1, "--sink", f"jsonl:{out}")
    assert server.run(*arguments, "--once").code == 0
    writer = Writer(log, seed=7, count=EVENTS)
    writer.start()
    chance = random.Random(3)
    kills = 0
    while writer.is_alive():
        process = server.start(*arguments)
        wait_until(lambda p=process: "run on events" in p.said(), process)
        time.sleep(chance.random() * 1.5)
        process.signal(signal.SIGKILL)
        assert process.wait().code == -signal.SIGKILL
        kills += 1
    done = server.run(*arguments, "--once")
    assert done.code == 0, done.err
    assert kills >= (2 if LONG else 1)
    assert read_numbers(lake) == all_once([*range(EVENTS), *range(1_000_000, 1_000_003)])
    found = {int(r["row"]["process"].split("echo ")[1]) for r in json_lines(out.read_text())}
    assert found == set(writer.attacks)


def test_what_a_sink_refuses_is_kept_and_sent_again(
    escudo: Run, tmp_path: Path, logs: Path
) -> None:
    (logs / "a.log").write_text(lines(range(3)) + attack(3) + attack(4))
    lake, fast = tmp_path / "lake", "attempts=1&timeout=5"
    with serve_web([400]) as web:
        sink = f"{web.url}/hook#{fast}"
        done = escudo("follow", logs, "--lake", lake, "--once", "--sink", sink)
        assert done.returncode == 1
        assert "SNK006" in done.stderr
        assert len(json_lines(done.stdout)) == 2
        letters = lake / "dead-letters.jsonl"
        assert len(json_lines(letters.read_text())) == 2
        other = escudo("sinks", "retry", letters, "--sink", f"jsonl:{tmp_path}/x.jsonl")
        assert other.returncode == 1
        assert "2 are for other sinks" in other.stderr
        again = escudo("sinks", "retry", letters, "--sink", sink)
        assert again.returncode == 0, again.stderr
        assert letters.read_text() == ""
        assert [len(r.json["findings"]) for r in web.taken] == [2]


def test_a_sink_is_tried(escudo: Run, tmp_path: Path) -> None:
    with serve_web([200, 403]) as web:
        first = escudo("sinks", "test", "--sink", f"{web.url}/hook")
        second = escudo("sinks", "test", "--sink", f"{web.url}/hook")
    assert (first.returncode, second.returncode) == (0, 1)
    assert "HTTP 403" in second.stderr


def test_metrics_are_served(server: Server, logs: Path, tmp_path: Path) -> None:
    (logs / "a.log").write_text(lines(range(5)) + attack(5))
    with serve_web([400]) as web:
        process = server.start(
            *("follow", logs, "--lake", tmp_path / "lake", "--metrics", "127.0.0.1:0"),
            *("--sink", f"jsonl:{tmp_path}/f.jsonl", "--sink", f"{web.url}/hook#attempts=1"),
        )
        wait_until(lambda: "/metrics" in process.said() and process.has_written(), process)
        (url,) = re.findall(r"http://127\.0\.0\.1:\d+/metrics", process.said())
        samples: dict[str, float] = {}

        def scraped() -> bool:
            with urllib.request.urlopen(url) as answer:
                families = list(text_string_to_metric_families(answer.read().decode()))
            samples.update(
                (s.name + "".join(f"/{v}" for v in s.labels.values()), s.value)
                for family in families
                for s in family.samples
            )
            return samples.get("escudo_arrival_to_finding_seconds_count", 0) >= 1

        wait_until(scraped, process)
        process.signal(signal.SIGTERM)
        assert process.wait().code == 1  # the webhook refused
    assert samples["escudo_ingested_events_total/sysmon"] == 6
    assert samples["escudo_findings_total/medium/TTP"] == 1
    assert samples["escudo_input_behind_bytes"] == 0
    assert samples[f"escudo_sink_findings_total/jsonl:{tmp_path}/f.jsonl"] == 1
    dead = [v for n, v in samples.items() if n.startswith("escudo_sink_dead_letters_total/http")]
    assert dead == [1]


@pytest.mark.parametrize("place", ["nowhere", "127.0.0.1:99999"])
def test_a_place_for_metrics_that_is_none_is_told(
    escudo: Run, logs: Path, tmp_path: Path, place: str
) -> None:
    done = escudo("follow", logs, "--lake", tmp_path / "lake", "--metrics", place)
    assert (done.returncode, "SYS007" in done.stderr) == (1, True)


def test_nothing_is_lost_while_the_lake_is_maintained(
    server: Server, escudo: Run, logs: Path, tmp_path: Path
) -> None:
    """Old events go, small files are merged, while events come and searches run."""
    lake, log, policy = tmp_path / "lake", logs / "app.log", tmp_path / "policy.toml"
    policy.write_text('retain = "365d"\nkeep_files = "1m"\n')
    old = sysmon(5, "old", start=1_500_000_000.0)
    (logs / "old.xml").write_text(old)
    log.touch()
    writer = Writer(log, seed=5, count=400)
    process = server.start(
        *("follow", logs, "--lake", lake, "--every", 0.05),
        *("--policy", policy, "--maintain-every", 0.2),
    )
    wait_until(lambda: "run on events" in process.said(), process)
    writer.start()
    seen = [0]
    while writer.is_alive():
        query = "index=* echo NOT old | stats count"
        found = escudo("search", query, "--lake", lake, "--format", "jsonl")
        assert found.returncode == 0, found.stderr
        seen.append(json_lines(found.stdout)[0]["count"])
    assert seen == sorted(seen)
    process.signal(signal.SIGTERM)
    done = process.wait()
    assert done.code == 0, done.err
    assert server.run("follow", logs, "--lake", lake, "--once").code == 0
    assert server.run("lake", "maintain", "--lake", lake, "--policy", policy).code == 0
    assert read_numbers(lake) == all_once(range(400))
    with Lake.open(lake) as opened:
        commits = [c.kind for c in opened.ledger.list_commits()]
        assert {"compact", "expire"} <= set(commits)
        assert commits.count("compact") >= 2


def test_a_hunt_sends_what_it_finds(escudo: Run, tmp_path: Path, logs: Path) -> None:
    (logs / "a.log").write_text(lines(range(3)) + attack(3) + attack(4))
    out, lake = tmp_path / "o.jsonl", tmp_path / "lake"
    done = escudo("hunt", logs, "--lake", lake, "--format", "jsonl", "--sink", f"jsonl:{out}")
    assert done.returncode == 0, done.stderr
    shown, sent = json_lines(done.stdout), json_lines(out.read_text())
    assert [{k: r[k] for k in shown[0]} for r in sent] == shown
    assert len({r["finding_id"] for r in sent}) == len(sent)
    with serve_web([400]) as web:
        refused = escudo("hunt", "--lake", lake, "--sink", f"{web.url}/hook")
    assert refused.returncode == 1
    assert len(json_lines((lake / "dead-letters.jsonl").read_text())) == len(shown)
