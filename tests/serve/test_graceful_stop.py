"""SIGTERM under load: what was acknowledged is in the lake, once."""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.serve.running import run_server
from tests.serve.sending import add_token, read_events

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("after", [3, 8])
def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path, after: int) -> None:
    lake = tmp_path / "lake"
    acknowledged: list[str] = []
    enough = threading.Event()
    with run_server(lake, ["--no-schedule"]) as running:
        headers = {"Authorization": f"Splunk {add_token(lake, 'load')}"}

        def post(sender: int) -> None:
            with httpx.Client(base_url=running.url, headers=headers, timeout=60) as client:
                for number in range(1_000):
                    marks = [f"{sender}-{number}-{i}" for i in range(20)]
                    body = "".join(json.dumps({"event": {"mark": mark}}) for mark in marks)
                    try:
                        answer = client.post("/services/collector/event", content=body)
                    except httpx.HTTPError:
                        return
                    if answer.status_code != 200:
                        return
                    acknowledged.extend(marks)
                    if number >= after:
                        enough.set()

        threads = [threading.Thread(target=post, args=(sender,)) for sender in range(4)]
        for thread in threads:
            thread.start()
        assert enough.wait(60)
        running.end()
        for thread in threads:
            thread.join(60)
        assert running.process.returncode == 0
    kept = Counter(row["mark"] for row in read_events(lake) if "mark" in row)
    assert len(acknowledged) >= after * 20
    missing = [mark for mark in acknowledged if kept[mark] == 0]
    twice = [mark for mark, count in kept.items() if count > 1]
    assert (missing, twice) == ([], [])
