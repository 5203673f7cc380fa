"""`escudo timeline` and `escudo tree`: what was found, and what was around it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.conftest import Run, json_lines, write_detections
from tests.lake.logs import sysmon

START = 1_700_000_000.0
DETECTION = """
name: Third Of A Host
id: 55555555-2222-3333-4444-000000000001
version: 1
date: '2024-01-01'
author: me
status: production
type: TTP
description: For the test.
data_source: [Sysmon EventID 1]
search: |-
  | tstats count from datamodel=Endpoint.Processes where Processes.process="*echo * 3"
  by _time span=1s Processes.dest Processes.user Processes.process | rename Processes.* as *
how_to_implement: none
known_false_positives: none
rba:
  message: $process$ on $dest$
  risk_objects:
  - {field: dest, type: system, score: 25}
  - {field: user, type: user, score: 25}
  threat_objects: []
tags:
  analytic_story: []
  asset_type: Endpoint
  mitre_attack_id: [T1059.003]
  security_domain: endpoint
  product: [x]
"""


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_detections(tmp_path_factory.mktemp("content"), DETECTION)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hosts at the same time, one of them again an hour later, and one that nothing befalls."""
    folder = tmp_path_factory.mktemp("logs")
    texts = {
        "a.xml": sysmon(10).replace("pc1", "pca.example.org"),
        "b.xml": sysmon(10, start=START + 3600)
        .replace("pc1", "pca.example.org")
        .replace("{0-", "{1-"),
        "c.xml": sysmon(10, start=START + 1).replace("pc1", "pcb"),
        "d.xml": sysmon(3).replace("pc1", "pcc"),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, escudo: Run, logs: Path, content: Path) -> Path:
    place = tmp_path_factory.mktemp("lake") / "lake"
    done = escudo("hunt", logs, "--content", content, "--lake", place, "--format", "jsonl")
    assert len(json_lines(done.stdout)) == 3, done.stderr
    return place


@pytest.mark.quick
def test_a_lake_that_was_hunted_has_its_hits_in_order(escudo: Run, lake: Path) -> None:
    done = escudo("timeline", "--lake", lake, "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    rows = json_lines(done.stdout)
    assert [(r["_time"], r["host"]) for r in rows] == [
        ("2023-11-14T22:13:23.000Z", "pca.example.org"),
        ("2023-11-14T22:13:24.000Z", "pcb"),
        ("2023-11-14T23:13:23.000Z", "pca.example.org"),
    ]
    first = rows[0]
    assert first["kind"] == "hit"
    assert (first["detection"], first["severity"]) == ("Third Of A Host", "low")
    assert (first["risk_score"], first["mitre_attack_id"]) == (25, ["T1059.003"])
    assert first["process"] == "cmd.exe /c echo  3"
    assert first["user"] == "PC1\\ann"
    assert first["message"] == "cmd.exe /c echo  3 on pca.example.org"
    assert "3 entries" in done.stderr


def test_logs_are_hunted_first(escudo: Run, logs: Path, content: Path, lake: Path) -> None:
    done = escudo("timeline", logs, "--content", content, "--format", "jsonl", "--quiet")
    of_lake = escudo("timeline", "--lake", lake, "--format", "jsonl", "--quiet")
    assert done.stdout == of_lake.stdout


def test_the_events_of_a_hits_host_around_it(escudo: Run, lake: Path) -> None:
    done = escudo("timeline", "--lake", lake, "--around", "2s", "--format", "jsonl")
    rows = json_lines(done.stdout)
    times = [r["_time"] for r in rows]
    assert times == sorted(times)
    events = [r for r in rows if r["kind"] == "event"]
    # five seconds around each of the three; the host to which nothing happened is not there
    assert [r["host"] for r in events].count("pca.example.org") == 10
    assert [r["host"] for r in events].count("pcb") == 5
    assert len(events) == 15
    assert "echo  1<" in events[0]["message"]
    assert events[0]["sourcetype"] == "XmlWinEventLog"
    assert Path(events[0]["source_file"]).name == "a.xml"


def test_people_see_times_of_their_zone_and_machines_utc(escudo: Run, lake: Path) -> None:
    zoned = ("timeline", "--lake", lake, "--quiet", "--tz", "Asia/Kolkata", "--format")
    lines = escudo(*zoned, "table").stdout.splitlines()
    assert [line[:19] for line in lines] == [
        "2023-11-15 03:43:23",
        "2023-11-15 03:43:24",
        "2023-11-15 04:43:23",
    ]
    plain = ("timeline", "--lake", lake, "--quiet", "--format")
    for shape in ("jsonl", "csv", "timesketch"):
        assert escudo(*zoned, shape).stdout == escudo(*plain, shape).stdout
    tree = ("tree", "--lake", lake, "--host", "pcb", "--pid", "4", "--tz", "Asia/Kolkata")
    shown = escudo(*tree, "--format", "tree").stdout
    assert "2023-11-15T03:43:25.000+05:30  cmd.exe  pcb" in shown
    rows = json_lines(escudo(*tree, "--format", "jsonl").stdout)
    assert "2023-11-14T22:13:25.000Z" in [row["_time"] for row in rows]


def test_timesketch_gets_what_it_must_have(escudo: Run, lake: Path, tmp_path: Path) -> None:
    """message, datetime, timestamp_desc are mandatory, timestamp is in microseconds (Timesketch,
    Import timeline from JSON or CSV)."""
    done = escudo("timeline", "--lake", lake, "--format", "timesketch", "--quiet")
    first = json_lines(done.stdout)[0]
    assert first["datetime"] == "2023-11-14T22:13:23.000+00:00"
    assert first["timestamp"] == 1_700_000_003_000_000
    assert first["timestamp_desc"] == "Detection"
    assert first["message"] == "low: Third Of A Host: cmd.exe /c echo  3 on pca.example.org"
    place = tmp_path / "sketch.csv"
    escudo(
        *("timeline", "--lake", lake, "--format", "timesketch", "--around", "1s"),
        *("--output", place),
    )
    with place.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:4] == ["message", "timestamp", "datetime", "timestamp_desc"]
    assert {r["timestamp_desc"] for r in rows} == {"Detection", "Event Logged"}
    assert all(r["message"] and r["datetime"] for r in rows)


