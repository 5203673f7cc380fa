"""Wrong input: a coded error each, nothing lost beside it, and an exit code that tells."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.cli.conftest import Run, json_lines

GOOD = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider "
    "Name='Microsoft-Windows-Sysmon' Guid='{5770385F-C22A-43E0-BF4C-06F5698FFBD9}'/><EventID>1"
    "</EventID><Version>5</Version><Level>4</Level><Task>1</Task><Opcode>0</Opcode><Keywords>"
    "0x8000000000000000</Keywords><TimeCreated SystemTime='2024-10-08T11:03:46.617920300Z'/>"
    "<EventRecordID>4522</EventRecordID><Correlation/><Execution ProcessID='2912' ThreadID='3424'"
    "/><Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>ws01</Computer><Security "
    "UserID='S-1-5-18'/></System><EventData><Data Name='UtcTime'>2024-10-08 11:03:46.615</Data>"
    "<Data Name='ProcessId'>2296</Data><Data Name='Image'>C:\\Windows\\System32\\cmd.exe</Data>"
    "<Data Name='CommandLine'>cmd.exe /c whoami</Data><Data Name='User'>CORP\\anna</Data><Data "
    "Name='ParentProcessId'>4624</Data><Data Name='ParentImage'>C:\\Windows\\System32\\wbem\\"
    "WmiPrvSE.exe</Data></EventData></Event>\n"
)

DETECTION = """\
name: {name}
id: 11111111-2222-3333-4444-{number:012}
version: 1
date: '2024-01-01'
author: a tester
status: production
type: TTP
description: A detection with a search that cannot run.
data_source: [Sysmon EventID 1]
search: '{search}'
tags:
  risk_score: 10
  message: hi $dest$
  mitre_attack_id: [T1059]
  observable: [{{name: dest, type: Hostname, role: [Victim]}}]
  security_domain: endpoint
"""


def _hunt(escudo: Run, *args: object) -> tuple[int, list[str], str]:
    done = escudo("hunt", *args, "--format", "jsonl", "--quiet")
    return done.returncode, [row["detection"] for row in json_lines(done.stdout)], done.stderr


@pytest.mark.parametrize(
    ("make", "code", "says"),
    [
        (lambda p: p.write_bytes(b""), "SRC003", "the file is empty"),
        (lambda p: p.write_bytes(random.Random(1).randbytes(5000)), "SRC004", "no log format"),
        (lambda p: p.mkdir(), "SRC005", "no logs in this directory"),
        (lambda p: None, "SRC001", "no such file"),
    ],
    ids=["empty", "binary junk", "a directory without logs", "missing"],
)
def test_input_that_is_no_log(
    make: object, code: str, says: str, escudo: Run, tmp_path: Path
) -> None:
    assert callable(make)
    path = tmp_path / "input"
    make(path)
    status, rows, stderr = _hunt(escudo, path)
    assert (status, rows) == (1, [])
    assert f"error[{code}] {path}" in stderr
    assert says in stderr
    assert "error[CLI004]" in stderr


def test_bad_input_beside_a_good_file_loses_nothing(escudo: Run, tmp_path: Path) -> None:
    (tmp_path / "good.xml").write_text(GOOD)
    (tmp_path / "empty.log").write_bytes(b"")
    status, rows, _ = _hunt(escudo, tmp_path / "good.xml", tmp_path / "empty.log")
    assert (status, rows) == (1, ["Process Execution via WMI"])


def test_broken_events_are_told_and_kept(escudo: Run, tmp_path: Path) -> None:
    log = tmp_path / "broken.xml"
    log.write_text("<Event><System><EventID>1</EventID>\n" + GOOD)
    lake = tmp_path / "lake"
    status, rows, stderr = _hunt(escudo, log, "--lake", lake)
    assert (status, rows) == (1, ["Process Execution via WMI"])
    told = f"1 input was rejected; kept in {lake / 'rejected'}"
    assert told.replace(" ", "") in "".join(stderr.split()), "long paths are broken"
    (kept,) = (lake / "rejected").glob("*.jsonl")
    (row,) = json_lines(kept.read_text())
    assert row["file"] == str(log)
    assert row["code"] == "SRC020"
    assert row["excerpt"].startswith("<Event><System><EventID>1</EventID>")


def test_detections_that_cannot_run_stand_beside_those_that_do(escudo: Run, tmp_path: Path) -> None:
    (tmp_path / "good.xml").write_text(GOOD)
    content = tmp_path / "content"
    content.mkdir()
    searches = {
        "macro.yml": "| tstats count from datamodel=Endpoint.Processes | `no_such_macro`",
        "command.yml": "| tstats count from datamodel=Endpoint.Processes | statz count",
    }
    for number, (file, search) in enumerate(searches.items()):
        (content / file).write_text(DETECTION.format(name=file, number=number, search=search))
    (content / "yaml.yml").write_text("name: [oops")
    status, rows, stderr = _hunt(escudo, tmp_path / "good.xml", "--content", content)
    assert (status, rows) == (1, ["Process Execution via WMI"])
    assert f"error[SPL110] {content / 'macro.yml'}:10:" in stderr
    assert "unknown macro `no_such_macro`" in stderr
    assert f"error[SPL101] {content / 'command.yml'}:10:" in stderr
    assert "did you mean 'stats'?" in stderr
    assert f"error[CON101] {content / 'yaml.yml'}:" in stderr


def test_good_input_alone_exits_with_zero(escudo: Run, tmp_path: Path) -> None:
    (tmp_path / "good.xml").write_text(GOOD)
    assert _hunt(escudo, tmp_path / "good.xml") == (0, ["Process Execution via WMI"], "")
