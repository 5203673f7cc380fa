"""CrowdStrike's hosts and users by name: lists of an earlier ingest, and lookups of the content."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from escudo import content
from escudo.actions.engines import DuckDBEngines
from escudo.actions.hunt import hunt_logs, plan_hunt
from escudo.actions.ingest import ingest_logs
from escudo.actions.match_rows import iterate_match
from escudo.actions.workspace import Workspace
from escudo.content import Content
from escudo.lake import Lake

AID = "0a11b22c33d44e55"
NAME = "Process Execution via WMI"
EVENT = {
    "event_simpleName": "ProcessRollup2",
    "event_platform": "Win",
    "aid": AID,
    "timestamp": "1717229350000",
    "CommandLine": "cmd.exe /c whoami",
    "ImageFileName": "\\Device\\HarddiskVolume2\\Windows\\System32\\cmd.exe",
    "ParentBaseFileName": "WmiPrvSE.exe",
    "UserSid": "S-1-5-21-7",
}
HOST = {"aid": AID, "ComputerName": "SRV7", "Time": "1717200000.5"}
USER = {"UserSid_readable": "S-1-5-21-7", "UserName": "ida", "_time": "1717200000.5"}


@pytest.fixture
def lake() -> Iterator[Lake]:
    with Lake.create_temporary() as made:
        yield made


def _hunt(logs: Path, lake: Lake, loaded: Content) -> tuple[str, str]:
    workspace = Workspace(content=loaded, lake=lake, engine_of=DuckDBEngines(), now=1_717_300_000.0)
    report = hunt_logs([logs], workspace, plan_hunt(loaded, names=[NAME]))
    ((match, _),) = report.hunt.hits()
    [found] = iterate_match(match)
    return found["row"]["dest"], found["row"]["user"]


def _written(folder: Path, name: str, *rows: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return path


def test_lists_that_came_in_before(tmp_path: Path, lake: Lake) -> None:
    lists = [
        _written(tmp_path, "hosts.json", {**HOST, "ComputerName": "OLD"}),
        _written(tmp_path, "hosts2.json", {**HOST, "Time": "1717210000.5"}),
        _written(tmp_path, "users.json", USER),
    ]
    ingest_logs(lists, lake)
    logs = _written(tmp_path, "events.json", EVENT)
    assert _hunt(logs, lake, content.load()) == ("SRV7", "ida")


@pytest.mark.slow
def test_lookups_of_the_content(tmp_path: Path, lake: Lake) -> None:
    over = tmp_path / "over"
    over.mkdir()
    (over / "hosts.csv").write_text(f"aid,ComputerName\n{AID},SRV7\n", "utf-8")
    (over / "hosts.yml").write_text("name: falcon_hosts\nfilename: hosts.csv\n", "utf-8")
    (over / "users.csv").write_text("UserSid,UserName\nS-1-5-21-7,ida\n", "utf-8")
    (over / "users.yml").write_text("name: falcon_users\nfilename: users.csv\n", "utf-8")
    logs = _written(tmp_path / "logs", "events.json", EVENT)
    assert _hunt(logs, lake, content.load(overlay=over)) == ("SRV7", "ida")


def test_without_a_list_ids_stay(tmp_path: Path, lake: Lake) -> None:
    logs = _written(tmp_path, "events.json", EVENT)
    assert _hunt(logs, lake, content.load()) == (AID, "S-1-5-21-7")
