"""contentctl 5.6.2 as a client: its unit and its integration test of a detection, over TLS, with
logs that it sends by HEC and risk events and findings that it looks for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from escudo.schedule.database import FILE, State
from escudo.serve.accounts.users import Users
from tests.serve.running import run_server
from tests.serve.splunk.contentctl_repository import DETECTION, NAME, write_repository

CONTENTCTL = os.environ.get("ESCUDO_CONTENTCTL") or shutil.which("contentctl")
PASSWORD = "a-sentence-for-tests"
SECONDS = 540
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.slow
@pytest.mark.skipif(
    CONTENTCTL is None,
    reason="contentctl is not installed (`pip install contentctl==5.6.2` into an environment of"
    " its own; ESCUDO_CONTENTCTL names the program)",
)
def test_contentctl_passes_a_detection(tmp_path: Path) -> None:
    assert CONTENTCTL is not None
    repository, lake = tmp_path / "repository", tmp_path / "lake"
    expected = write_repository(repository)
    with run_server(lake, ["--no-schedule", "--tls"]) as server:
        with State.open(lake / FILE) as state:
            Users(state, clock=time.time).set_password("admin", PASSWORD)
        port = urlsplit(server.url).port
        done = subprocess.run(
            [
                *(CONTENTCTL, "test_servers", "--no-build-app", "--disable-tqdm"),
                *("--server-info", f"127.0.0.1,admin,{PASSWORD},{port},{port},{port}"),
                *("--enable-integration-testing", "--post-test-behavior", "never_pause"),
                *("mode:selected", "--mode.files", DETECTION),
            ],
            cwd=repository,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    told = _COLOUR.sub("", done.stdout + done.stderr)
    results = yaml.safe_load((repository / "test_results/summary.yml").read_text())
    assert results["summary"]["success"], told
    (detection,) = results["tested_detections"]
    assert detection["name"] == NAME
    tests = {test["test_type"]: test for test in detection["tests"]}
    assert {kind: test["status"] for kind, test in tests.items()} == {
        "unit": "pass",
        "integration": "pass",
    }
    assert int(tests["unit"]["resultCount"]) >= expected
    assert done.returncode == 0, told
