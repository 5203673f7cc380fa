"""``escudo run``, ``backfill``, ``status``, ``suppress``: a day by its schedule, by the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, json_lines

EVENT = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
    "<Provider Name='Microsoft-Windows-Sysmon'/><EventID>1</EventID>"
    "<TimeCreated SystemTime='{time}'/><EventRecordID>{record}</EventRecordID>"
    "<Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>{host}</Computer></System>"
    "<EventData><Data Name='UtcTime'>{time}</Data><Data Name='ProcessId'>{record}</Data>"
    "<Data Name='Image'>C:\\Windows\\System32\\wbem\\WMIC.exe</Data>"
    "<Data Name='CommandLine'>wmic /node:srv process call create calc</Data>"
    "<Data Name='User'>CORP\\ann</Data>"
    "<Data Name='ParentImage'>C:\\Windows\\System32\\wbem\\WmiPrvSE.exe</Data>"
    "</EventData></Event>\n"
)


WAITING = """
name: Waiting
id: 5d1f5b0a-7a2d-4f0e-9c0e-3f1c2a7e1806
version: 1
date: '2026-11-30'
author: Escudo
status: production
type: TTP
description: Asks by a macro.
data_source: [Sysmon EventID 1]
search: index=* `yet_to_come` | stats count by host
how_to_implement: For a test.
known_false_positives: All of it.
references: []
tags: {analytic_story: [Tests], asset_type: Endpoint, security_domain: endpoint}
"""


def write_log(path: Path, *times: str, host: str = "pc1") -> Path:
    """Processes of the WMI provider, which Escudo's own detection finds."""
    path.write_text(
        "".join(
            EVENT.format(time=f"2024-05-14T{t}.000Z", record=n, host=host)
            for n, t in enumerate(times, 100)
        )
    )
    return path


@pytest.fixture
def lake(escudo: Run, tmp_path: Path) -> Path:
    log = write_log(tmp_path / "a.xml", "09:15:00", "11:30:00")
    assert escudo("ingest", log, "--lake", tmp_path / "lake").returncode == 0
    return tmp_path / "lake"


def read(done: Any) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def at(time: str) -> tuple[str, str]:
    return "--now", f"2024-05-14T{time}Z"


def test_a_day_by_its_schedule(escudo: Run, lake: Path, tmp_path: Path) -> None:
    """Three searches of Escudo's own: WMI, and the two rules over risk."""
    first = read(escudo("run", "--lake", lake, *at("10:00:30")))
    assert (first["windows"], first["findings"], first["risk_events"]) == (3, 1, 2)
    assert first["next_due"] == "2024-05-14T11:00:00.000Z"
    assert read(escudo("run", "--lake", lake, *at("10:00:40")))["windows"] == 0

    later = read(escudo("run", "--lake", lake, *at("14:00:30")))
    assert (later["windows"], later["missed"], later["findings"]) == (3, 9, 0)
    status = read(escudo("status", "--lake", lake, *at("14:01:00"), "--format", "json"))
    assert status["windows"] == {"ready": 0, "running": 0, "done": 6, "failed": 0}
    (gap,) = status["gaps"]
    assert (gap["first_due"], gap["last_due"]) == (
        "2024-05-14T11:00:00.000Z",
        "2024-05-14T13:00:00.000Z",
    )
    assert (gap["searches"], gap["windows"]) == (3, 9)

    filled = read(escudo("backfill", "--lake", lake, *at("14:01:00")))
    assert (filled["filled"], filled["findings"]) == (9, 1)
    assert read(escudo("status", "--lake", lake, *at("14:01:00"), "--format", "json"))["gaps"] == []

    log = write_log(tmp_path / "late.xml", "09:20:00", host="pc2")
    assert escudo("ingest", log, "--lake", lake).returncode == 0
    late = read(escudo("run", "--lake", lake, *at("14:02:00")))
    assert late["reopened"] >= 1
    assert late["findings"] == 2, "pc2's, and ann's risk of the day: three times 49 is above 100"
    found = escudo(
        "search", "index=notable rule_name=Process* | stats count by dest", "--lake", lake
    )
    assert json_lines(found.stdout) == [{"dest": "pc1", "count": 2}, {"dest": "pc2", "count": 1}]


