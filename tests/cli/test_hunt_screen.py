"""What `escudo hunt` shows: a screen of the worst, all of it when asked for; and what it writes."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from docs.build import HERE
from rich.cells import cell_len

from escudo.actions import context
from escudo.cli.commands import hunt as hunt_command
from tests.cli.conftest import Run, json_lines, run_on_terminal, write_detections
from tests.lake.logs import sysmon

DETECTION = """
name: {name}
id: 44444444-2222-3333-4444-00000000000{number}
version: 1
date: '2024-01-01'
author: me
status: {status}
enabled_by_default: {enabled}
type: TTP
description: For the test.
data_source: [Sysmon EventID 1]
search: |-
  | tstats count from datamodel=Endpoint.Processes by _time span=1s Processes.dest Processes.user
  Processes.process | rename Processes.* as *
how_to_implement: none
known_false_positives: none
rba:
  message: $process$ on $dest$
  risk_objects: [{{field: dest, type: system, score: {score}}}]
  threat_objects: []
drilldown_searches:
- name: All of $dest$
  search: >-
    | tstats count max(_time) as _time from datamodel=Endpoint.Processes
    where Processes.dest="$dest$"
  earliest_offset: $info_min_time$
  latest_offset: $info_max_time$
tags:
  analytic_story: []
  asset_type: Endpoint
  mitre_attack_id: [T1059.003]
  security_domain: endpoint
  product: [x]
