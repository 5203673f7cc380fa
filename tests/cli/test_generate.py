"""``escudo generate`` of clouds, networks, web servers and Linux: what is written is read as it is,
and ESCU's detections find what was planted, and nothing of it without attacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, json_lines
from tests.shared_data import SHARED, needs_shared

SOURCES = {
    "cloudtrail": ("aws_cloudtrail", "aws:cloudtrail"),
    "o365": ("o365", "o365:management:activity"),
    "entra": ("azure_aad", "azure:monitor:aad"),
    "auditd": ("linux_auditd", "linux:audit"),
    "suricata": ("suricata", "suricata"),
    "access": ("web_access", "access_combined"),
}
"""Format -> the source that must be recognised, and its sourcetype."""

FIELDS = {
    "cloudtrail": ["eventName", "sourceIPAddress", "userIdentity.type", "awsRegion", "user"],
    "o365": ["Operation", "Workload", "UserId", "RecordType", "user"],
    "entra": ["category", "operationName", "callerIpAddress", "tenantId", "user"],
    "auditd": ["type", "node", "record_id", "record_time"],
    "suricata": ["event_type", "src_ip", "dest_ip", "flow_id", "proto"],
    "access": ["clientip", "method", "uri_path", "status", "bytes", "useragent"],
}
"""Fields that each event (of ``access``: nearly each) must have."""

EVENTS = 4_000
MIDNIGHT = 1_715_644_800
"""2024-05-14T00:00:00Z."""


def generated(escudo: Run, folder: Path, format: str, *options: object) -> Path:
    log = folder / f"{format}.log"
    done = escudo("generate", "--format", format, "--out", log, "--quiet", *options)
    assert (done.returncode, done.stderr) == (0, "")
    return log


def answers(log: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(log.with_name(log.name + ".answers.json").read_text())
    return read


@pytest.mark.slow
@pytest.mark.parametrize("format", SOURCES)
def test_every_event_is_read_as_the_right_source(format: str, escudo: Run, tmp_path: Path) -> None:
    log = generated(escudo, tmp_path, format, "--events", EVENTS, "--seed", 3)
    lake = tmp_path / "lake"
    done = escudo("ingest", log, "--lake", lake, "--quiet")
    assert done.returncode == 0, done.stderr
    events = json.loads(done.stdout)["events"]
    family, sourcetype = SOURCES[format]
    assert events["families"] == {family: EVENTS}
    assert events["read"] == EVENTS
    for fault in ("rejected", "not_understood", "with_the_files_time", "other_lines"):
        assert events[fault] == 0, fault
    counts = " ".join(f"count('{name}') as f{i}" for i, name in enumerate(FIELDS[format]))
    query = (
        f"index=* sourcetype={sourcetype} | stats count dc(host) as hosts dc(user) as users "
        f"min(_time) as first max(_time) as last {counts}"
    )
    done = escudo("search", query, "--lake", lake)
    (row,) = json_lines(done.stdout)
    assert row["count"] == EVENTS
    assert MIDNIGHT <= row["first"] < MIDNIGHT + 3_600
    assert MIDNIGHT + 23 * 3_600 < row["last"] < MIDNIGHT + 86_400
    assert row["hosts"] >= {"auditd": 7, "cloudtrail": 12, "o365": 4}.get(format, 1)
    assert row["users"] > 4 or format == "suricata"
    for i, name in enumerate(FIELDS[format]):
        assert row[f"f{i}"] > 0.8 * EVENTS, name


@pytest.mark.slow
@pytest.mark.parametrize("format", SOURCES)
def test_same_arguments_same_files(format: str, escudo: Run, tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        log = generated(escudo, tmp_path / name, format, "--events", 900, "--seed", 5)
        made.append((log.read_bytes(), answers(log)))
    assert made[0] == made[1]
    assert made[0][0].count(b"\n") == 900


@pytest.mark.slow
def test_one_event_on_standard_output(escudo: Run) -> None:
    done = escudo("generate", "--format", "access", "--events", 1, "--out", "-", "--quiet")
    assert done.stdout.count("\n") == 1


@pytest.mark.slow
def test_wrong_numbers_of_events_are_told(escudo: Run) -> None:
    done = escudo("generate", "--format", "access", "--events", 0, "--out", "-", "--quiet")
    assert done.returncode != 0
    assert "GEN001" in done.stderr


def found(escudo: Run, log: Path, detections: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each of some detections of ESCU, in a hunt with all of them."""
    assert SHARED is not None
    content = SHARED / "security_content_5"
    done = escudo("hunt", log, "--content", content, "--format", "jsonl", "--quiet")
    rows = json_lines(done.stdout)
    return {name: [row for row in rows if row["detection"] == name] for name in detections}


@needs_shared
@pytest.mark.slow
@pytest.mark.parametrize("format", SOURCES)
def test_detections_find_what_was_planted_and_nothing_without(
    format: str, escudo: Run, tmp_path: Path
) -> None:
    # The smallest log that promises a whole intrusion, and a larger one without.
    log = generated(escudo, tmp_path, format, "--events", 1_000, "--seed", 31)
    rows = answers(log)["rows"]
    expected = [name for row in rows for name in row["expect"]]
    assert len(expected) >= 3
    planted = found(escudo, log, expected)
    assert [name for name, hits in planted.items() if not hits] == []
    quiet = generated(escudo, tmp_path, format, "--events", 20_000, "--seed", 31, "--no-attacks")
    assert answers(quiet)["rows"] == []
    missed = found(escudo, quiet, expected)
    assert [name for name, hits in missed.items() if hits] == []
