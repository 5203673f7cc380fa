"""Log-in, log-out and the change of a password, by a browser's requests without its scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from escudo.serve.pages.rendering import STATIC
from tests.serve.running import PASSWORD, RunningServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (STATIC / "manifest.json").is_file(), reason="make web has not run"),
]

HTML = {"accept": "text/html"}


@contextmanager
def _log_in(server: RunningServer, name: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers=HTML, timeout=60) as client:
        client.post("/login", data={"name": name, "password": PASSWORD})
        yield client


def _find_token(page: str) -> str:
    found = re.search(r'name="csrf-token" content="([^"]*)"', page)
    assert found is not None
    return found[1]


def test_who_is_not_known_is_asked_and_sent_on(server: RunningServer) -> None:
    with httpx.Client(base_url=server.url, headers=HTML) as client:
        asked = client.get("/password?x=1")
        assert (asked.status_code, asked.headers["location"]) == (
            303,
            "/login?next=/password%3Fx%3D1",
        )
        form = {"name": "viewer", "password": PASSWORD, "next": "/password?x=1"}
        answer = client.post("/login", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/password?x=1")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "viewer" in client.get("/password").text


@pytest.mark.parametrize("target", ["//evil.example/", "/\\evil.example", "https://evil.example"])
def test_nobody_is_sent_elsewhere(server: RunningServer, target: str) -> None:
    form = {"name": "viewer", "password": PASSWORD, "next": target}
    assert httpx.post(f"{server.url}/login", data=form).headers["location"] == "/"


def test_a_wrong_password_is_told_without_saying_which_part_is_wrong(server: RunningServer) -> None:
    for name in ("viewer", "nobody-here"):
        answer = httpx.post(f"{server.url}/login", data={"name": name, "password": "x"})
        assert answer.status_code == 401
        assert "do not belong together" in answer.text


def test_a_form_of_another_site_logs_nobody_in(server: RunningServer) -> None:
    answer = httpx.post(
        f"{server.url}/login",
        data={"name": "viewer", "password": PASSWORD},
        headers={"sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_log_out_needs_the_token_and_ends_the_session(server: RunningServer) -> None:
    with _log_in(server, "viewer") as client:
        token = _find_token(client.get("/password").text)
        assert client.post("/logout", data={"csrf_token": "another"}).status_code == 403
        assert client.post("/logout", data={"csrf_token": token}).status_code == 303
        assert client.get("/password").headers["location"].startswith("/login")


def test_a_password_is_changed_by_who_knows_it(server: RunningServer) -> None:
    with server.client() as admin:
        assert admin.get("/api/me").status_code == 200
    with _log_in(server, "analyst") as client:
        token = _find_token(client.get("/password").text)

        def change(current: str, new: str, again: str) -> httpx.Response:
            form = {"csrf_token": token, "current": current, "new": new, "again": again}
            return client.post("/password", data=form)

        other = "another sentence for tests"
        assert "old password is not right" in change("wrong", other, other).text
        assert "not the same" in change(PASSWORD, other, "different again").text
        assert "12 to" in change(PASSWORD, "short", "short").text
        assert change(PASSWORD, other, other).status_code == 303
        token = _find_token(client.get("/password").text)
        assert change(other, PASSWORD, PASSWORD).status_code == 303


def test_errors_are_pages_for_people_and_json_for_programs(server: RunningServer) -> None:
    with _log_in(server, "viewer") as client:
        gone = client.get("/no-such-page")
        assert gone.status_code == 404
        assert "There is no such page" in gone.text
    assert httpx.get(f"{server.url}/api/no-such", auth=("viewer", PASSWORD)).json() == {
        "messages": [{"type": "ERROR", "text": "Not Found"}]
    }
    assert httpx.get(f"{server.url}/static/..%2Frendering.py").status_code == 404
