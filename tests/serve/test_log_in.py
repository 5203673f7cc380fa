"""Sessions, passwords, cookies and the counting of failures, through real requests."""

from __future__ import annotations

import httpx
import pytest

from tests.serve.running import PASSWORD, RunningServer

pytestmark = pytest.mark.slow


def open_client(server: RunningServer) -> httpx.Client:
    """A browser's client: it keeps cookies, and gives no password by itself."""
    return httpx.Client(base_url=server.url, timeout=60)


def log_in(client: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
    return client.post("/api/login", json={"name": name, "password": password})


def test_a_session_is_opened_and_closed(server: RunningServer) -> None:
    with open_client(server) as client:
        answer = log_in(client, "viewer")
        assert answer.status_code == 200
        cookie = answer.headers["set-cookie"].lower()
        assert cookie.startswith("escudo_session=")
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "path=/" in cookie
        assert client.get("/api/me").json()["name"] == "viewer"
        secret = client.cookies["escudo_session"]
        token = answer.json()["csrf"]
        assert client.post("/api/logout").status_code == 403
        assert client.post("/api/logout", headers={"X-CSRF-Token": "a"}).status_code == 403
        assert client.post("/api/logout", headers={"X-CSRF-Token": token}).status_code == 204
        client.cookies.set("escudo_session", secret)
        assert client.get("/api/me").status_code == 401


def test_who_logs_in_goes_on_in_no_session_that_was_there(server: RunningServer) -> None:
    """Else one could be made to work in a session that somebody else knows (CWE-384)."""
    with open_client(server) as client:
        log_in(client, "viewer")
        before = client.cookies["escudo_session"]
        log_in(client, "analyst")
        assert client.cookies["escudo_session"] != before
        client.cookies.clear()
        client.cookies.set("escudo_session", before)
        assert client.get("/api/me").status_code == 401


def test_a_secret_that_nobody_gave_is_no_session(server: RunningServer) -> None:
    with open_client(server) as client:
        client.cookies.set("escudo_session", "chosen by somebody else")
        assert client.get("/api/me").status_code == 401


def test_the_csrf_token_is_that_of_the_session(server: RunningServer) -> None:
    with open_client(server) as one, open_client(server) as other:
        log_in(one, "viewer")
        token = log_in(other, "analyst").json()["csrf"]
        assert one.post("/api/logout", headers={"X-CSRF-Token": token}).status_code == 403


def test_other_sites_pages_are_refused(server: RunningServer) -> None:
    with server.client("viewer") as client:
        for headers in (
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
            {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"},
        ):
            answer = client.get("/api/me", headers=headers)
            assert answer.status_code == 403, headers
        for origin in ("https://evil.example", "null", f"{server.url}.evil.example"):
            answer = client.post("/api/logout", headers={"Origin": origin})
            assert answer.status_code == 403, origin
        assert client.post("/api/logout", headers={"Origin": server.url}).status_code == 204
        assert client.get("/api/me", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_another_host_is_not_this_one(server: RunningServer) -> None:
    """DNS rebinding: a page at evil.example whose name leads to 127.0.0.1."""
    port = httpx.URL(server.url).port
    for host, status in {
        f"evil.example:{port}": 421,
        "evil.example": 421,
        "": 421,
        "127.0.0.1.evil.example": 421,
        f"localhost:{port}": 200,
        f"LOCALHOST.:{port}": 200,
        f"[::1]:{port}": 200,
    }.items():
        answer = httpx.get(f"{server.url}/api/health", headers={"Host": host})
        assert answer.status_code == status, host


def test_a_password_is_changed_and_ends_sessions(server: RunningServer) -> None:
    with server.client() as admin:
        made = admin.post("/api/users", json={"name": "novice", "roles": ["viewer"]}).json()
    with open_client(server) as client, open_client(server) as elsewhere:
        for opened in (client, elsewhere):
            answer = log_in(opened, "novice", made["password"])
            assert answer.json()["must_change"] is True
        refused = client.get("/api/openapi.json")
        assert refused.status_code == 403
        token = {"X-CSRF-Token": answer.json()["csrf"]}
        assert client.post("/api/password", json={}).status_code == 403
        del answer
        token = {"X-CSRF-Token": log_in(client, "novice", made["password"]).json()["csrf"]}
        old = made["password"]
        for new, status in {
            old: 400,
            "short": 400,
            "novicenovicenovice": 400,
            "a" * 20: 400,
        }.items():
            given = {"old": old, "new": new}
            assert client.post("/api/password", json=given, headers=token).status_code == status
        given = {"old": "not this one", "new": PASSWORD}
        assert client.post("/api/password", json=given, headers=token).status_code == 401
        given = {"old": old, "new": PASSWORD}
        answer = client.post("/api/password", json=given, headers=token)
        assert answer.json()["must_change"] is False
        assert client.get("/api/openapi.json").status_code == 200
        assert elsewhere.get("/api/me").status_code == 401
        assert log_in(elsewhere, "novice", old).status_code == 401


def test_too_many_failures_lock_out_one_name_from_one_address(server: RunningServer) -> None:
    with open_client(server) as client:
        codes = [log_in(client, "nobody", f"guess {i}").status_code for i in range(12)]
        assert codes == [401] * 10 + [429] * 2
        locked = log_in(client, "nobody")
        assert int(locked.headers["retry-after"]) == 900
        assert locked.json()["messages"][0]["code"] == "SRV008"
        assert httpx.get(f"{server.url}/api/me", auth=("nobody", "x")).status_code == 429
        assert log_in(client, "viewer").status_code == 200
    with server.client() as admin:
        rows = admin.get("/api/audit", params={"who": "nobody", "action": "login"}).json()
    assert [row["outcome"] for row in rows] == ["refused"] * len(rows)
    assert rows[-10]["detail"] == {"reason": "wrong password, and locked out now"}
    assert rows[0]["detail"] == {"reason": "too many failures"}
    assert rows[0]["address"] == "127.0.0.1"
