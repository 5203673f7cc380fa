"""Requests that are meant to harm: injections in every place that a request has, bombs, raw bytes.

None is answered by a fault (5xx), nothing of them is run, and the server works on.
"""

from __future__ import annotations

import gzip
import io
import itertools
import json
import re
import socket
import ssl
import time
import zipfile
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.serve.running import PASSWORD, RunningServer

pytestmark = pytest.mark.slow

INJECTIONS = (
    "' OR '1'='1",
    "'; DROP TABLE users; --",
    '" UNION SELECT password FROM users --',
    "| delete",
    '[search index=* | outputlookup "x.csv"]',
    "`macro(1)`",
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "/etc/passwd",
    "file:///etc/passwd",
    "a\r\nSet-Cookie: escudo_session=evil",
    "a%0d%0aX-Evil: 1",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}${7*7}<%= 7*7 %>",
    "$(id)`id`;id",
    "%s%s%s%n",
    "\u202eevil\u0000null",
    "\U0001f600" * 50,
    "\u212aelvin \u0130\u0131 \ufeff",
    "A" * 2000,
    "-1",
    "9" * 40,
    "NaN",
    "1e309",
)
"""SQL, SPL, paths, CRLF, script, templates, shells, formats, controls, Unicode, lengths,
numbers."""


A_ROUTE = 6
"""Of them those that one place of one route is tried with; the next route has the next ones."""


def check_harmless(answer: httpx.Response, payload: str) -> None:
    """No fault, nothing of the payload as a header, as HTML that a browser would run, as a file."""
    assert answer.status_code < 500, (answer.request.url, payload, answer.text)
    assert "x-evil" not in answer.headers
    assert "evil" not in answer.headers.get("set-cookie", "")
    assert "root:x:0" not in answer.text
    assert "$argon2" not in answer.text
    if "html" in answer.headers.get("content-type", ""):
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text


def list_operations(server: RunningServer) -> Iterator[tuple[str, str, dict[str, object]]]:
    with server.client() as admin:
        described = admin.get("/api/openapi.json").json()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


@pytest.mark.parametrize("place", ["path", "query", "body", "header"])
def test_injections_in_every_place_of_every_route(server: RunningServer, place: str) -> None:
    """As an engineer, whose rights script on a page would have."""
    with server.client("engineer") as client:
        for number, (method, path, operation) in enumerate(list_operations(server)):
            if path in ("/api/login", "/api/password"):
                continue
            for payload in itertools.islice(itertools.cycle(INJECTIONS), number, number + A_ROUTE):
                named = quote(payload.encode("utf-8", "surrogatepass"), safe="")
                url, options = re.sub(r"\{[^}]*\}", "1", path), {}
                if place == "path":
                    if "{" not in path:
                        break
                    url = re.sub(r"\{[^}]*\}", named, path)
                elif place == "query":
                    names = [p["name"] for p in operation.get("parameters", [])]  # type: ignore[attr-defined]
                    url += "?" + "&".join(f"{name}={named}" for name in [*names, "x"])
                elif place == "body":
                    if "requestBody" not in operation:
                        break
                    options = {"json": dict.fromkeys(("name", "roles", "kind", "search"), payload)}
                else:
                    safe = named[:200]
                    options = {"headers": {"User-Agent": safe, "X-Forwarded-For": safe}}
                check_harmless(client.request(method, url, **options), payload)
            else:
                continue
    with server.client() as admin:
        assert len(admin.get("/api/users").json()) >= 4


def test_injections_into_the_log_in(server: RunningServer) -> None:
    with httpx.Client(base_url=server.url, headers={"accept": "text/html"}) as client:
        for payload in INJECTIONS[:20]:
            given = {"name": f"{payload}-in", "password": payload, "next": payload}
            answer = client.post("/login", data=given)
            assert answer.status_code in (401, 429)
            check_harmless(answer, payload)
            check_harmless(client.get("/login", params={"next": payload}), payload)


