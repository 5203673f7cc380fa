"""``escudo source list|test|new`` and ``escudo ingest --sourcetype``, by the console script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, json_lines

LINES = "".join(f"at=170000000{n} who=ida act=deny src=10.0.0.{n}\n" for n in range(1, 9))


@pytest.mark.slow
def test_a_source_is_drafted_completed_and_tested(escudo: Run, tmp_path: Path) -> None:
    log, sources = tmp_path / "gate.log", tmp_path / "sources"
    log.write_text(LINES)
    sources.mkdir()
    drafted = escudo("source", "new", log, "--out", sources / "gate.yml")
    assert drafted.returncode == 0
    assert "key=value, 4 fields in 8 events" in drafted.stderr
    again = escudo("source", "new", log, "--out", sources / "gate.yml")
    assert again.returncode != 0
    assert "SRC057" in again.stderr
    (sources / "gate.samples.yml").write_text(
        "- {name: a, text: 'at=1700000001 who=ida act=deny src=10.0.0.1', rows: [{act: deny}]}\n"
        "- {name: wrong, text: 'at=1700000001 who=ida act=deny src=10.0.0.1', rows: [{act: ok}]}\n"
    )
    tested = escudo("source", "test", sources, "--format", "json")
    told = json.loads(tested.stdout)
    assert (tested.returncode, told["samples"], told["failed"]) == (1, 3, 1)
    assert told["results"][2]["problems"] == ["event 1: act is 'deny', expected 'ok'"]
    listed = json.loads(escudo("source", "list", "--sources", sources, "--format", "json").stdout)
    rows = {row["name"]: row for row in listed}
    assert rows["gate"]["form"] == "key=value"
    assert rows["cisco_asa"]["models"] == [
        "Authentication.Authentication", "Change.All_Changes", "Network_Traffic.All_Traffic",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_given_source_type_decides_and_stays(escudo: Run, tmp_path: Path) -> None:
    log, lake = tmp_path / "lines.txt", tmp_path / "lake"
    log.write_text("type=PROCTITLE msg=audit(1722944427.844:4146): proctitle=6C73002D6C\n")
    given = ("--sourcetype", "auditd", "--host", "web1")
    read = escudo("ingest", log, "--lake", lake, *given, "--format", "json")
    assert read.returncode == 0
    search = "sourcetype=auditd type=PROCTITLE | table host proctitle"
    found = escudo("search", search, "--lake", lake, "--format", "jsonl")
    assert json_lines(found.stdout) == [{"host": "web1", "proctitle": "ls -l"}]


@pytest.mark.slow
def test_text_of_no_source_is_read_where_it_is_named_and_told(escudo: Run, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "app.log").write_text("2024-05-01T10:20:30Z app: level=info who=ida\n" * 3)
    walked = escudo("ingest", folder, "--lake", tmp_path / "a", "--format", "json")
    assert "CLI004" in walked.stderr
    named = escudo("ingest", folder / "app.log", "--lake", tmp_path / "b", "--format", "json")
    assert json.loads(named.stdout)["events"]["families"] == {"text_generic": 3}
    assert "SRC061" in named.stderr
