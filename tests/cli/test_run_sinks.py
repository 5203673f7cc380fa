"""``escudo run`` through the command line: what it finds goes to sinks, once each takes it."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.cli.conftest import Run
from tests.cli.terminals import Terminal
from tests.sinks.servers import serve_web

pytestmark = pytest.mark.slow

DUE = "2024-04-09T09:00:30Z"
"""The window of 09:00 is 07:50 to 08:50; in it are the events of 08:15:02, 08:15:09, 08:16:40."""


@pytest.fixture
def lake(escudo: Run, tmp_path: Path) -> Path:
    logs = files("escudo.content.builtin") / "tests" / "process_execution_via_wmi"
    made = tmp_path / "lake"
    assert escudo("ingest", str(logs), "--lake", made).returncode == 0
    return made


def test_findings_wait_for_a_sink_that_refuses_them(escudo: Run, lake: Path) -> None:
    once = ["run", "--lake", lake, "--once", "--detection", "Process Execution via WMI"]
    file = lake.parent / "found.jsonl"
    with serve_web([503]) as server:
        sinks = ["--sink", f"jsonl:{file}", "--sink", f"{server.url}/hook#attempts=1"]
        first = escudo(*once, *sinks, "--now", DUE)
        assert first.returncode == 1, first.stderr
        assert "SNK006" in first.stderr
        assert "findings wait for the next run" in first.stderr
        assert not server.taken
        written = [json.loads(line) for line in file.read_text().splitlines()]
        for _ in range(60):  # it is tried again once its pause of five seconds is over
            later = escudo(*once, *sinks, "--now", "2024-04-09T09:10:00Z")
            if server.taken:
                break
        assert later.returncode == 0, later.stderr
        ((request,), again) = (server.taken, file.read_text().splitlines())
    sent = request.json if isinstance(request.json, list) else request.json["findings"]
    assert [f["finding_id"] for f in sent] == [f["finding_id"] for f in written]
    assert len(again) == len(written) == len({f["event_hash"] for f in written}) == 3
    for finding in written:
        assert finding["detection"] == "Process Execution via WMI"
        assert finding["finding_id"] == finding["event_hash"]
        assert finding["rule_title"]
        assert finding["severity"] == "medium"  # of a risk of 49
        assert finding["row"]["dest"]


def test_a_daemon_serves_metrics(lake: Path) -> None:
    once = ["--detection", "Process Execution via WMI", "--metrics", "127.0.0.1:0"]
    with Terminal("run", "--lake", lake, "--daemon", *once) as terminal:
        port = re.search(r"\d+$", terminal.expect(r"metrics: http://127\.0\.0\.1:\d+"))
        assert port is not None
        terminal.expect("window")
        with urlopen(f"http://127.0.0.1:{port[0]}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        assert 'escudo_windows_total{outcome="done"} 1.0' in text
        assert "escudo_window_gaps 0.0" in text
        terminal.send("\x03")
        assert terminal.finish()[0] == 130


def test_what_goes_with_a_daemon_alone_is_told(escudo: Run, lake: Path) -> None:
    done = escudo("run", "--lake", lake, "--once", "--metrics", "127.0.0.1:0")
    assert done.returncode == 2
    assert "--daemon" in done.stderr
