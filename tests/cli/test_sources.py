"""An own source, from its YAML to findings, by the console script; and what is wrong in one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, json_lines

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "own_source"
"""The example of docs/sources.md: a made-up gateway."""

SOURCE = (EXAMPLE / "sources" / "acme_vpn.yml").read_text("utf-8")


@pytest.mark.slow
def test_an_own_source_is_hunted(escudo: Run) -> None:
    log, content = EXAMPLE / "vpn.json", EXAMPLE / "content"
    done = escudo(
        *("hunt", log, "--sources", EXAMPLE / "sources", "--content", content),
        *("--detection", "VPN Logons Fail", "--format", "jsonl", "--quiet"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    (hit,) = json_lines(done.stdout)
    assert hit["_time"] == "2026-03-01T09:05:00.000Z"
    assert hit["message"] == "logons of bert fail"
    assert hit["row"]["src"] == ["192.0.2.3", "192.0.2.4", "192.0.2.5"]
    assert (hit["row"]["user"], hit["row"]["dest"], hit["row"]["count"]) == ("bert", "gw1", 3)
    # without the source no event meets one: nothing can be found, and the exit code says so
    without = escudo("hunt", log, "--content", content, "--format", "jsonl", "--quiet")
    assert (without.returncode, json_lines(without.stdout)) == (3, [])  # not understood


@pytest.mark.slow
def test_a_lake_needs_the_sources_that_it_was_written_with(escudo: Run, tmp_path: Path) -> None:
    sources, log, lake = EXAMPLE / "sources", EXAMPLE / "vpn.json", tmp_path / "lake"
    read = escudo("ingest", log, "--lake", lake, "--sources", sources, "--format", "json")
    assert read.returncode == 0
    events = json.loads(read.stdout)["events"]
    assert events["families"] == {"acme_vpn": 5}
    assert events["datasets"] == {"authentication_authentication": 5}

    search = "index=vpn outcome=LOCKED client.build=7 | table host account outcome"
    query = ("search", search, "--lake", lake, "--format", "jsonl")
    (row,) = json_lines(escudo(*query, "--sources", sources).stdout)
    assert row == {"host": "gw1", "account": "BERT", "outcome": "LOCKED"}
    for command in (query, ("lake", "compact", "--lake", lake), ("ingest", log, "--lake", lake)):
        without = escudo(*command)
        assert without.returncode == 1
        assert without.stderr == (
            f"error[LAK016]: {lake} holds raw_acme_vpn, which no given source defines\n"
            "  help: name its folder with --sources, as when the events came in\n"
        )
    # what is there can be looked at, and taken care of with the source
    shown = json_lines(escudo("lake", "info", "--lake", lake, "--format", "jsonl").stdout)
    assert {t["table"]: t["rows"] for t in shown}["raw_acme_vpn"] == 5
    kept = escudo("lake", "compact", "--lake", lake, "--sources", sources)
    assert (kept.returncode, kept.stderr) == (0, "")


WRONG = {
    "not YAML": (("{product: acme-vpn}", "{product: acme-vpn"), "SRC050", 6, 5),
    "unknown key": (("priority:", "prioritaet:"), "SRC050", 3, 13),
    "name": (("name: acme_vpn", "name: ACME VPN"), "SRC050", 1, 7),
    "type": (("[product, gateway", "[{name: product, type: blob}, gateway"), "SRC050", 11, 32),
    "taken": (("name: acme_vpn", "name: sysmon"), "SRC051", 1, 7),
    "table of the lake": (("name: acme_vpn", "name: risk"), "SRC051", 1, 7),
    "calculated": (("upper(result)", "upperr(result)"), "SRC053", 13, 12),
    "dataset": (("dataset: Authentication", "dataset: Logons"), "CIM010", 16, 14),
    "field": (("dest: gateway", "destination: gateway"), "CIM011", 22, 20),
    "events": (("events: {product:", "events: {products:"), "CIM012", 17, 24),
    "expression": (("lower(account)", "lower(account"), "CIM012", 23, 13),
}


@pytest.mark.slow
@pytest.mark.parametrize(("change", "code", "line", "column"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_in_a_source_has_its_place(
    escudo: Run,
    tmp_path: Path,
    change: tuple[str, str],
    code: str,
    line: int,
    column: int,
) -> None:
    path = tmp_path / "acme_vpn.yml"
    assert SOURCE.count(change[0]) == 1
    path.write_text(SOURCE.replace(*change))
    done = escudo("hunt", EXAMPLE / "vpn.json", "--sources", tmp_path, "--quiet")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error[{code}] {path}:{line}:{column}: ")


@pytest.mark.slow
def test_a_folder_without_sources(escudo: Run, tmp_path: Path) -> None:
    done = escudo("hunt", "-", "--sources", tmp_path, stdin=b"")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error[SRC052]")


@pytest.mark.slow
def test_what_is_known_of_sources(escudo: Run, tmp_path: Path) -> None:
    """The example of a data source is read; a detection over it can fire, another one cannot."""
    content = tmp_path / "content"
    (content / "data_sources").mkdir(parents=True)
    (content / "detections").mkdir()
    source = {
        "name": "AWS CloudTrail DeleteTrail",
        "id": "00000000-0000-4000-8000-000000000001",
        "version": 1,
        "date": "2024-06-01",
        "author": "us",
        "description": "one",
        "source": "aws_cloudtrail",
        "sourcetype": "aws:cloudtrail",
        "fields": ["eventName", "action", "nosuch"],
        "example_log": json.dumps(
            {
                "eventVersion": "1.08",
                "eventTime": "2024-06-01T08:00:00Z",
                "eventSource": "cloudtrail.amazonaws.com",
                "eventName": "DeleteTrail",
                "awsRegion": "us-east-1",
            }
        ),
    }
    (content / "data_sources" / "a.yml").write_text(json.dumps(source))
    done = escudo("source", "check", content / "data_sources", "--format", "json")
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert (told["recognised"], told["fields_listed"], told["fields_produced"]) == (1, 3, 2)
    assert told["missing"] == [{"source": "AWS CloudTrail DeleteTrail", "field": "nosuch"}]

    log = tmp_path / "trail.json"
    log.write_text(str(source["example_log"]))
    detection = (EXAMPLE / "content" / "detections" / "vpn_logons_fail.yml").read_text("utf-8")
    (content / "detections" / "d.yml").write_text(detection)
    for arguments, cannot in (((), False), ((log,), True)):  # the log has no logon
        done = escudo("source", "coverage", *arguments, "--content", content, "--format", "json")
        told = json.loads(done.stdout)
        assert done.returncode == 0
        assert told["can_fire"] + len(told["cannot"]) == told["detections"]
        names = [unable["name"] for unable in told["cannot"]]
        assert ("VPN Logons Fail" in names) is cannot
