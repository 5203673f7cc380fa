"""`escudo test --synthesise`, through the command line: each case fires, and none of its
near-misses does."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import run_by
from tests.program import Server

_CASES = yaml.safe_load((Path(__file__).parent / "cases.yml").read_text("utf-8"))


def _write_content(folder: Path, cases: list[Mapping[str, Any]]) -> Path:
    """Content with a detection for each case, and the lookup that some of them name."""
    for part in ("detections", "lookups", "macros"):
        (folder / part).mkdir(parents=True)
    for case in cases:
        slug = case["name"].replace(" ", "_")
        detection = {
            "name": case["name"],
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, case["name"])),
            "version": 1,
            "date": "2026-12-01",
            "author": "Escudo",
            "status": "production",
            "type": "Hunting",
            "description": "A case.",
            "data_source": [],
            "search": case["search"],
            "how_to_implement": "-",
            "known_false_positives": "-",
            "references": [],
            "tags": {"analytic_story": [], "asset_type": "Endpoint", "security_domain": "endpoint"},
        }
        (folder / "detections" / f"{slug}.yml").write_text(yaml.safe_dump(detection))
    (folder / "lookups" / "remote_tools.csv").write_text(
        "tool,kind\nsigned*.exe,allowed\nremote*.exe,access\n"
    )
    lookup = {
        "name": "remote_tools",
        "description": "Tools.",
        "filename": "remote_tools.csv",
        "case_sensitive_match": "false",
        "match_type": "WILDCARD(tool)",
    }
    (folder / "lookups" / "remote_tools.yml").write_text(yaml.safe_dump(lookup))
    collection = {
        "name": "seen_users",
        "description": "Users, and when they were seen first.",
        "lookup_type": "kvstore",
        "fields": ["_key", "user", "first_seen", "enough_data"],
    }
    (folder / "lookups" / "seen_users.yml").write_text(yaml.safe_dump(collection))
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The report of all cases, and the folder that their events were written to."""
    folder = tmp_path_factory.mktemp("synthesis")
    content = _write_content(folder / "content", _CASES)
    with Server() as server:
        run = run_by(server, folder)
        done = run("test", content, "--synthesise", "--write", folder / "kept", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout), folder / "kept"


@pytest.mark.slow
def test_all_cases_fire_and_no_near_miss_does(made: tuple[dict[str, Any], Path]) -> None:
    report, _ = made
    assert report["failed"] == []
    number = len(_CASES)
    counts = [report[name] for name in ("detections", "synthesised", "fired", "near_misses_fired")]
    assert counts == [number, number, number, 0]


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["name"])
def test_each_condition_has_a_near_miss(
    case: Mapping[str, Any], made: tuple[dict[str, Any], Path]
) -> None:
    folder = made[1] / case["name"].replace(" ", "_")
    tests = yaml.safe_load((folder / "tests.yml").read_text("utf-8"))["tests"]
    misses = [test for test in tests if test.get("negative")]
    assert len(misses) >= case["near_misses"], [m["description"] for m in misses]
    assert [t["name"] for t in tests if not t.get("negative")] == ["True Positive Test"]
    names = {data["data"] for test in tests for data in test["attack_data"]}
    written = {path.name for path in folder.iterdir()}
    assert names == {name for name in written if not name.endswith((".yml", ".csv"))}
    assert any(name.endswith(".csv") for name in written) == ("collection" in case["name"])


_BEGINNINGS = {
    "windows_powershell": "<Event xmlns=",
    "windows_security": "<Event xmlns=",
    "windows_other": "<Event xmlns=",
    "sysmon": "<Event xmlns=",
    "crowdstrike_fdr": '{"event_simpleName":"DnsRequest"',
    "aws_cloudtrail": '{"eventTime":"2024-01-01T00:01:00',
    "azure_aad": '{"time":"2024-01-01T00:01:00',
    "o365": '{"CreationTime":"2024-01-01T00:01:00',
    "linux_auditd": "type=",
    "cisco_ios": "2024-01-01T00:01:00.000+00:00 ",
    "aws_vpcflow": "- - - 10.",
    "nginx_kv": "src=198.51.100.23 ",
}


@pytest.mark.parametrize("case", [c for c in _CASES if "source" in c], ids=lambda c: c["name"])
def test_events_are_in_the_format_of_their_source(
    case: Mapping[str, Any], made: tuple[dict[str, Any], Path]
) -> None:
    folder = made[1] / case["name"].replace(" ", "_")
    [file] = folder.glob("true_positive*")
    assert file.read_text("utf-8").startswith(_BEGINNINGS[case["source"]])
