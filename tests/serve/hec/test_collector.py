"""HEC through a real server. Codes and texts are those of Splunk's manual (Getting Data In,
"Troubleshoot HTTP Event Collector"); formats are those of "Format events for HTTP Event
Collector"."""

from __future__ import annotations

import gzip
import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from escudo.schedule.database import FILE, State
from escudo.serve.accounts.tokens import HEC, Tokens
from tests.serve.running import RunningServer
from tests.serve.sending import add_token, count_commits, read_events

pytestmark = pytest.mark.slow

COLLECTOR = "/services/collector"
SYSMON = {
    "EventID": 1,
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "Provider": "Microsoft-Windows-Sysmon",
    "Computer": "pc1.example",
    "TimeCreated": "2024-03-05T10:00:00.000Z",
    "Image": "C:\\Windows\\System32\\cmd.exe",
    "CommandLine": "cmd.exe /c whoami",
}
SYSMON_XML = (
    '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>'
    '<Provider Name="Microsoft-Windows-Sysmon"/><EventID>1</EventID>'
    '<TimeCreated SystemTime="2024-03-05T10:00:00.000Z"/>'
    "<Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>pc2</Computer></System>"
    '<EventData><Data Name="Image">C:\\a.exe</Data></EventData></Event>'
)


@pytest.fixture(scope="session")
def token(server: RunningServer) -> str:
    return add_token(server.lake, "plain")


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as opened:
        yield opened


def post(
    client: httpx.Client, token: str, *events: dict[str, Any], path: str = "/event"
) -> httpx.Response:
    body = "".join(map(json.dumps, events))
    return client.post(COLLECTOR + path, content=body, headers={"Authorization": f"Splunk {token}"})


def told(answer: httpx.Response) -> tuple[int, dict[str, Any]]:
    return answer.status_code, answer.json()


def test_what_was_answered_is_in_the_lake(
    server: RunningServer, client: httpx.Client, token: str
) -> None:
    """Metadata of each event; objects one behind the other."""
    first = {
        "time": 1426279439.123,
        "host": "h1",
        "source": "s1",
        "sourcetype": "st1",
        "index": "answered",
        "event": "Hello world!",
        "fields": {"severity": "high", "count": 3, "roles": ["a", "b"]},
    }
    second = {"time": "1426279440", "index": "answered", "event": {"a": 1, "b": {"c": "}{"}}}
    assert told(post(client, token, first, second)) == (200, {"text": "Success", "code": 0})
    rows = {row["_raw"]: row for row in read_events(server.lake, index="answered")}
    hello = rows["Hello world!"]
    assert hello["_time"] == datetime.fromtimestamp(1426279439.123, UTC)
    assert [hello[n] for n in ("host", "source", "sourcetype")] == ["h1", "s1", "st1"]
    assert (hello["severity"], hello["count"]) == ("high", "3")
    assert hello["roles"].split("\x1e") == ["a", "b"]
    other = rows[json.dumps(second["event"])]
    assert (other["a"], other["b.c"]) == ("1", "}{")
    assert other["_time"] == datetime.fromtimestamp(1426279440, UTC)
    assert [other[n] for n in ("host", "source", "sourcetype")] == [
        "127.0.0.1",
        "http:plain",
        "httpevent",
    ]


def test_an_event_of_a_known_source_is_read_like_a_line_of_its_file(
    server: RunningServer, client: httpx.Client, token: str
) -> None:
    events: list[dict[str, Any]] = [
        {"index": "known", "event": SYSMON},
        {"index": "known", "event": SYSMON_XML, "host": "given", "sourcetype": "XmlWinEventLog"},
        {"index": "known", "event": json.dumps(SYSMON), "time": 17},
    ]
    assert post(client, token, *events).status_code == 200
    rows = read_events(server.lake, index="known")
    assert [row["table"] for row in rows] == ["raw_sysmon"] * 3
    assert sorted(row["host"] for row in rows) == ["given", "pc1.example", "pc1.example"]
    assert sorted(row["Image"] for row in rows) == [
        "C:\\Windows\\System32\\cmd.exe",
        "C:\\Windows\\System32\\cmd.exe",
        "C:\\a.exe",
    ]
    own = datetime(2024, 3, 5, 10, tzinfo=UTC)
    assert sorted(row["_time"] for row in rows) == [datetime.fromtimestamp(17, UTC), own, own]


def test_metrics_are_events_at_least(
    server: RunningServer, client: httpx.Client, token: str
) -> None:
    metric = {
        "index": "metrics",
        "event": "metric",
        "fields": {"metric_name:cpu.usr": 11.12, "region": "us-west-1"},
    }
    assert post(client, token, metric).status_code == 200
    (row,) = read_events(server.lake, index="metrics")
    assert (row["metric_name:cpu.usr"], row["region"]) == ("11.12", "us-west-1")