def test_a_timeline_of_a_time_range_and_its_errors(escudo: Run, lake: Path, tmp_path: Path) -> None:
    late = escudo(
        *("timeline", "--lake", lake, "--earliest", "2023-11-14T23:00:00Z", "--format", "csv")
    )
    assert len(list(csv.DictReader(late.stdout.splitlines()))) == 1
    wrong = escudo("timeline", "--lake", lake, "--around", "five")
    assert wrong.returncode == 2
    assert "such as 5m" in wrong.stderr
    assert escudo("timeline").returncode == 2
    named = escudo("timeline", "--lake", lake, "--output", tmp_path / "x.pdf")
    assert "error[CLI010]" in named.stderr
    assert not (tmp_path / "x.pdf").exists()


def test_all_processes_that_had_an_id_are_shown_with_their_times(escudo: Run, lake: Path) -> None:
    done = escudo("tree", "--lake", lake, "--host", "PCA", "--pid", "0x3", "--format", "tree")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    heads = [line for line in lines if line.startswith("2023")]
    assert [line.split()[0] for line in heads] == [
        "2023-11-14T22:13:23.000Z",
        "2023-11-14T23:13:23.000Z",
    ]
    assert all("pca.example.org" in line for line in heads)
    assert sum("* cmd.exe [3]" in line for line in lines) == 2


def test_a_tree_as_rows(escudo: Run, lake: Path) -> None:
    rows = json_lines(escudo("tree", "--lake", lake, "--guid", "0-4", "--host", "pcb").stdout)
    assert [(r["depth"], r["hit"], r["process_name"]) for r in rows] == [
        (0, False, "explorer.exe"),
        (1, True, "cmd.exe"),
    ]
    assert (rows[1]["process_id"], rows[1]["_time"]) == (4, "2023-11-14T22:13:25.000Z")
    assert (rows[0]["recorded"], rows[0]["_time"]) == (False, None)


def test_a_process_that_is_not_there_is_an_error(escudo: Run, lake: Path) -> None:
    done = escudo("tree", "--lake", lake, "--host", "pca", "--pid", "99")
    assert done.returncode == 1
    assert "error[CLI012]" in done.stderr
    assert "id 99 on pca" in done.stderr
    assert escudo("tree", "--lake", lake, "--host", "pca").returncode == 2
    assert escudo("tree", "--lake", lake, "--host", "pca", "--pid", "x").returncode == 2