def test_what_was_named_is_shown_as_it_is_in_the_audit(server: RunningServer) -> None:
    name = "<script>alert(1)</script>"
    httpx.post(f"{server.url}/api/login", json={"name": name, "password": "x"})
    with server.client() as admin:
        (row,) = admin.get("/api/audit", params={"who": name}).json()
    assert row["who"] == name


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"name":"' + b"\\u0000" * 1000 + b'"}',
        b'{"name": 1e999999, "password": []}',
        b"\xff\xfe\x00",
        b'{"name":"a","name":"b"',
        b'"\\ud800"',
        b"9" * 100_000,
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    ],
    ids=["lists", "objects", "nulls", "numbers", "bytes", "cut", "surrogate", "digits", "xml"],
)
def test_json_that_is_none_or_too_deep(server: RunningServer, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    with server.client() as admin:
        for method, path in (("POST", "/api/users"), ("PATCH", "/api/roles/viewer")):
            answer = admin.request(method, path, content=body, headers=headers)
            assert answer.status_code in (400, 422), answer.text


def make_gzip_bomb(size: int) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb") as file:
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
    return out.getvalue()


def test_bombs_of_archives_are_no_bodies(server: RunningServer) -> None:
    """A packed body of JSON is refused unread; the doors of senders have bounds of their own."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(50 << 20))
    begun = time.monotonic()
    with server.client() as admin:
        for body, kind in ((make_gzip_bomb(200 << 20), "gzip"), (packed.getvalue(), "zip")):
            headers = {"Content-Type": "application/json", "Content-Encoding": kind}
            assert admin.post("/api/users", content=body, headers=headers).status_code in (400, 422)
    assert time.monotonic() - begun < 20


def test_bodies_that_are_too_large_are_refused_before_they_are_read(server: RunningServer) -> None:
    answer = send_raw(
        server,
        b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_chunks_are_counted(server: RunningServer) -> None:
    def give() -> Iterator[bytes]:
        for _ in range(80):
            yield bytes(1 << 20)

    with server.client() as admin:
        headers = {"Content-Type": "application/json"}
        try:
            answer = admin.post("/api/users", content=give(), headers=headers)
        except httpx.WriteError:  # it closed while this side was still sending
            return
    assert answer.status_code == 413


def send_raw(server: RunningServer, data: bytes, wait: float = 20) -> bytes:
    """Bytes as they are, and what comes back until it closes or says no more."""
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), wait) as connection:
        try:
            connection.sendall(data)
            out = b""
            while part := connection.recv(65536):
                out += part
                if b"\r\n\r\n" in out:
                    break
        except (ConnectionError, TimeoutError):
            pass
        return out


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 5_000 + b"\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 1_000_000,
    ],
    ids=["one", "many", "line", "endless"],
)
def test_headers_that_are_too_long(server: RunningServer, data: bytes) -> None:
    answer = send_raw(server, data)
    # Where it closes while bytes are still on their way, TCP may drop its answer.
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/users HTTP/1.1\r\n\r\n",
        b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
        b"Content-Length: 2\r\n\r\nab",
        b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
        b"GET /api/health HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET /%00 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /api/health HTTP/1.1\r\n\r\n",
    ],
    ids=["tls", "version", "absolute", "smuggled", "lengths", "nul", "space", "path", "no host"],
)
def test_what_is_no_request_of_ours_is_answered_4xx(server: RunningServer, data: bytes) -> None:
    answer = send_raw(server, data)
    assert re.match(rb"HTTP/1.1 4\d\d ", answer), answer
    assert answer.count(b"HTTP/1.1 ") == 1


def test_paths_lead_out_of_nowhere(server: RunningServer) -> None:
    for path in (
        "/static/../../../../../etc/passwd",
        "/static/..%2f..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static/....//app.py",
        "/static/%00",
        "/static/C:%5cwindows%5cwin.ini",
    ):
        answer = send_raw(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert re.match(rb"HTTP/1.1 (404|400) ", answer), path


def test_after_all_this_it_works_on(server: RunningServer) -> None:
    with server.client("viewer", PASSWORD) as client:
        assert client.get("/api/me").status_code == 200
    assert server.process.poll() is None


def test_no_secret_is_in_what_it_told(server: RunningServer) -> None:
    told = "".join(server.told)
    assert PASSWORD not in told
    assert "Traceback" not in told
    assert json.dumps(told).count("$argon2") == 0
    assert ssl.OPENSSL_VERSION not in told