@pytest.mark.parametrize(
    ("body", "status", "answer"),
    [
        (b"", 400, {"text": "No data", "code": 5}),
        (b"  \n", 400, {"text": "No data", "code": 5}),
        (b'{"event"', 400, {"text": "Invalid data format", "code": 6, "invalid-event-number": 0}),
        (
            b'{"event":"a"} nonsense',
            400,
            {"text": "Invalid data format", "code": 6, "invalid-event-number": 1},
        ),
        (
            b'{"event":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            400,
            {"text": "Invalid data format", "code": 6, "invalid-event-number": 0},
        ),
        (
            b'{"event":"a","time":"noon"}',
            400,
            {"text": "Invalid data format", "code": 6, "invalid-event-number": 0},
        ),
        (
            b'{"event":"a"}{"source":"x"}',
            400,
            {"text": "Event field is required", "code": 12, "invalid-event-number": 1},
        ),
        (
            b'{"event":""}',
            400,
            {"text": "Event field cannot be blank", "code": 13, "invalid-event-number": 0},
        ),
        (
            b'{"event":"a","fields":{"a":{"b":1}}}',
            400,
            {"text": "Error in handling indexed fields", "code": 15, "invalid-event-number": 0},
        ),
    ],
)
def test_what_is_wrong_with_a_body_is_told(
    client: httpx.Client, token: str, body: bytes, status: int, answer: dict[str, Any]
) -> None:
    headers = {"Authorization": f"Splunk {token}"}
    assert told(client.post(f"{COLLECTOR}/event", content=body, headers=headers)) == (
        status,
        answer,
    )


def test_a_body_is_refused_whole(server: RunningServer, client: httpx.Client, token: str) -> None:
    """So that its sender can mend it and send it again whole."""
    answer = post(client, token, {"event": "good", "index": "whole"}, {"event": ""})
    assert answer.json()["invalid-event-number"] == 1
    assert post(client, token, {"event": "later", "index": "whole"}).status_code == 200
    assert [row["_raw"] for row in read_events(server.lake, index="whole")] == ["later"]


def test_tokens(server: RunningServer, client: httpx.Client, token: str) -> None:
    path, body = f"{COLLECTOR}/event", '{"event":"a"}'
    off = add_token(server.lake, "off")
    with State.open(server.lake / FILE) as state:
        tokens = Tokens(state, clock=time.time)
        found = tokens.find(off, kind=HEC)
        assert found is not None
        tokens.disable(found)
    asked = add_token(server.lake, "asked", allowQueryStringAuth=True)
    cases = [
        ({}, {}, 401, "Token is required", 2),
        ({"Authorization": "Splunk"}, {}, 401, "Invalid authorization", 3),
        ({"Authorization": "Digest x"}, {}, 401, "Invalid authorization", 3),
        ({"Authorization": f"Splunk {uuid.uuid4()}"}, {}, 403, "Invalid token", 4),
        ({"Authorization": f"Splunk {off}"}, {}, 403, "Token disabled", 1),
        ({}, {"token": token}, 400, "Query string authorization is not enabled", 16),
        ({}, {"token": asked}, 200, "Success", 0),
        ({"Authorization": httpx.BasicAuth("x", token)._auth_header}, {}, 200, "Success", 0),
    ]
    for headers, query, status, text, code in cases:
        answer = client.post(path, content=body, headers=headers, params=query)
        assert told(answer) == (status, {"text": text, "code": code})


def test_a_token_says_where_its_events_go(server: RunningServer, client: httpx.Client) -> None:
    own = add_token(
        server.lake,
        "own",
        index="own_default",
        indexes=["own_default", "own_other"],
        source="own source",
        sourcetype="own:type",
    )
    assert post(client, own, {"event": "a"}).status_code == 200
    assert post(client, own, {"event": "b", "index": "own_other"}).status_code == 200
    refused = post(client, own, {"event": "ok"}, {"event": "c", "index": "elsewhere"})
    assert told(refused) == (
        400,
        {"text": "Incorrect index", "code": 7, "invalid-event-number": 1},
    )
    (row,) = read_events(server.lake, index="own_default")
    assert [row[n] for n in ("_raw", "source", "sourcetype")] == ["a", "own source", "own:type"]
    assert [row["_raw"] for row in read_events(server.lake, index="own_other")] == ["b"]


def test_raw_text_is_broken_by_its_format(
    server: RunningServer, client: httpx.Client, token: str
) -> None:
    headers = {"Authorization": f"Splunk {token}"}
    query = {"index": "raw", "host": "h", "source": "s", "sourcetype": "XmlWinEventLog"}
    texts = {
        "one": f"{SYSMON_XML}\n{SYSMON_XML}\n",
        "two": f"{json.dumps(SYSMON)}\n{json.dumps(SYSMON)}",
        "three": "line one\nline two\r\n\n",
    }
    for text in texts.values():
        answer = client.post(f"{COLLECTOR}/raw", content=text, headers=headers, params=query)
        assert told(answer) == (200, {"text": "Success", "code": 0})
    rows = read_events(server.lake, index="raw")
    assert sorted(row["table"] for row in rows) == ["raw_sysmon"] * 4 + ["raw_text_generic"] * 2
    assert {(r["host"], r["source"], r["sourcetype"]) for r in rows} == {
        ("h", "s", "XmlWinEventLog")
    }
    assert sorted(r["_raw"] for r in rows if r["table"] == "raw_text_generic") == [
        "line one",
        "line two",
    ]


