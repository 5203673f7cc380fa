"""What Winlogbeat and Elastic Agent do: look at the server, set up what they need, send in bulk.

Formats are those of Elasticsearch's API reference (Bulk API, Info API) and of Winlogbeat's own
requests at its start (libbeat's connectors for templates, lifecycles and licences).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.serve.running import RunningServer
from tests.serve.sending import add_token, read_events

pytestmark = pytest.mark.slow

WINLOGBEAT = {
    "@timestamp": "2024-03-05T10:00:00.123Z",
    "agent": {"type": "winlogbeat", "version": "8.17.0"},
    "ecs": {"version": "8.0.0"},
    "event": {"code": "1", "kind": "event", "provider": "Microsoft-Windows-Sysmon"},
    "host": {"name": "pc7.example"},
    "log": {"level": "information"},
    "message": "Process Create:",
    "winlog": {
        "channel": "Microsoft-Windows-Sysmon/Operational",
        "computer_name": "pc7.example",
        "event_data": {
            "CommandLine": "whoami /all",
            "Image": "C:\\Windows\\System32\\whoami.exe",
            "ProcessId": "4711",
        },
        "event_id": "1",
        "opcode": "Info",
        "provider_name": "Microsoft-Windows-Sysmon",
        "record_id": 17,
    },
}


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[httpx.Client]:
    token = add_token(server.lake, "beats", indexes=["main", "beats_own", "windows"])
    key = base64.b64encode(f"beats:{token}".encode()).decode()
    headers = {"Authorization": f"ApiKey {key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as opened:
        yield opened


def bulk(*lines: dict[str, Any]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_beats_find_a_server_of_their_kind(client: httpx.Client) -> None:
    answer = client.get("/elastic")
    assert answer.headers["x-elastic-product"] == "Elasticsearch"
    assert answer.json()["version"]["number"].startswith("8.")
    assert answer.json()["tagline"] == "You Know, for Search"
    assert client.get("/elastic/_license").json()["license"]["status"] == "active"
    assert client.get("/elastic/_cluster/health").json()["status"] == "green"


def test_what_beats_set_up_is_there(client: httpx.Client) -> None:
    for path in ("_index_template/winlogbeat-8.17.0", "_ilm/policy/winlogbeat", "_data_stream/x"):
        assert client.get(f"/elastic/{path}").status_code == 200
        assert client.head(f"/elastic/{path}").status_code == 200
        answer = client.put(f"/elastic/{path}", json={})
        assert answer.json() == {"acknowledged": True}


def test_who_brings_no_token_is_refused(server: RunningServer) -> None:
    for path in ("/elastic", "/_bulk", "/elastic/logs/_bulk"):
        method = "GET" if path == "/elastic" else "POST"
        answer = httpx.request(method, server.url + path, auth=("elastic", "changeme"))
        assert answer.status_code == 401
        assert answer.json()["error"]["type"] == "security_exception"


def test_events_of_winlogbeat_are_events_of_windows(
    server: RunningServer, client: httpx.Client
) -> None:
    body = bulk({"create": {"_index": "beats_own"}}, WINLOGBEAT)
    answer = client.post("/elastic/_bulk", content=body)
    assert answer.status_code == 200
    told = answer.json()
    assert told["errors"] is False
    assert [item["create"]["status"] for item in told["items"]] == [201]
    (row,) = read_events(server.lake, index="beats_own")
    assert row["table"] == "raw_sysmon"
    assert (row["EventID"], row["Image"]) == ("1", "C:\\Windows\\System32\\whoami.exe")
    assert row["host"] == "pc7.example"
    assert row["_time"] == datetime(2024, 3, 5, 10, 0, 0, 123_000, UTC)


def test_other_documents_are_kept_with_all_fields(
    server: RunningServer, client: httpx.Client
) -> None:
    document = {"@timestamp": "2024-03-05T11:00:00Z", "process": {"name": "sshd"}, "n": [1, 2]}
    body = bulk({"index": {}}, document)
    assert client.post("/logs-system.auth-default/_bulk", content=body).status_code == 200
    (row,) = read_events(server.lake, elastic_index="logs-system.auth-default")
    assert (row["process.name"], row["n{}"]) == ("sshd", "1\x1e2")
    assert row["_time"] == datetime(2024, 3, 5, 11, tzinfo=UTC)
    assert json.loads(row["_raw"]) == document


def test_each_action_has_its_answer(server: RunningServer, client: httpx.Client) -> None:
    body = (
        bulk({"create": {"_index": "mixed", "_id": "1"}}, {"a": "mixed one"})
        + '{"create":{"_index":"mixed"}}\n{"broken"\n'
        + bulk({"delete": {"_index": "mixed", "_id": "7"}})
        + bulk({"update": {"_index": "mixed", "_id": "8"}}, {"doc": {}})
        + bulk({"index": {"_index": "mixed"}}, {"a": "mixed two"})
    )
    told = client.post("/_bulk", content=body).json()
    assert told["errors"] is True
    statuses = [(name, item[name]["status"]) for item in told["items"] for name in item]
    assert statuses == [
        ("create", 201),
        ("create", 400),
        ("delete", 400),
        ("update", 400),
        ("index", 201),
    ]
    assert told["items"][0]["create"]["_id"] == "1"
    rows = read_events(server.lake, elastic_index="mixed")
    assert sorted(row["a"] for row in rows) == ["mixed one", "mixed two"]


@pytest.mark.parametrize(
    "body",
    ["", "nonsense\n", '{"create":{}}\n{"a":1}\n', '{"create":{"_index":"x"}}\n', '{"drop":{}}\n'],
)
def test_what_is_no_bulk_request_is_refused(client: httpx.Client, body: str) -> None:
    answer = client.post("/elastic/_bulk", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "illegal_argument_exception"