"""

HOSTILE = "\x1b]0;owned\x07\u202e"


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [
        DETECTION.format(name=name, number=number, status=status, enabled=enabled, score=score)
        for number, name, status, enabled, score in (
            (1, "Finds A Lot", "production", "true", 85),
            (2, "Finds Little", "production", "true", 25),
            (3, "Was Good Once", "deprecated", "true", 45),
            (4, "Is Turned Off", "production", "false", 45),
        )
    ]
    return write_detections(tmp_path_factory.mktemp("content"), *texts)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, escudo: Run) -> Path:
    folder = tmp_path_factory.mktemp("lake")
    log = folder / "day.xml"
    hosts = [sysmon(2).replace("pc1", f"pc{n}.example") for n in range(12)]
    strange = sysmon(1, tag=f"a&#27;b{HOSTILE[-1]} {'long ' * 60}").replace("pc1", "pc\u202e99")
    log.write_text("".join([*hosts, strange]), "utf-8")
    place = folder / "lake"
    done = escudo("ingest", log, "--lake", place, "--quiet")
    assert "read" in done.stdout, done.stderr
    return place


Hunt = tuple[object, ...]


@pytest.fixture(scope="module")
def hunt(lake: Path, content: Path) -> Hunt:
    """The arguments that hunt the lake with the detections of this test."""
    return ("hunt", "--lake", lake, "--content", content, "--type", "TTP")


@pytest.mark.parametrize(("columns", "lines"), [(100, 30), (80, 24), (200, 50)])
def test_the_summary_fits_the_screen(columns: int, lines: int, hunt: Hunt) -> None:
    code, shown = run_on_terminal(columns, lines, *hunt)
    assert code == 0
    assert len(shown) < lines
    assert max(map(cell_len, shown)) <= columns
    assert not any("\u202e" in line or "\x1b" in line for line in shown)
    text = "\n".join(shown)
    assert shown[0] == "25 events, 2023-11-14 22:13 UTC; hits 2023-11-14 22:13"
    assert "Sysmon/Operational" in text
    assert "2 of 3 detections found 50 rows; the worst" in text
    assert "critical 2023-11-14 22:13 pc" in text
    assert "T1059.003" in text
    assert "(2 rows) cmd.exe /c echo" in text
    assert "Risk: pc0.example 220" in text


def test_both_detections_are_among_the_worst_of_a_screen(hunt: Hunt) -> None:
    _, shown = run_on_terminal(100, 30, *hunt, "--host", "pc1.*")
    assert any("2 of 3 detections found 4 rows:" in line for line in shown)
    assert [line.split()[0] for line in shown if "T1059.003" in line] == ["critical", "low"]


def test_details_and_drilldowns_come_when_they_are_asked_for(escudo: Run, hunt: Hunt) -> None:
    of = ("--format", "table", "--quiet")
    one = escudo(*hunt, *of, "--host", "PC1.example", "--details", "--drilldown", "1")
    assert one.returncode == 0, one.stderr
    assert "\x1b" not in one.stdout
    lines = [line.strip() for line in one.stdout.splitlines()]
    assert sum(line.startswith("process: cmd.exe") for line in lines) == 4
    assert "Finds A Lot on pc1.example" in lines
    assert "Drilldown: All of pc1.example" in lines
    assert any("* cmd.exe" in line for line in lines)
    assert lines.index("Finds A Lot on pc1.example") > lines.index("Risk per object")


def test_people_see_times_of_their_zone_and_machines_utc(escudo: Run, hunt: Hunt) -> None:
    """The logs begin at 22:13:20 UTC, which is 03:43:20 of the next day in Kolkata."""
    zoned = (*hunt, "--tz", "asia/kolkata")
    _, screen = run_on_terminal(100, 30, *zoned)
    assert "2023-11-15 03:43" in screen[0]
    assert "Asia/Kolkata" in screen[0]
    assert not any("2023-11-14" in line or "UTC" in line for line in screen)
    of = ("--format", "table", "--quiet", "--details", "--drilldown", "1", "--host", "PC1.example")
    details = escudo(*zoned, *of).stdout
    assert "2023-11-15T03:43:21.000+05:30  system pc1.example" in details
    drilldown = details[details.index("Drilldown: All of pc1.example") :]
    assert "2023-11-15T03:43:21.000+05:30" in drilldown
    assert "2023-11-14" not in details
    machine = ("--format", "jsonl", "--quiet")
    rows = escudo(*zoned, *machine).stdout
    assert '"_time":"2023-11-14T22:13:' in rows.replace(" ", "")
    assert rows == escudo(*hunt, *machine).stdout


def test_time_ranges_of_a_hunt_are_those_of_the_zone(escudo: Run, hunt: Hunt) -> None:
    of = (*hunt, "--format", "jsonl", "--quiet")
    cut = escudo(*of, "--earliest", "2023-11-14T22:13:21Z").stdout
    assert 0 < len(json_lines(cut)) < len(json_lines(escudo(*of).stdout))
    own = escudo(*of, "--earliest", "2023-11-15T03:43:21", "--tz", "Asia/Kolkata").stdout
    assert own == cut


def test_drilldowns_are_for_people(escudo: Run, hunt: Hunt) -> None:
    refused = escudo(*hunt, "--format", "jsonl", "--drilldown", "1")
    assert refused.returncode == 2
    assert "--drilldown is for a table, not for jsonl: add --format table" in refused.stderr


def test_a_stop_while_drilldowns_are_opened_leaves_the_rest(
    hunt: Hunt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The screen, the files and the numbers of the run are there; nothing more is opened."""
    asked: list[object] = []

    def stop(*arguments: object, **_options: object) -> None:
        asked.append(arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(context, "open_context", stop)
    numbers, page = tmp_path / "numbers.json", tmp_path / "page.md"
    options = ("--format", "table", "--quiet", "--report", numbers, "--output", page)
    command = list(map(str, (*hunt[1:], *options, "--drilldown", 2)))
    done = CliRunner().invoke(hunt_command.command, command)
    assert "Aborted!" in done.output
    assert "2 of 3 detections found 50 rows" in done.output
    assert len(asked) == 1
    assert json.loads(numbers.read_text())["detections"]["run"] == 3
    assert "Finds A Lot" in page.read_text("utf-8")


def test_a_place_for_numbers_is_looked_at_before_the_hunt(escudo: Run, tmp_path: Path) -> None:
    place = tmp_path / "no" / "numbers.json"
    done = escudo("hunt", "--lake", tmp_path / "none", "--report", place)
    assert done.returncode == 1
    assert "error[SYS002]" in done.stderr


def test_a_pager_shows_the_details_on_a_terminal(hunt: Hunt) -> None:
    _, shown = run_on_terminal(100, 30, *hunt, "--details", "--quiet")
    assert sum(line.strip().startswith("process: cmd.exe") for line in shown) == 50


def test_rows_are_those_of_the_hosts_and_users_that_are_meant(escudo: Run, hunt: Hunt) -> None:
    of = (*hunt, "--format", "jsonl", "--quiet")
    rows = json_lines(escudo(*of, "--host", "PC1*", "--user", "*\\ANN").stdout)
    assert {row["host"] for row in rows} == {"pc1.example", "pc10.example", "pc11.example"}
    assert {row["user"] for row in rows} == {"PC1\\ann"}
    assert json_lines(escudo(*of, "--user", "ann").stdout) == []


def test_deprecated_and_disabled_detections_are_told_and_not_run(escudo: Run, hunt: Hunt) -> None:
    of = (*hunt, "--format", "jsonl")
    plain = escudo(*of)
    assert "1 deprecated detection is left out; --status deprecated asks for them" in plain.stderr
    assert {r["detection"] for r in json_lines(plain.stdout)} == {"Finds A Lot", "Finds Little"}
    asked = escudo(*of, "--status", "deprecated")
    assert {r["detection"] for r in json_lines(asked.stdout)} == {"Was Good Once"}
    named = escudo(*of, "--detection", "was good once", "--detection", "Is Turned Off")
    assert {r["detection"] for r in json_lines(named.stdout)} == {"Was Good Once"}
    assert "Is Turned Off: turned off by the content" in named.stderr
    alone = escudo(*of, "--detection", "Is Turned Off")
    assert alone.returncode == 1
    assert "error[CLI009]" in alone.stderr
    assert "'Is Turned Off': turned off by the content" in alone.stderr


def test_files_have_every_row_in_the_format_of_their_name(
    escudo: Run, hunt: Hunt, tmp_path: Path
) -> None:
    names = ("a.jsonl", "b.json", "c.csv", "d.parquet", "E.JSONL")
    outputs = [part for name in names for part in ("--output", tmp_path / name)]
    done = escudo(*hunt, "--format", "jsonl", "--quiet", *outputs)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.jsonl").read_text("utf-8") == done.stdout
    assert (tmp_path / "E.JSONL").read_text("utf-8") == done.stdout
    rows = json_lines(done.stdout)
    assert len(rows) == 50
    assert json.loads((tmp_path / "b.json").read_text("utf-8")) == rows
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names)

    with (tmp_path / "c.csv").open(encoding="utf-8", newline="") as file:
        flat = list(csv.DictReader(file))
    assert list(flat[0]) == [
        *("_time", "detection", "detection_id", "detection_type", "detection_status"),
        *("severity", "host", "user", "risk_score", "message", "mitre_attack_id", "tactics"),
        *("analytic_story", "risk_objects", "source_file"),
        *("row._time", "row.count", "row.dest", "row.process", "row.user"),
    ]
    first = flat[0]
    assert (first["_time"], first["severity"]) == ("2023-11-14T22:13:20.000Z", "critical")
    assert (first["host"], first["user"]) == ("pc0.example", "PC1\\ann")
    assert (first["row.dest"], first["row.count"]) == ("pc0.example", "1")
    assert first["tactics"] == "Execution"

    table = pq.read_table(tmp_path / "d.parquet")
    assert table.num_rows == 50
    assert table.column_names == list(flat[0])
    assert table.schema.field("_time").type == pa.timestamp("ms", tz="UTC")
    assert table.schema.field("risk_score").type == pa.float64()
    assert table.schema.field("row.count").type == pa.int64()
    one = table.slice(0, 1).to_pylist()[0]
    assert (one["host"], one["tactics"]) == (["pc0.example"], ["Execution"])
    assert one["risk_objects"] == [
        {"field": "dest", "type": "system", "value": "pc0.example", "score": 85.0}
    ]


