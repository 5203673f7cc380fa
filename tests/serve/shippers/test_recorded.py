"""Shippers that cannot be had as packages here: their requests, sent byte for byte.

Those in ``recorded/*.http`` were recorded from the real npm packages on Node 20 (2026-11-29). Those
of Fluent Bit, Vector and the OpenTelemetry collector are written here as their sources write them
(``plugins/out_splunk/splunk.c``; ``src/sinks/splunk_hec/``; ``exporter/splunkhecexporter/``).
"""

from __future__ import annotations

import gzip
import json
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.serve.running import RunningServer
from tests.serve.sending import add_token, read_events

pytestmark = pytest.mark.slow

RECORDED = Path(__file__).with_name("recorded")
RECORDED_TOKEN = b"00000000-0000-0000-0000-000000000000"


def exchange(server: RunningServer, request: bytes) -> tuple[int, Any]:
    """The status and the body of the answer to a request, on a connection of its own."""
    at = urlsplit(server.url)
    with socket.create_connection((at.hostname or "", at.port or 0), timeout=60) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def read_requests(file: Path) -> Iterator[bytes]:
    data = file.read_bytes()
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        lines = head.decode().lower().split("\r\n")
        size = next(int(n.split(":")[1]) for n in lines if n.startswith("content-length:"))
        yield head + b"\r\n\r\n" + rest[:size]
        data = rest[size:]


@pytest.mark.parametrize(
    ("name", "source", "events"),
    [
        ("splunk-logging-0.11.1", "chicken coop", 3),
        ("winston-splunk-httplogger-3.1.8", "winston", 2),
    ],
)
def test_packages_of_npm(server: RunningServer, name: str, source: str, events: int) -> None:
    token = add_token(server.lake, name).encode()
    for request in read_requests(RECORDED / f"{name}.http"):
        answer = exchange(server, request.replace(RECORDED_TOKEN, token))
        assert answer == (200, {"text": "Success", "code": 0})
    rows = read_events(server.lake, source=source)
    assert len({row["_raw"] for row in rows}) == len(rows) == events
    assert {row["severity"] for row in rows} <= {"info", "error"}


def test_fluent_bit(server: RunningServer) -> None:
    """Objects with nothing between them, time as a double, gzip by ``compress``; then raw."""
    token = add_token(server.lake, "fluent")
    headers = {
        "User-Agent": "Fluent-Bit",
        "Authorization": f"Splunk {token}",
        "Content-Encoding": "gzip",
        "Content-Type": "application/json",
    }
    body = "".join(
        f'{{"time":1709632800.{n:06},"host":"node1","index":"fluent","sourcetype":"fb",'
        f'"event":{{"log":"line {n}","stream":"stdout"}}}}'
        for n in range(50)
    )
    answer = httpx.post(
        f"{server.url}/services/collector/event",
        content=gzip.compress(body.encode()),
        headers=headers,
        timeout=60,
    )
    assert answer.json() == {"text": "Success", "code": 0}
    rows = read_events(server.lake, index="fluent")
    assert sorted(row["log"] for row in rows) == sorted(f"line {n}" for n in range(50))
    assert {row["_time"].timestamp() for row in rows} == {1709632800 + n / 1e6 for n in range(50)}
    raw = "".join(f'{{"log":"raw {n}","date":1709632800.5}}\n' for n in range(20))
    answer = httpx.post(
        f"{server.url}/services/collector/raw?index=fluent_raw",
        content=raw,
        headers={k: v for k, v in headers.items() if k != "Content-Encoding"},
        timeout=60,
    )
    assert answer.json() == {"text": "Success", "code": 0}
    rows = read_events(server.lake, index="fluent_raw")
    assert sorted(row["log"] for row in rows) == sorted(f"raw {n}" for n in range(20))


def test_vector(server: RunningServer) -> None:
    """Health first; a channel of its own; it asks for acknowledgements until it has them."""
    token = add_token(server.lake, "vector", useACK=True)
    headers = {
        "Authorization": f"Splunk {token}",
        "X-Splunk-Request-Channel": str(uuid.uuid4()),
        "User-Agent": "Vector/0.44.0",
    }
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        assert client.get("/services/collector/health/1.0").status_code == 200
        waiting = set()
        for start in range(0, 100, 25):
            body = "".join(
                json.dumps(
                    {
                        "event": {"message": f"vector {n}"},
                        "fields": {"pod": "p1"},
                        "time": 1709632800.123,
                        "host": "h",
                        "index": "vector",
                    },
                    separators=(",", ":"),
                )
                for n in range(start, start + 25)
            )
            answer = client.post(
                "/services/collector/event",
                content=gzip.compress(body.encode()),
                headers={"Content-Encoding": "gzip"},
            ).json()
            assert (answer["text"], answer["code"]) == ("Success", 0)
            waiting.add(answer["ackId"])
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up:
            acks = client.post("/services/collector/ack", json={"acks": sorted(waiting)}).json()
            waiting -= {int(number) for number, done in acks["acks"].items() if done}
            if not waiting:
                break
            time.sleep(0.05)
        assert not waiting
    rows = read_events(server.lake, index="vector")
    assert sorted(row["message"] for row in rows) == sorted(f"vector {n}" for n in range(100))
    assert {row["pod"] for row in rows} == {"p1"}


def test_opentelemetry_collector(server: RunningServer) -> None:
    """Logs and metrics; fields of the resource; to the path that its users configure."""
    headers = {
        "Connection": "keep-alive",
        "Content-Type": "application/json",
        "User-Agent": "OpenTelemetry Collector Contrib/v0.165.0",
        "Authorization": f"Splunk {add_token(server.lake, 'otel')}",
        "__splunk_app_name": "OpenTelemetry Collector Contrib",
        "__splunk_app_version": "",
        "Content-Encoding": "gzip",
    }
    log = {
        "time": 1709632800.25,
        "host": "myhost",
        "source": "myapp",
        "sourcetype": "myapp-type",
        "index": "otel",
        "event": "mylog",
        "fields": {"otel.log.name": "0_0_0", "custom": "custom"},
    }
    metric = {
        "time": 1709632800.5,
        "host": "unknown",
        "index": "otel",
        "event": "metric",
        "fields": {"k0": "v0", "metric_name:gauge_double_with_dims": 1234.5678},
    }
    body = json.dumps(log) + json.dumps(metric)
    answer = httpx.post(
        f"{server.url}/services/collector",
        content=gzip.compress(body.encode()),
        headers=headers,
        timeout=60,
    )
    assert answer.json() == {"text": "Success", "code": 0}
    rows = {row["host"]: row for row in read_events(server.lake, index="otel")}
    assert (rows["myhost"]["_raw"], rows["myhost"]["custom"]) == ("mylog", "custom")
    assert rows["unknown"]["metric_name:gauge_double_with_dims"] == "1234.5678"
    assert rows["unknown"]["k0"] == "v0"