def test_windows_that_fail_say_how_to_go_on(escudo: Run, lake: Path, tmp_path: Path) -> None:
    """A macro is not there yet: then it is."""
    detections, macros = tmp_path / "content" / "detections", tmp_path / "content" / "macros"
    detections.mkdir(parents=True)
    (detections / "waiting.yml").write_text(WAITING)
    asked = ("--lake", lake, "--content", detections.parent, "--detection", "Waiting")
    done = escudo("run", *asked, *at("10:00:30"))
    assert done.returncode == 1
    assert json.loads(done.stdout)["failed"] == 1
    assert "1 of 1 windows failed" in done.stderr
    assert "`escudo backfill` runs them again" in done.stderr
    assert "1 of 1 windows failed" in escudo("backfill", *asked, *at("10:01:00")).stderr

    macros.mkdir()
    (macros / "yet_to_come.yml").write_text("name: yet_to_come\ndefinition: EventCode=1\n")
    again = escudo("backfill", *asked, *at("10:02:00"))
    assert (read(again)["again"], read(again)["findings"]) == (1, 1)
    assert again.stderr == ""


def test_backfill_of_a_range_from_before_the_schedule(escudo: Run, lake: Path) -> None:
    """Windows that touch 09:00 to 10:00 end at 09:50 and 10:50."""
    done = read(
        escudo(
            "backfill",
            "--lake",
            lake,
            "--detection",
            "Process Execution via WMI",
            "--earliest",
            "2024-05-14T09:00:00Z",
            "--latest",
            "2024-05-14T10:00:00Z",
            *at("20:00:00"),
        )
    )
    assert (done["filled"], done["findings"]) == (2, 1)
    ahead = escudo("backfill", "--lake", lake, "--earliest", "2030-01-01T00:00:00Z")
    assert ahead.returncode == 1
    assert "SCH008" in ahead.stderr


def test_suppressed_findings_are_written_as_such(escudo: Run, lake: Path) -> None:
    added = escudo("suppress", "add", "--lake", lake, "--field", "dest=PC*", "--for", "9999d")
    assert json.loads(added.stdout) == {"id": 1}
    assert read(escudo("run", "--lake", lake, *at("10:00:30")))["suppressed"] == 1
    found = escudo("search", "index=notable | table status dest", "--lake", lake)
    assert json_lines(found.stdout) == [{"status": "suppressed", "dest": "pc1"}]
    risk = escudo("search", "index=risk | stats count", "--lake", lake)
    assert json_lines(risk.stdout) == [{"count": 2}]
    (listed,) = json_lines(escudo("suppress", "list", "--lake", lake).stdout)
    assert (listed["fields"], listed["over"]) == ({"dest": "PC*"}, False)
    assert escudo("suppress", "remove", "1", "--lake", lake).returncode == 0
    again = escudo("suppress", "remove", "1", "--lake", lake)
    assert again.returncode == 1
    assert "SCH006" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--field", "dest"), "SCH007"),
        (("--for", "7d"), "SCH007"),
        (("--field", "dest=a", "--for", "soon"), "SCH007"),
        (("--field", "dest=a", "--until", "2020-01-01T00:00:00Z"), "SCH007"),
    ],
)
def test_suppressions_that_say_nothing(
    escudo: Run, lake: Path, arguments: tuple[str, ...], told: str
) -> None:
    done = escudo("suppress", "add", "--lake", lake, *arguments)
    assert done.returncode == 1
    assert told in done.stderr


def test_a_daemon_has_the_machines_clock(escudo: Run, lake: Path) -> None:
    done = escudo("run", "--lake", lake, "--daemon", *at("10:00:00"))
    assert done.returncode == 2
