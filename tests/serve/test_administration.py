"""Users, tokens, roles and the audit log by the API of administrators."""

from __future__ import annotations

import httpx
import pytest

from tests.serve.running import PASSWORD, RunningServer

pytestmark = pytest.mark.slow


def ask_me(server: RunningServer, secret: str) -> httpx.Response:
    return httpx.get(f"{server.url}/api/me", headers={"Authorization": f"Bearer {secret}"})


def test_a_user_comes_changes_and_goes(server: RunningServer) -> None:
    with server.client() as admin:
        given = {"name": "ada", "roles": ["viewer"], "full_name": "Ada", "password": PASSWORD}
        made = admin.post("/api/users", json=given)
        assert (made.status_code, made.json()["password"]) == (201, None)
        assert admin.post("/api/users", json=given).json()["messages"][0]["code"] == "SRV001"
        assert admin.get("/api/users/ada").json()["full_name"] == "Ada"
        changed = admin.patch("/api/users/ada", json={"roles": ["engineer"]}).json()
        assert changed["roles"] == ["engineer"]
        wrong = admin.patch("/api/users/ada", json={"roles": ["god"]})
        assert wrong.json()["messages"][0]["code"] == "SRV002"
        assert admin.delete("/api/users/ada").status_code == 204
        assert admin.get("/api/users/ada").status_code == 404
        acts = [row["action"] for row in admin.get("/api/audit").json() if row["target"] == "ada"]
    assert acts == ["remove user", "change roles", "add user"]


def test_who_disables_a_user_ends_his_sessions_and_tokens(server: RunningServer) -> None:
    with server.client() as admin:
        given = {"name": "bob", "roles": ["analyst"], "password": PASSWORD}
        admin.post("/api/users", json=given)
        with httpx.Client(base_url=server.url) as bob:
            login = bob.post("/api/login", json={"name": "bob", "password": PASSWORD})
            change = {"old": PASSWORD, "new": f"{PASSWORD}!"}
            token = {"X-CSRF-Token": login.json()["csrf"]}
            assert bob.post("/api/password", json=change, headers=token).status_code == 200
            new = {"name": "of bob", "kind": "api", "owner": "bob"}
            secret = admin.post("/api/tokens", json=new).json()["secret"]
            assert ask_me(server, secret).json()["name"] == "bob"
            admin.patch("/api/users/bob", json={"disabled": True})
            assert bob.get("/api/me").status_code == 401
            assert ask_me(server, secret).status_code == 401
            with server.client("bob", f"{PASSWORD}!") as basic:
                assert basic.get("/api/me").status_code == 401
            admin.patch("/api/users/bob", json={"disabled": False})
            assert ask_me(server, secret).status_code == 401
            assert bob.get("/api/me").status_code == 401


def test_the_last_administrator_stays(server: RunningServer) -> None:
    with server.client() as admin:
        for change in ({"disabled": True}, {"roles": ["viewer"]}):
            answer = admin.patch("/api/users/admin", json=change)
            assert (answer.status_code, answer.json()["messages"][0]["code"]) == (409, "SRV090")
        assert admin.delete("/api/users/admin").status_code == 409


def test_a_token_acts_as_its_owner_until_it_ends(server: RunningServer) -> None:
    with server.client() as admin:
        made = admin.post("/api/tokens", json={"name": "one", "kind": "api", "owner": "engineer"})
        assert made.status_code == 201
        secret, number = made.json()["secret"], made.json()["id"]
        assert ask_me(server, secret).json()["roles"] == ["engineer"]
        again = admin.post("/api/tokens", json={"name": "one", "kind": "api"})
        assert again.json()["messages"][0]["code"] == "SRV005"
        (row,) = (row for row in admin.get("/api/tokens").json() if row["name"] == "one")
        assert row["secret"] is None
        settings = {"settings": {"roles": ["viewer"]}}
        assert admin.patch(f"/api/tokens/{number}", json=settings).status_code == 200
        assert ask_me(server, secret).json()["roles"] == ["viewer"]
        more = {"settings": {"roles": ["admin"]}}
        assert admin.patch(f"/api/tokens/{number}", json=more).status_code == 400
        assert admin.patch(f"/api/tokens/{number}", json={"disabled": True}).status_code == 200
        assert ask_me(server, secret).status_code == 401
        assert admin.delete(f"/api/tokens/{number}").status_code == 204
        assert admin.delete(f"/api/tokens/{number}").status_code == 404


