"""An own source, from its YAML to findings, by the console script; and what is wrong in one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, json_lines

SOURCE = """\
name: acme_vpn
title: ACME VPN gateway
priority: 50
recognise:
  - {product: acme-vpn}
time: [when]
host: [gateway]
source: acme:vpn
sourcetype: acme:vpn:json
index: vpn
fields: [product, gateway, result, account, client.ip]
calculated:
  outcome: upper(result)
datasets:
  - model: Authentication
    dataset: Authentication
    events: {product: [acme-vpn]}
    fields:
      action: if(result="ok", "success", "failure")
      app: '"acme-vpn"'
      src: "'client.ip'"
      dest: gateway
      user: lower(account)
"""

DETECTION = """\
name: VPN Logons Fail
id: 5a0a3a0e-0000-4000-8000-0000000000a1
version: 1
date: '2026-01-01'
author: a tester
status: production
type: TTP
description: Three or more logons of a user at the VPN failed.
search: |-
  | tstats count min(_time) as firstTime max(_time) as lastTime values(Authentication.src) as src
  from datamodel=Authentication where Authentication.app=acme-vpn Authentication.action=failure
  by Authentication.user Authentication.dest
  | rename Authentication.* as * | where count >= 3
tags:
  risk_score: 30
  message: logons of $user$ fail
  mitre_attack_id: [T1110]
  observable: [{name: user, type: User, role: [Victim]}]
  security_domain: access
"""


def event(minute: int, account: str, result: str) -> dict[str, object]:
    return {
        "product": "ACME-VPN" if minute == 0 else "acme-vpn",
        "when": f"2026-03-01T09:{minute:02}:00Z",
        "gateway": "gw1",
        "result": result,
        "account": account,
        "client": {"ip": f"192.0.2.{minute}", "build": 7},
    }


EVENTS = [
    event(1, "Anna", "ok"),
    event(2, "Anna", "bad password"),
    event(3, "Bert", "bad password"),
    event(4, "Bert", "bad password"),
    event(5, "BERT", "locked"),
]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """The folders of the source and of the detection, and the log."""
    sources, content = tmp_path / "sources", tmp_path / "content" / "detections"
    sources.mkdir()
    content.mkdir(parents=True)
    (sources / "acme_vpn.yml").write_text(SOURCE)
    (content / "vpn.yml").write_text(DETECTION)
    log = tmp_path / "vpn.json"
    log.write_text("".join(json.dumps(e) + "\n" for e in EVENTS))
    return sources, content.parent, log


@pytest.mark.slow
def test_an_own_source_is_hunted(escudo: Run, folders: tuple[Path, Path, Path]) -> None:
    sources, content, log = folders
    done = escudo(
        *("hunt", log, "--sources", sources, "--content", content),
        *("--detection", "VPN Logons Fail", "--format", "jsonl", "--quiet"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    (hit,) = json_lines(done.stdout)
    assert hit["_time"] == "2026-03-01T09:05:00.000Z"
    assert hit["message"] == "logons of bert fail"
    assert hit["row"]["src"] == ["192.0.2.3", "192.0.2.4", "192.0.2.5"]
    assert (hit["row"]["user"], hit["row"]["dest"], hit["row"]["count"]) == ("bert", "gw1", 3)
    # without the source these are events of the last family, of which no data model has rows
    without = escudo("hunt", log, "--content", content, "--format", "jsonl", "--quiet")
    assert (without.returncode, json_lines(without.stdout)) == (0, [])


@pytest.mark.slow
def test_a_lake_needs_the_sources_that_it_was_written_with(
    escudo: Run, folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    sources, _, log = folders
    lake = tmp_path / "lake"
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
    folders: tuple[Path, Path, Path],
    change: tuple[str, str],
    code: str,
    line: int,
    column: int,
) -> None:
    sources, _, log = folders
    path = sources / "acme_vpn.yml"
    assert SOURCE.count(change[0]) == 1
    path.write_text(SOURCE.replace(*change))
    done = escudo("hunt", log, "--sources", sources, "--quiet")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error[{code}] {path}:{line}:{column}: ")


@pytest.mark.slow
def test_a_folder_without_sources(escudo: Run, tmp_path: Path) -> None:
    done = escudo("hunt", "-", "--sources", tmp_path, stdin=b"")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error[SRC052]")
