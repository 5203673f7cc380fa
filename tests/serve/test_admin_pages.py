"""The pages of administrators, in a real browser: a user is added and let in no more, a token of
HEC is made and revoked, each act shows in the audit log."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from escudo.serve.pages.rendering import STATIC
from tests.serve.running import PASSWORD, RunningServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (STATIC / "manifest.json").is_file(), reason="make web has not run"),
]

PATHS = ("/admin/users", "/admin/tokens", "/admin/roles", "/admin/audit")


@pytest.fixture(scope="module")
def page(chromium: Browser, server: RunningServer) -> Iterator[Page]:
    """A browser in which an administrator has logged in; what it is told beside pages fails."""
    opened = chromium.new_page(base_url=server.url, viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(30_000)
    told: list[str] = []
    opened.on("console", lambda message: told.append(message.text))
    opened.on("pageerror", lambda error: told.append(str(error)))
    log_in(opened, "admin", PASSWORD)
    yield opened
    opened.close()
    assert [text for text in told if "Content Security Policy" in text] == []


def log_in(page: Page, name: str, password: str) -> None:
    page.goto("/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_a_user_is_added_and_let_in_no_more(server: RunningServer, page: Page) -> None:
    page.goto("/admin/users")
    page.get_by_label("Name", exact=True).fill("kim")
    page.get_by_label("Full name").fill("<b>Kim</b>")
    page.get_by_label("Role", exact=True).select_option("analyst")
    page.get_by_role("button", name="Add").click()
    password = page.locator("#made").inner_text()
    with httpx.Client(base_url=server.url) as kim:
        answer = kim.post("/api/login", json={"name": "kim", "password": password})
        assert answer.json()["must_change"] is True
        row = page.get_by_role("row", name=re.compile("kim"))
        expect(row.get_by_text("<b>Kim</b>")).to_be_visible()
        row.get_by_role("button", name="Disable kim").click()
        expect(
            page.get_by_role("row", name=re.compile("kim")).get_by_text("Disabled")
        ).to_be_visible()
        assert kim.get("/api/me").status_code == 401
    page.get_by_label("Name", exact=True).fill("kim")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a user")
    page.goto("/admin/users")
    page.get_by_role("button", name="Disable admin").click()
    expect(page.get_by_role("alert")).to_contain_text("last administrator")


def test_a_token_is_made_and_revoked(server: RunningServer, page: Page) -> None:
    page.goto("/admin/tokens")
    page.get_by_label("Name", exact=True).fill("fluent-bit")
    page.get_by_label("Index (HEC)").fill("web")
    page.get_by_role("button", name="Make").click()
    secret = page.locator("#made").inner_text()
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", secret)
    with server.client() as admin:
        (token,) = (t for t in admin.get("/api/tokens").json() if t["name"] == "fluent-bit")
        assert (token["secret"], token["settings"]) == (secret, {"index": "web"})
        page.get_by_role("button", name="Revoke fluent-bit").click()
        expect(
            page.get_by_role("row", name=re.compile("fluent")).get_by_text("Revoked")
        ).to_be_visible()
        (token,) = (t for t in admin.get("/api/tokens").json() if t["name"] == "fluent-bit")
        assert token["disabled"] is not None


def test_a_limit_is_changed_and_all_is_in_the_audit_log(server: RunningServer, page: Page) -> None:
    with server.client() as admin:
        admin.post("/api/users", json={"name": "lee", "roles": ["viewer"]})
        admin.patch("/api/users/lee", json={"disabled": True})
        made = admin.post("/api/tokens", json={"name": "lees", "kind": "hec"}).json()
        admin.patch(f"/api/tokens/{made['id']}", json={"disabled": True})
    page.goto("/admin/roles")
    page.locator("#viewer-rows").fill("1234")
    page.get_by_role("button", name="Save viewer").click()
    expect(page.locator("#viewer-rows")).to_have_value("1234")
    page.locator("#viewer-memory").fill("lots")
    page.get_by_role("button", name="Save viewer").click()
    expect(page.get_by_role("alert")).to_contain_text("memory cannot be")
    page.goto("/admin/audit?who=admin")
    acts = page.locator("tbody tr td:nth-child(4)").all_inner_texts()
    for act in ("change role", "disable token", "add token", "disable user", "add user", "login"):
        assert act in acts


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_accessible_and_fits(page: Page, path: str) -> None:
    page.goto(path)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]})
    assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 400, "height": 800})
    wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    assert wide is False


def test_an_analyst_is_shown_none_of_it(server: RunningServer) -> None:
    headers = {"accept": "text/html"}
    with httpx.Client(base_url=server.url, headers=headers) as client:
        client.post("/login", data={"name": "analyst", "password": PASSWORD})
        for path in PATHS:
            answer = client.get(path)
            assert answer.status_code == 403
            assert "/admin/" not in answer.text