def test_a_token_is_over_after_its_days(server: RunningServer) -> None:
    with server.client() as admin:
        new = {"name": "short", "kind": "api", "days": 1e-9}
        secret = admin.post("/api/tokens", json=new).json()["secret"]
    assert ask_me(server, secret).status_code == 401


def test_days_and_names_that_cannot_be_make_no_token(server: RunningServer) -> None:
    with server.client() as admin:
        for days in ("0", "1.5", "-1", "soon", "36501", "9" * 400):
            form = {"name": "for ever?", "kind": "api", "days": days}
            assert admin.post("/admin/tokens", data=form).status_code == 400, days
        for name in ("two\nlines", "\0", "a" * 201):
            form = {"name": name, "kind": "hec"}
            assert admin.post("/admin/tokens", data=form).status_code == 400, name
        names = {row["name"] for row in admin.get("/api/tokens").json()}
        assert not {name for name in names if "?" in name or "\n" in name or "aaa" in name}
        form = {"name": "a year", "kind": "api", "days": "365"}
        assert admin.post("/admin/tokens", data=form).status_code == 201
        (row,) = (row for row in admin.get("/api/tokens").json() if row["name"] == "a year")
        assert row["expires"] - row["created"] == pytest.approx(365 * 86_400, abs=5)


def test_a_token_of_hec_is_told_again_and_logs_nobody_in(server: RunningServer) -> None:
    with server.client() as admin:
        new = {"name": "shipper", "kind": "hec", "settings": {"index": "main", "useACK": True}}
        made = admin.post("/api/tokens", json=new).json()
        (row,) = (
            row for row in admin.get("/api/tokens?kind=hec").json() if row["id"] == made["id"]
        )
        assert row["secret"] == made["secret"]
        assert row["settings"] == {"index": "main", "useACK": True}
    assert ask_me(server, made["secret"]).status_code == 401


def test_a_role_sees_and_takes_what_an_administrator_says(server: RunningServer) -> None:
    with server.client() as admin:
        before = {row["name"]: row for row in admin.get("/api/roles").json()}
        assert before["viewer"]["indexes"] == ["*"]
        change = {"indexes": ["main", "win*"], "rows": 1000, "memory": "512MB"}
        changed = admin.patch("/api/roles/viewer", json=change).json()
        assert {key: changed[key] for key in change} == change
        assert changed["seconds"] == before["viewer"]["seconds"]
        for wrong in ({"rows": 0}, {"memory": "lots"}, {"seconds": -1}, {"at_once": 1000}):
            answer = admin.patch("/api/roles/viewer", json=wrong)
            assert answer.json()["messages"][0]["code"] == "SRV091", wrong
        back = {key: before["viewer"][key] for key in change}
        assert admin.patch("/api/roles/viewer", json=back).json() == before["viewer"]
        assert admin.patch("/api/roles/god", json={}).status_code == 400


def test_only_an_administrator_may(server: RunningServer) -> None:
    with server.client("engineer") as client:
        for path in ("/api/users", "/api/tokens", "/api/roles", "/api/audit"):
            assert client.get(path).status_code == 403
    with server.client() as admin:
        rows = admin.get("/api/audit", params={"who": "engineer", "action": "access"}).json()
    assert [(row["target"], row["outcome"]) for row in rows[:4]] == [
        (f"GET {path}", "refused")
        for path in ("/api/audit", "/api/roles", "/api/tokens", "/api/users")
    ]
