"""`escudo test`: which tests are run, what is told of them, and the exit code."""

from __future__ import annotations

import http.server
import json
import subprocess
import threading
import xml.etree.ElementTree as ElementTree
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Run
from tests.tested_content import DATA, PACK, SYSMON, make_checkout, write_detection


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of content with data of an attack."""
    return make_checkout(tmp_path / "content")


def results(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def outcomes(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {f"{r['detection']}: {r['test']}": r["outcome"] for r in results(done)["results"]}


def test_every_outcome_is_told_apart(escudo: Run, checkout: Path) -> None:
    attack = {"data": "tests/attack.xml", **SYSMON}
    write_detection(checkout, "Finds", "cmd.exe")
    write_detection(checkout, "Misses", "calc.exe")
    write_detection(
        checkout,
        "Odd",
        "cmd.exe",
        tests=[
            {"name": "away", "attack_data": [{**attack, "data": "https://h.example/a.log"}]},
            {"name": "try", "test_type": "experimental", "attack_data": [attack]},
            {"name": "syslog", "attack_data": [{**attack, "data": "tests/sys.log"}]},
            {
                "name": "cloud",
                "attack_data": [{"data": "tests/cloud.json", "source": "s", "sourcetype": "aws:x"}],
            },
        ],
    )
    write_detection(checkout, "By Hand", "cmd.exe", tags={"manual_test": "needs a baseline"})
    write_detection(checkout, "Untested", "cmd.exe", tests=[])
    write_detection(checkout, "Broken", "cmd.exe", search="| nosuchcommand | `broken_filter`")
    (checkout / "tests/sys.log").write_text("Jan  5 10:00:01 web01 CRON[99]: (root) CMD (x)\n")
    (checkout / "tests/cloud.json").write_text('{"eventName": "x", "a": {"b": 1}}\n')
    files = [checkout.parent / name for name in ("r.xml", "r.sarif", "r.json")]
    options = [o for file in files for o in ("--output", file)]
    done = escudo("test", checkout, "--offline", "--format", "json", "--quiet", *options)
    assert done.returncode == 1, done.stderr
    assert outcomes(done) == {
        "Finds: finds": "passed",
        "Misses: finds": "failed",
        "Odd: away": "missing",
        "Odd: try": "experimental",
        "Odd: syslog": "unreadable",
        "Odd: cloud": "unreadable",
        "By Hand: finds": "manual",
        "Broken: finds": "failed",
    }
    told = results(done)
    assert {k: told[k] for k in ("detections", "tests", "passed", "failed", "untested")} == {
        "detections": 5,
        "tests": 8,
        "passed": 1,
        "failed": 2,
        "untested": ["Untested"],
    }
    by_name = {r["test"]: r for r in told["results"]}
    assert by_name["away"]["reason"] == "no local copy of https://h.example/a.log"
    assert by_name["cloud"]["reason"] == "no source of Escudo knows the events of aws:x"
    assert "no source of Escudo knows the events of XmlWinEventLog" in by_name["syslog"]["reason"]
    misses = next(r for r in told["results"] if r["detection"] == "Misses")
    (problem,) = misses["problems"]
    assert problem["code"] == "DET101"
    assert problem["file"].endswith("misses.yml")
    assert problem["hint"].startswith(
        "the last event was lost by Processes.process_name=calc.exe,"
        " where Processes.process_name is "
    )
    assert misses["nearest"][0]["failed"] == 1
    assert json.loads(files[2].read_text()) == told
    rules = json.loads(files[1].read_text())["runs"][0]["results"]
    assert sorted(r["ruleId"] for r in rules) == ["DET101", "SPL101"]
    suite = ElementTree.parse(files[0]).getroot()[0]
    counted = {k: suite.get(k) for k in ("tests", "failures", "errors", "skipped")}
    assert counted == {"tests": "8", "failures": "1", "errors": "1", "skipped": "5"}


def test_the_table_says_which_clause_lost_the_last_event(escudo: Run, checkout: Path) -> None:
    write_detection(checkout, "Misses", "calc.exe")
    done = escudo("test", checkout, "--format", "table", "--quiet")
    assert done.returncode == 1
    assert "FAIL Misses: finds  0 rows" in done.stdout
    assert "help: the last event was lost by Processes.process_name=calc.exe" in done.stdout
    assert "nearest misses:" in done.stdout
    assert "1 test: 1 failed" in done.stdout


def test_data_is_fetched_once_and_kept(escudo: Run, checkout: Path, tmp_path: Path) -> None:
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(checkout / "tests"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    tests = [
        {"name": name, "attack_data": [{"data": f"{url}/{name}.xml", **SYSMON}]}
        for name in ("attack", "gone")
    ]
    write_detection(checkout, "Fetches", "cmd.exe", tests=tests)
    base = ("test", checkout, "--format", "json", "--quiet", "--data-cache", tmp_path / "kept")
    done = escudo(*base)
    server.shutdown()
    server.server_close()
    kept = escudo(*base, "--offline")
    for told in (done, kept):
        assert told.returncode == 0, told.stderr
        assert outcomes(told) == {"Fetches: attack": "passed", "Fetches: gone": "missing"}
    first, again = (results(r)["results"] for r in (done, kept))
    assert [r["data"][0]["origin"] for r in (first[0], again[0])] == ["download", "kept"]
    assert first[1]["reason"] == f"{url}/gone.xml cannot be fetched: 404 File not found"
    assert again[1]["reason"] == f"no local copy of {url}/gone.xml"


def test_what_is_named_is_tested(escudo: Run, checkout: Path) -> None:
    write_detection(checkout, "Finds One", "cmd.exe")
    two = write_detection(checkout, "Finds Two", "powershell.exe")
    for arguments in ((two,), ("finds_two", "--content", checkout)):
        done = escudo("test", *arguments, "--format", "json", "--quiet", "--offline")
        assert done.returncode == 0, done.stderr
        assert outcomes(done) == {"Finds Two: finds": "passed"}


def test_strict_drilldowns_and_data_that_must_be_there(escudo: Run, checkout: Path) -> None:
    empty = {
        "name": "never $dest$",
        "search": '%original_detection_search% | search dest="nobody"',
        "earliest_offset": "$info_min_time$",
        "latest_offset": "$info_max_time$",
    }
    write_detection(checkout, "Finds", "cmd.exe", drilldown_searches=[empty])
    away = [{"name": "away", "attack_data": [{"data": "https://h.example/a.log", **SYSMON}]}]
    write_detection(checkout, "Away", "cmd.exe", tests=away)
    plain = escudo("test", checkout, "--offline", "--format", "json", "--quiet")
    assert plain.returncode == 0
    done = escudo(
        *("test", checkout, "--offline", "--format", "json", "--quiet"),
        *("--strict", "--drilldowns", "--require-data"),
    )
    assert done.returncode == 1
    codes = {r["detection"]: [p["code"] for p in r["problems"]] for r in results(done)["results"]}
    assert codes == {"Away": ["DET107"], "Finds": ["DET106"]}
    alone = escudo("test", "Away", "--content", checkout, "--offline", "--quiet")
    assert alone.returncode == 3
    assert escudo("test", checkout, "--changed", "--quiet").returncode == 1  # no git checkout


def test_known_good_logs(escudo: Run, checkout: Path, tmp_path: Path) -> None:
    write_detection(checkout, "Loud", "cmd.exe")
    write_detection(checkout, "Hunts", "cmd.exe", type="Hunting")
    write_detection(checkout, "Quiet", "calc.exe")
    good = tmp_path / "good"
    good.mkdir()
    (good / "day.xml").write_bytes((DATA / "attack.xml").read_bytes())
    base = ("test", checkout, "--benign", good, "--format", "json", "--quiet")
    done = escudo(*base)
    assert done.returncode == 1, done.stderr
    told = {r["detection"]: (r["outcome"], r["rows"]) for r in results(done)["results"]}
    assert told == {"Loud": ("failed", 1), "Hunts": ("passed", 1), "Quiet": ("passed", 0)}
    allow = tmp_path / "allow.yml"
    allow.write_text("Loud: 1\n")
    assert escudo(*base, "--allow", allow).returncode == 0
    allow.write_text("Loud: 1\nhunts: 0\n")
    done = escudo(*base, "--allow", allow)
    assert done.returncode == 1
    (failed,) = [r for r in results(done)["results"] if r["outcome"] == "failed"]
    assert failed["problems"][0]["message"] == "Hunts: 1 rows over known-good logs, 0 allowed"


def test_events_carry_what_the_test_says(escudo: Run, checkout: Path) -> None:
    """A source type decides which events a search takes, as in Splunk."""
    (checkout / "tests/cloud.json").write_text(
        '{"eventName": "StopLogging", "userIdentity": {"type": "IAMUser", "userName": "eve"}}\n'
    )
    data = {
        "data": "tests/cloud.json",
        "source": "trail",
        "sourcetype": "aws:cloudtrail",
        "host": "cloud-1",
        "custom_index": "cloud",
    }
    write_detection(
        checkout,
        "Trail Stopped",
        "",
        search="search index=cloud sourcetype=aws:cloudtrail source=trail host=cloud-1"
        " eventName=StopLogging | stats count by user host | rename host as dest"
        " | `trail_stopped_filter`",
        tests=[{"name": "finds", "attack_data": [data]}],
    )
    done = escudo("test", checkout, "--format", "json", "--quiet")
    assert outcomes(done) == {"Trail Stopped: finds": "passed"}, done.stderr


RISK = """\
1773739200, search_name="ESCU - A - Rule", risk_object="ws-1", risk_object_type="system", \
risk_score="60", risk_message="a \\"quoted\\" word", analyticstories="S", \
annotations="{\\"mitre_attack\\": [\\"T1059\\"]}"
1773739260, search_name="ESCU - B - Rule", risk_object="ws-1", risk_object_type="system", \
risk_score="70", risk_message="b", \
annotations.mitre_attack="T1003", annotations.mitre_attack="T1047"
"""


def test_stash_events_are_risk(escudo: Run, checkout: Path) -> None:
    (checkout / "tests/risk.log").write_text(RISK)
    data = [{"data": "tests/risk.log", "source": "risk", "sourcetype": "stash"}]
    search = (
        "| tstats sum(All_Risk.calculated_risk_score) as risk_score dc(source) as sources"
        " values(All_Risk.annotations.mitre_attack.mitre_tactic) as tactics"
        " from datamodel=Risk.All_Risk by All_Risk.risk_object All_Risk.risk_object_type"
        " | `drop_dm_object_name(All_Risk)` | where risk_score=130 AND sources=2"
        ' AND isnotnull(mvfind(tactics, "credential-access")) | `sums_filter`'
    )
    write_detection(
        checkout,
        "Sums",
        "",
        type="Correlation",
        search=search,
        rba={
            "message": "m",
            "risk_objects": [{"field": "risk_object", "type": "system", "score": 1}],
        },
        tests=[{"name": "adds up", "attack_data": data}],
    )
    done = escudo("test", checkout, "--format", "json", "--quiet")
    assert outcomes(done) == {"Sums: adds up": "passed"}, done.stdout
    (checkout / "tests/risk.log").write_text("no event\n")
    done = escudo("test", checkout, "--format", "json", "--quiet")
    assert outcomes(done) == {"Sums: adds up": "unreadable"}


def test_the_pack_hunts_by_its_name(escudo: Run) -> None:
    logs = PACK / "tests/wmi_created_a_process_after_a_network_logon/attack.xml"
    content = ("--content", "pack:suspicious-wmi-use")
    done = escudo("hunt", logs, *content, "--format", "json", "--quiet")
    assert done.returncode == 0, done.stderr
    found = {row["detection"] for row in json.loads(done.stdout)}
    assert "WMI Created a Process after a Network Logon" in found


def test_what_is_synthesised_is_told_and_kept(escudo: Run, checkout: Path, tmp_path: Path) -> None:
    write_detection(checkout, "Finds", "cmd.exe")
    write_detection(checkout, "Broken", "cmd.exe", search="| nosuchcommand | `broken_filter`")
    kept = tmp_path / "kept"
    done = escudo("test", checkout, "--synthesise", "--write", kept, "--format", "table", "--quiet")
    assert done.returncode == 0, done.stderr
    broken, counts = done.stdout.splitlines()
    assert broken.startswith("--   Broken: ")
    assert "nosuchcommand" in broken
    assert counts == ("2 detections: 1 synthesised, 1 fired; 2 near-misses, 0 of them fired")
    (checkout / "detections" / "broken.yml").unlink()
    tests = yaml.safe_load((kept / "finds" / "tests.yml").read_text())["tests"]
    assert [test.get("negative", False) for test in tests] == [False, True, True]
    for file in (kept / "finds").glob("*.xml"):
        (checkout / "tests" / file.name).write_bytes(file.read_bytes())
    for test in tests:
        for data in test["attack_data"]:
            data["data"] = f"tests/{data['data']}"
    write_detection(checkout, "Finds", "cmd.exe", tests=tests)
    done = escudo("test", checkout, "--offline", "--format", "json", "--quiet")
    assert set(outcomes(done).values()) == {"passed"}, done.stderr
    assert len(outcomes(done)) == 3
    write_detection(checkout, "Finds", "calc.exe", tests=tests)
    done = escudo("test", checkout, "--offline", "--format", "json", "--quiet")
    assert (done.returncode, results(done)["failed"]) == (1, 1)


def test_wrong_use(escudo: Run, checkout: Path, tmp_path: Path) -> None:
    for arguments, told in (
        (("--allow", DATA / "attack.xml"), "--allow goes with --benign"),
        (("--write", tmp_path), "--write goes with --synthesise"),
        (("--synthesise", "--strict"), "--strict does nothing with --synthesise"),
        (("--synthesise", "--output", "r.xml"), "--output does nothing with --synthesise"),
        (("--synthesise", "--format", "junit"), "--synthesise gives a table or JSON"),
        (("--synthesise", "--benign", DATA), "--benign does nothing with --synthesise"),
        (("--benign", DATA, "--near", "1"), "--near does nothing with --benign"),
    ):
        done = escudo("test", checkout, *arguments)
        assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    done = escudo("test", checkout, "--output", tmp_path / "r.txt")
    assert (done.returncode, "CLI010" in done.stderr) == (1, True)
