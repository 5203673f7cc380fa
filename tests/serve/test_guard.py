"""Who may do what, through real requests."""

from __future__ import annotations

import httpx
import pytest

from tests.serve.running import PASSWORD, RunningServer

pytestmark = pytest.mark.slow


def test_it_answers_and_says_that_pages_run_no_scripts_of_logs(server: RunningServer) -> None:
    answer = httpx.get(f"{server.url}/api/health")
    assert answer.json()["status"] == "ok"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_nobody_is_asked_who_he_is(server: RunningServer) -> None:
    answer = httpx.get(f"{server.url}/api/me")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert httpx.get(f"{server.url}/api/me", auth=("viewer", "wrong")).status_code == 401


def test_roles_have_their_rights(server: RunningServer) -> None:
    with server.client("viewer", PASSWORD) as client:
        assert client.get("/api/me").json() == {
            "name": "viewer",
            "roles": ["viewer"],
            "rights": ["known", "read", "search"],
            "must_change": False,
        }
    with server.client("admin", PASSWORD) as client:
        assert "administer" in client.get("/api/me").json()["rights"]


def test_the_first_password_is_told_once(server: RunningServer) -> None:
    assert server.first_password is not None
    assert "".join(server.told).count(server.first_password) == 1