@pytest.mark.slow
def test_the_screen_in_the_documentation_is_what_the_command_shows(
    escudo: Run, tmp_path: Path
) -> None:
    page = (HERE / "hunting.md").read_text("utf-8")
    (block,) = re.findall(r"^```text\n(.*?)^```$", page, re.M | re.S)
    log = tmp_path / "day.xml"
    assert escudo("generate", "--events", "20000", "--out", log).returncode == 0
    code, shown = run_on_terminal(100, 30, "hunt", log, "--quiet")
    assert code == 0
    assert [line.rstrip() for line in shown] == block.splitlines()


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("rows.xlsx", "CLI010", "end the name with .html, .md, .jsonl, .json, .csv, .parquet"),
        ("rows", "CLI010", "no format is called ''"),
        ("no/such/folder/rows.csv", "SYS002", "No such file or directory"),
        ("folder.csv", "SYS002", "it is a folder"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_hunt(
    name: str, code: str, words: str, escudo: Run, tmp_path: Path
) -> None:
    (tmp_path / "folder.csv").mkdir()
    done = escudo("hunt", "--lake", tmp_path / "none", "--output", tmp_path / name)
    assert done.returncode == 1
    assert f"error[{code}]" in done.stderr
    assert words in done.stderr
    assert "running" not in done.stderr
