"""What senders are told while the lake cannot keep up, or be written; nothing is lost by it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from escudo.actions.engines import make_engines
from escudo.content import load
from escudo.core.errors import EscudoError
from escudo.lake import Lake
from escudo.lake.writer import Writer
from escudo.schedule.database import FILE, State
from escudo.serve.app import make_app
from escudo.serve.live_content import LiveContent
from escudo.serve.server import Server
from escudo.serve.settings import ServerSettings
from tests.serve.running import run_async
from tests.serve.sending import add_token, read_events

pytestmark = pytest.mark.slow

EVENT, HEALTH = "/services/collector/event", "/services/collector/health"
METHODS = {HEALTH: "GET"}
CHANNEL = "4e9fbd5e-5f0a-4c4d-8d52-8f9e0f8c7a11"


def post(server: Server, token: str, path: str, **body: Any) -> httpx.Response:
    """One request, straight to the application."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(make_app(server))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.request(METHODS.get(path, "POST"), path, headers=headers, **body)

    headers = {"Authorization": f"Splunk {token}", "X-Splunk-Request-Channel": CHANNEL}
    return run_async(ask())


@pytest.fixture
def small_server(tmp_path: Path) -> Iterator[Server]:
    """A server in which no more than 500 bytes may wait."""
    path = tmp_path / "lake"
    with Lake.open(path) as lake, State.open(path / FILE) as state:
        server = Server(
            settings=ServerSettings(
                hosts=("testserver",), waiting_bytes=500, commit_seconds=0.1, schedule=False
            ),
            lake=lake,
            state=state,
            contents=LiveContent(load([]), state),
            engine_of=make_engines("duckdb", None),
        )
        with server.receiver:
            yield server


def test_senders_are_told_to_come_again(
    small_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    commit = Writer.commit

    def slow(self: Writer, *args: Any, **kwargs: Any) -> Any:
        gate.wait(60)
        return commit(self, *args, **kwargs)

    monkeypatch.setattr(Writer, "commit", slow)
    lake = small_server.lake.path
    token = add_token(lake, "small", useACK=True)
    taken = []
    for number in range(10):
        answer = post(small_server, token, EVENT, content=f'{{"event":"event {number}"}}')
        if answer.status_code != 200:
            break
        taken.append(f"event {number}")
    assert (answer.status_code, answer.json()) == (503, {"text": "Server is busy", "code": 9})
    assert answer.headers["retry-after"] == "1"
    assert 0 < len(taken) < 10
    body = '{"create":{"_index":"x"}}\n{"a":"' + "x" * 500 + '"}\n'
    bulk = post(small_server, token, "/_bulk", content=body)
    assert (bulk.status_code, bulk.json()["status"]) == (429, 429)
    gate.set()
    wait_until_idle(small_server)
    assert post(small_server, token, EVENT, content='{"event":"again"}').status_code == 200
    wait_until_idle(small_server)
    assert sorted(row["_raw"] for row in read_events(lake)) == sorted([*taken, "again"])


def wait_until_idle(server: Server) -> None:
    end = time.monotonic() + 60
    while server.receiver.held_bytes:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_health_says_whether_more_is_taken(small_server: Server) -> None:
    """Vector and load balancers look at the status."""
    assert post(small_server, "", HEALTH).json() == {"text": "HEC is healthy", "code": 17}
    small_server.receiver.__exit__(None, None, None)
    answer = post(small_server, "", HEALTH)
    assert (answer.status_code, answer.json()["code"]) == (503, 18)
    refused = post(
        small_server, add_token(small_server.lake.path, "t"), EVENT, content='{"event":1}'
    )
    assert refused.json() == {"text": "Server is busy", "code": 9}


def test_a_lake_that_cannot_be_written(
    small_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = small_server.lake.path
    token = add_token(lake, "plain")

    def fail(*_: Any, **__: Any) -> None:
        raise EscudoError("LAK013", "no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Writer, "commit", fail)
        answer = post(small_server, token, EVENT, content='{"event":"a"}')
        assert (answer.status_code, answer.json()) == (503, {"text": "Server is busy", "code": 9})
    answer = post(small_server, token, EVENT, content='{"event":"a"}')
    assert (answer.status_code, answer.json()) == (200, {"text": "Success", "code": 0})
    assert [row["_raw"] for row in read_events(lake)] == ["a"]
