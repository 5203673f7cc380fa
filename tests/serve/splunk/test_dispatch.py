"""A dispatched detection: its job is done when its actions are taken, or tells why they are not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.testclient import TestClient

from escudo.serve.searches.job import Job
from escudo.serve.server import Server
from escudo.serve.splunk import saved
from tests.serve.events import fill_lake
from tests.serve.in_process import open_app
from tests.serve.running import PASSWORD

pytestmark = pytest.mark.slow

RULE = "saved/searches/ESCU - Process Execution via WMI - Rule"
TIMES = {"dispatch.earliest_time": "0", "dispatch.latest_time": "now"}


class Served(NamedTuple):
    client: TestClient
    server: Server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An administrator's client, and its server over events, in this process."""
    folder: Path = tmp_path_factory.mktemp("dispatched")
    fill_lake(folder / "lake", folder)
    with open_app(folder) as (app, server), server.searches:
        server.accounts.users.add("adam", PASSWORD, ["admin"])
        headers = {"Authorization": f"Splunk {_log_in(TestClient(app))}"}
        yield Served(TestClient(app, headers=headers), server)


def _log_in(client: TestClient) -> str:
    given = {"username": "adam", "password": PASSWORD, "output_mode": "json"}
    key: str = client.post("/services/auth/login", data=given).json()["sessionKey"]
    return key


def dispatch(client: TestClient, path: str, **asked: str) -> str:
    given = {"output_mode": "json", "trigger_actions": "1", **TIMES, **asked}
    answer = client.post(f"/services/{path}/dispatch", data=given)
    assert answer.status_code == 201, answer.text
    sid: str = answer.json()["sid"]
    return sid


def finish(client: TestClient, sid: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = client.get(f"/services/search/jobs/{sid}", params={"output_mode": "json"})
        content: dict[str, Any] = answer.json()["entry"][0]["content"] if answer.content else {}
        if content.get("isDone"):
            return content
        time.sleep(0.05)
    raise AssertionError(content)


def test_actions_that_fail_are_told(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(saved, "write_actions", fail)
    content = finish(served.client, dispatch(served.client, RULE))
    (told,) = content["messages"]["FATAL"]
    assert "ZeroDivisionError" in told


def test_a_dispatch_that_is_cancelled_takes_no_actions(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[object] = []
    run = Job.wait_run

    def run_and_cancel(job: Job) -> None:
        run(job)
        assert job.parts
        served.server.searches.cancel(job)

    monkeypatch.setattr(saved, "write_actions", lambda *given: written.append(given))
    monkeypatch.setattr(Job, "wait_run", run_and_cancel)
    assert finish(served.client, dispatch(served.client, RULE))["isFailed"]
    assert not written
