"""Senders that are slow on purpose, proxies, and that no secret is in what is logged."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from escudo.serve.connections import HEAD_SECONDS
from escudo.serve.door import Door
from escudo.serve.failures import add_handlers
from tests.serve.conftest import make_users
from tests.serve.running import PASSWORD, RunningServer, run_async, run_server


def make_echo(most: int, seconds: float) -> Door:
    app = FastAPI()
    add_handlers(app)

    @app.post("/")
    async def count(request: Request) -> int:
        return len(await request.body())

    return Door(app, hosts=("testserver",), most_body=most, body_seconds=seconds)


def post(door: Door, parts: AsyncIterator[bytes]) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(door)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.post("/", content=parts)

    return run_async(ask())


async def give(*parts: bytes, pause: float = 0.0) -> AsyncIterator[bytes]:
    for part in parts:
        await asyncio.sleep(pause)
        yield part


def test_a_body_is_counted_whatever_its_header_says() -> None:
    assert post(make_echo(8, 5.0), give(b"abcd", b"efgh")).json() == 8
    answer = post(make_echo(8, 5.0), give(b"abcd", b"efgh", b"i"))
    assert (answer.status_code, "at most 8" in answer.text) == (413, True)


def test_a_body_that_drips_is_given_up() -> None:
    """Each part comes soon after the one before; together they are too slow."""
    begun = time.monotonic()
    answer = post(make_echo(1000, 0.3), give(*[b"a"] * 50, pause=0.1))
    assert answer.status_code == 408
    assert time.monotonic() - begun < 2
    assert post(make_echo(1000, 5.0), give(*[b"a"] * 3, pause=0.1)).json() == 3


@pytest.mark.slow
def test_headers_that_do_not_come_are_given_up(server: RunningServer) -> None:
    """Slowloris: connections that are held open by a header now and then."""
    place = urlsplit(server.url)
    begun = time.monotonic()
    with socket.create_connection((place.hostname, place.port), 1) as connection:
        connection.sendall(b"GET /api/health HTTP/1.1\r\n")
        closed = False
        while not closed and time.monotonic() - begun < HEAD_SECONDS + 20:
            try:
                connection.sendall(b"X: a\r\n")
                closed = connection.recv(100) == b""
            except TimeoutError:
                continue
            except OSError:
                closed = True
    assert closed
    assert time.monotonic() - begun >= HEAD_SECONDS - 1


def read_log(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.mark.slow
def test_proxies_and_what_is_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One server: behind a proxy that is trusted, with a log of all that it does."""
    log = tmp_path / "log.jsonl"
    monkeypatch.setenv("ESCUDO_LOG_FILE", str(log))
    monkeypatch.setenv("ESCUDO_VERBOSE", "true")
    lake = tmp_path / "lake"
    with run_server(lake, ["--no-schedule", "--proxy", "127.0.0.1"]) as running:
        make_users(lake)
        secrets: list[str] = [PASSWORD, str(running.first_password)]
        through = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
        with httpx.Client(base_url=running.url, headers=through) as client:
            wrong = "a wrong password that is long"
            client.post("/api/login", json={"name": "viewer", "password": wrong})
            answer = client.post("/api/login", json={"name": "viewer", "password": PASSWORD})
            assert answer.headers["set-cookie"].startswith("__Host-escudo_session=")
            secrets += [wrong, client.cookies["__Host-escudo_session"], answer.json()["csrf"]]
        with running.client() as admin:
            for kind in ("api", "hec"):
                made = admin.post("/api/tokens", json={"name": kind, "kind": kind}).json()
                secrets.append(made["secret"])
                bearer = {"Authorization": f"Bearer {made['secret']}"}
                httpx.get(f"{running.url}/api/users", headers=bearer)
            made = admin.post("/api/users", json={"name": "newcomer", "roles": ["viewer"]}).json()
            secrets.append(made["password"])
            admin.post("/api/users", json={"name": PASSWORD * 9, "password": [wrong]})
            rows = admin.get("/api/audit").json()
        running.end()
    logins = [row for row in rows if row["action"] == "login"]
    assert {row["address"] for row in logins} == {"203.0.113.9"}
    written = read_log(log)
    assert '"audit"' in written
    told = "".join(running.told).replace(str(running.first_password), "", 1)
    for secret in secrets:
        assert secret not in written
        assert secret not in told
        assert secret not in json.dumps(rows)
    assert not re.search(r"\$argon2", written + told)


@pytest.mark.slow
def test_the_state_keeps_digests(tmp_path: Path) -> None:
    """But for the tokens of HEC, which senders may have to be told again."""
    lake = tmp_path / "lake"
    with run_server(lake, ["--no-schedule"]) as running:
        make_users(lake)
        secrets: list[Any] = [PASSWORD, running.first_password]
        with httpx.Client(base_url=running.url) as client:
            client.post("/api/login", json={"name": "viewer", "password": PASSWORD})
            secrets.append(client.cookies["escudo_session"])
        with running.client() as admin:
            secrets.append(
                admin.post("/api/tokens", json={"name": "a", "kind": "api"}).json()["secret"]
            )
        running.end()
    kept = b"".join(path.read_bytes() for path in lake.glob("schedule.sqlite*"))
    assert b"viewer" in kept
    for secret in secrets:
        assert secret.encode() not in kept
