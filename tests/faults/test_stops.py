"""Ctrl-C and SIGTERM at real work: soon, by the documented exit code, and what was done is told."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from escudo.lake import Lake
from tests.faults.lakes import observe
from tests.lake.logs import write_logs
from tests.program import Ran, Run, Server

pytestmark = pytest.mark.slow

SOON = 15.0
"""Seconds, on a machine that does other things; what is stopped takes minutes."""
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
BACKTRACKS = '| makeresults count=4000000 | eval x="aaaaaaaaaaaaaaa!" | regex x="^(?=a)(a|a|aa)+$"'
SEARCHES = {
    "a native query": (
        "| makeresults count=30000000 | eval b=md5(tostring(random())) | stats dc(b)"
    ),
    "a regular expression": BACKTRACKS,
    "rows that are written": "| makeresults count=4000000 | eval x=random()",
    "a library": (
        "| makeresults count=2000000 | eval a=random(), b=random() | fit KMeans a b k=60 into m"
    ),
    "outputlookup": "| makeresults count=20000000 | eval a=random() | table a | outputlookup big",
    "collect": "| makeresults count=9000000 | eval a=random() | collect index=mine",
}

DETECTION = """
name: {name}
id: 11111111-2222-3333-4444-00000000000{number}
version: 1
date: '2024-01-01'
author: a tester
status: production
type: TTP
description: For a test.
data_source: [Sysmon EventID 1]
search: '{search}'
how_to_implement: none
known_false_positives: none
rba:
  message: seen
  risk_objects: [{{field: dest, type: system, score: 10}}]
  threat_objects: []
tags: {{analytic_story: [], asset_type: Endpoint, security_domain: endpoint, product: [x]}}
"""
FINDS = (
    "| tstats count from datamodel=Endpoint.Processes by Processes.dest"
    " | rename Processes.* as * | outputlookup found.csv"
)


@pytest.fixture(scope="module")
def lake(plain_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stops")
    (log,) = write_logs(folder / "logs", 1, 20)
    assert plain_server.run("ingest", log, "--lake", folder / "lake").code == 0
    return folder / "lake"


def stop(run: Run, number: signal.Signals) -> Ran:
    run.signal(number)
    since = time.monotonic()
    done = run.wait()
    assert time.monotonic() - since < SOON
    assert "Traceback" not in done.err
    assert f"stopped by {number.name}" in done.err
    return done


@pytest.mark.parametrize(
    ("kind", "number", "code"),
    [(kind, *SIGNALS[n % 2]) for n, kind in enumerate(SEARCHES)],
)
def test_a_search_ends_whatever_it_is_in(
    kind: str, number: signal.Signals, code: int, plain_server: Server, lake: Path
) -> None:
    before = observe(lake)
    run = plain_server.start("search", SEARCHES[kind], "--lake", lake)
    time.sleep(2.0)
    assert stop(run, number).code == code
    assert observe(lake) == before
    assert list((lake / "work").iterdir()) == []


def test_a_json_array_is_whole_where_a_search_was_stopped(plain_server: Server, lake: Path) -> None:
    endless = SEARCHES["rows that are written"]
    run = plain_server.start("search", endless, "--lake", lake, "--format", "json")
    until = time.monotonic() + 60
    while not run.has_written() and time.monotonic() < until:
        time.sleep(0.1)
    assert len(json.loads(stop(run, signal.SIGINT).out)) > 0


@pytest.mark.parametrize(("number", "code"), SIGNALS)
@pytest.mark.parametrize("shape", ["jsonl", "table"])
def test_a_hunt_shows_what_it_has_found(
    shape: str, number: signal.Signals, code: int, plain_server: Server, tmp_path: Path
) -> None:
    content = tmp_path / "content" / "detections"
    content.mkdir(parents=True)
    for n, (name, text) in enumerate((("A Finds", FINDS), ("B Takes Long", BACKTRACKS))):
        made = DETECTION.format(name=name, number=n, search=text)
        (content / f"{n}.yml").write_text(made)
    (log,) = write_logs(tmp_path / "logs", 1, 20)
    kept = tmp_path / "lake"
    options = ["--content", content.parent, "--lake", kept, "--format", shape]
    options += ["--output", tmp_path / "kept.jsonl"]
    chosen = ["--detection", "A Finds", "--detection", "B Takes Long"]
    run = plain_server.start("hunt", log, *options, *chosen)
    until = time.monotonic() + 60
    while not (kept / "lookups" / "found.csv").exists() and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(0.5)
    done = stop(run, number)
    assert done.code == code
    written = (tmp_path / "kept.jsonl").read_text("utf-8")
    if shape == "jsonl":
        assert written == done.out
    else:
        assert "Stopped, so this is part of it: 1 of 1 detections found " in done.out
    assert [json.loads(line)["detection"] for line in written.splitlines()] == ["A Finds"]
    with Lake.open(kept) as opened:
        assert len(opened.ledger.files()) == 1


def test_a_compaction_that_is_stopped_leaves_all_as_it_was(
    plain_server: Server, tmp_path: Path
) -> None:
    logs = write_logs(tmp_path / "logs", 3, 3000)
    kept = tmp_path / "lake"
    for log in logs:
        assert plain_server.run("ingest", log, "--lake", kept).code == 0
    before = observe(kept)
    run = plain_server.start("lake", "compact", "--lake", kept)
    until = time.monotonic() + 60
    while not any((kept / "work").iterdir()) and time.monotonic() < until:
        time.sleep(0.005)
    run.signal(signal.SIGTERM)
    done = run.wait()
    assert done.code in (143, 0)  # it may have been done already
    assert "Traceback" not in done.err
    assert observe(kept) == before
    assert list((kept / "work").iterdir()) == []