def test_packed_bodies(server: RunningServer, client: httpx.Client, token: str) -> None:
    headers = {"Authorization": f"Splunk {token}", "Content-Encoding": "gzip"}
    body = gzip.compress(b'{"event":"packed","index":"packed"}')
    assert client.post(COLLECTOR, content=body, headers=headers).status_code == 200
    assert [row["_raw"] for row in read_events(server.lake, index="packed")] == ["packed"]
    bomb = gzip.compress(bytes(100 << 20))
    assert len(bomb) < 200_000
    assert client.post(COLLECTOR, content=bomb, headers=headers).status_code == 413
    torn = client.post(COLLECTOR, content=body[:-9], headers=headers)
    assert told(torn) == (400, {"text": "Invalid data format", "code": 6})


def test_acknowledgements(server: RunningServer, client: httpx.Client, token: str) -> None:
    """About HTTP Event Collector Indexer Acknowledgment: ids count from 0 in each channel; one that
    was told to be done is forgotten."""
    acked = add_token(server.lake, "acked", useACK=True, index="acked")
    headers = {"Authorization": f"Splunk {acked}"}
    channel = str(uuid.uuid4())
    missing = client.post(f"{COLLECTOR}/event", content='{"event":"a"}', headers=headers)
    assert told(missing) == (400, {"text": "Data channel is missing", "code": 10})
    headers["X-Splunk-Request-Channel"] = "nonsense"
    wrong = client.post(f"{COLLECTOR}/event", content='{"event":"a"}', headers=headers)
    assert told(wrong) == (400, {"text": "Invalid data channel", "code": 11})
    headers["X-Splunk-Request-Channel"] = channel
    for number in (0, 1):
        answer = client.post(
            f"{COLLECTOR}/event", content=f'{{"event":"e{number}"}}', headers=headers
        )
        assert told(answer) == (200, {"text": "Success", "code": 0, "ackId": number})
    url = f"{COLLECTOR}/ack"
    end = time.monotonic() + 30
    seen: dict[str, bool] = {}
    while not (seen.get("0") and seen.get("1")) and time.monotonic() < end:
        time.sleep(0.2)
        answer = client.post(url, json={"acks": [0, 1, 7]}, headers=headers)
        assert answer.json()["acks"]["7"] is False
        for name, done in answer.json()["acks"].items():
            if done:
                seen[name] = True
                raws = [row["_raw"] for row in read_events(server.lake, index="acked")]
                assert f"e{name}" in raws
    assert seen == {"0": True, "1": True}
    again = client.post(f"{url}?channel={channel}", json={"acks": [0, 1]}, headers=headers)
    assert again.json() == {"acks": {"0": False, "1": False}}
    off = client.post(
        url,
        json={"acks": [0]},
        headers={"Authorization": f"Splunk {token}", "X-Splunk-Request-Channel": channel},
    )
    assert told(off) == (400, {"text": "ACK is disabled", "code": 14})


def test_health_needs_no_token(client: httpx.Client) -> None:
    for path in ("/health", "/health/1.0"):
        answer = client.get(COLLECTOR + path)
        assert told(answer) == (200, {"text": "HEC is healthy", "code": 17})


def test_many_small_posts_make_few_files(
    server: RunningServer, client: httpx.Client, token: str
) -> None:
    """Three hundred posts, ten connections: a commit a second or so, not one a post."""
    acked = add_token(server.lake, "small", useACK=True, index="small")
    headers = {
        "Authorization": f"Splunk {acked}",
        "X-Splunk-Request-Channel": str(uuid.uuid4()),
    }
    before, files = count_commits(server.lake), count_files(server.lake)
    begun = time.monotonic()
    numbers = []
    for number in range(300):
        answer = client.post(
            f"{COLLECTOR}/event", content=f'{{"event":"post {number}"}}', headers=headers
        )
        numbers.append(answer.json()["ackId"])
    while numbers:
        time.sleep(0.2)
        acks = client.post(f"{COLLECTOR}/ack", json={"acks": numbers}, headers=headers).json()
        numbers = [number for number in numbers if not acks["acks"][str(number)]]
        assert time.monotonic() < begun + 120
    rows = read_events(server.lake, index="small")
    assert sorted(row["_raw"] for row in rows) == sorted(f"post {n}" for n in range(300))
    most = 2 + (time.monotonic() - begun) / 1.0
    assert count_commits(server.lake) - before <= most
    assert count_files(server.lake) - files <= most


def count_files(lake: Path) -> int:
    return len(list((lake / "tables" / "raw_text_generic").glob("*.parquet")))
