"""What an analyst does all day, in a browser."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.serve.conftest import make_users
from tests.serve.pages.conftest import HOSTILE_COMMAND, HOSTILE_HOST, HOSTILE_USER, make_lake
from tests.serve.pages.watched import WatchedPage, log_in, watch_page
from tests.serve.running import PASSWORD, RunningServer, run_server


def test_a_finding_is_worked_on_and_is_still_there_after_a_restart(
    chromium: Browser, tmp_path: Path
) -> None:
    lake = make_lake(tmp_path)
    with run_server(lake, ["--no-schedule"]) as server:
        make_users(lake)
        with watch_page(chromium, server.url, "engineer") as watched:
            page = watched.page
            watched.go("/findings?text=evil.example")
            page.locator("[data-row-link]").first.click()
            watched.settle()
            finding = page.url
            expect(page.get_by_role("heading", name="Processes around it")).to_be_visible()
            expect(page.locator(".process.hit code")).to_have_text(HOSTILE_COMMAND)
            expect(page.locator(".conditions .held code").first).to_have_text(
                "Processes.parent_process_name=WmiPrvSE.exe"
            )
            for number in (0, 1):
                page.get_by_role("button", name="Run").nth(number).click()
                expect(page.locator(f"#drilldown-{number} tbody tr")).not_to_have_count(0)
            expect(page.locator("#drilldown-0 tbody")).to_contain_text(HOSTILE_COMMAND)

            page.get_by_role("button", name="Take it").click()
            watched.settle()
            page.get_by_label("Status").select_option("pending")
            page.get_by_label("Disposition").select_option("benign positive")
            page.get_by_label("Comment").fill("Asked <b>the owner</b>.")
            page.get_by_role("button", name="Save").click()
            watched.settle()
            expect(page.locator(".history .comment").first).to_have_text("Asked <b>the owner</b>.")

            page.get_by_role("link", name="Tune this").click()
            expect(page.locator("#preview")).to_contain_text("1 of", timeout=30_000)
            expect(page.locator("#preview")).to_contain_text("is still found", timeout=60_000)
            page.get_by_label("Reason").fill("It is a test.")
            page.get_by_role("button", name="Tune").click()
            page.wait_for_url("**/tuning")
            expect(page.locator("tbody")).to_contain_text("It is a test.")
        server.end()
    overlay = next((lake / "overlay" / "tuned").glob("*.yml")).read_text("utf-8")
    assert "engineer" in overlay
    assert "It is a test." in overlay
    with (
        run_server(lake, ["--no-schedule"]) as server,
        watch_page(chromium, server.url, "analyst") as watched,
    ):
        watched.page.goto(server.url + finding[finding.index("/findings") :])
        expect(watched.page.locator(".headline")).to_contain_text("Pending")
        expect(watched.page.get_by_label("Owner")).to_have_value("engineer")
        expect(watched.page.get_by_label("Disposition")).to_have_value("benign positive")
        expect(watched.page.locator(".history")).to_contain_text("in progress → pending")
        watched.go("/tuning")
        expect(watched.page.locator("tbody")).to_contain_text("It is a test.")


def test_names_of_an_attacker_are_text(page: WatchedPage) -> None:
    places = ["/findings?text=evil.example", "/risk?period=all", "/entities", "/"]
    for place in places:
        page.go(place)
        assert HOSTILE_HOST.lower() in page.page.inner_text("main").lower(), place
    page.go("/risk?period=all")
    page.page.get_by_role("link", name=HOSTILE_HOST).first.click()
    page.settle()
    expect(page.page.get_by_role("heading", level=1)).to_contain_text(HOSTILE_HOST)
    assert HOSTILE_COMMAND in page.page.inner_text("main")
    assert HOSTILE_USER in page.page.inner_text("main")
    assert page.page.evaluate("window.owned") is None


def test_findings_are_filtered_and_changed_together(page: WatchedPage) -> None:
    page.go("/findings")
    rows = page.page.locator(".queue tbody tr")
    before = rows.count()
    assert before > 5
    page.page.get_by_label("Severity", exact=True).select_option("high")
    expect(rows.locator(".badge.medium")).to_have_count(0)
    page.settle()
    high = rows.count()
    assert 0 < high < before
    assert "severity=high" in page.page.url
    page.page.get_by_label("Tick all on this page").check()
    expect(page.page.locator("[data-count]")).to_have_text(str(high))
    page.page.locator("#bulk-owner").select_option("me")
    page.page.locator("#bulk-comment").fill("Mine.")
    page.page.get_by_role("button", name="Change").click()
    page.settle()
    expect(rows.locator("[data-name=Owner]", has_text="engineer")).to_have_count(high)
    page.go("/findings?owner=me")
    expect(rows).to_have_count(high)


def test_a_view_is_kept_under_a_name(page: WatchedPage) -> None:
    page.go("/findings?severity=medium")
    page.page.get_by_role("button", name="Save this view").click()
    page.page.get_by_label("Name", exact=True).fill("The medium ones")
    page.page.locator("#save-view").get_by_role("button", name="Save").click()
    page.settle()
    page.go("/findings")
    page.page.get_by_role("link", name="The medium ones").click()
    page.settle()
    assert "severity=medium" in page.page.url


def test_the_queue_shows_what_others_change(page: WatchedPage, hunted: RunningServer) -> None:
    page.go("/findings?severity=medium")
    row = page.page.locator(".queue tbody tr").first
    address = row.locator("[data-row-link]").get_attribute("href")
    assert address is not None
    finding = address.rpartition("/")[2]
    with hunted.client("analyst", PASSWORD) as client:
        edit = {"ids": [finding], "owner": "somebody else"}
        assert client.post("/api/findings/edit", json=edit).status_code == 200
    expect(row).to_contain_text("somebody else", timeout=20_000)


def test_keys_lead_through_the_queue(page: WatchedPage) -> None:
    page.go("/findings?status=all")
    page.page.keyboard.press("/")
    expect(page.page.locator("#text")).to_be_focused()
    page.page.locator("h1").click()
    page.page.keyboard.press("j")
    page.page.keyboard.press("j")
    expect(page.page.locator("[data-row-link]").nth(1)).to_be_focused()
    page.page.keyboard.press("x")
    expect(page.page.locator("input[name=finding]").nth(1)).to_be_checked()
    page.page.keyboard.press("Enter")
    page.page.wait_for_url(re.compile(r"/findings/[0-9a-f]+$"))
    page.page.keyboard.press("?")
    expect(page.page.locator("#keys")).to_be_visible()
    page.page.keyboard.press("Escape")
    page.page.keyboard.press("g")
    page.page.keyboard.press("r")
    page.page.wait_for_url("**/risk")
    for _ in range(3):
        page.page.keyboard.press("Tab")
    ring = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.page.evaluate(ring) == "solid"


def test_the_choice_of_dark_lasts(page: WatchedPage) -> None:
    page.go("/")
    page.page.get_by_role("button", name="Light or dark").click()
    page.go("/findings")
    assert page.page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_viewer_sees_and_changes_nothing(chromium: Browser, hunted: RunningServer) -> None:
    with watch_page(chromium, hunted.url, "viewer") as watched:
        watched.go("/findings?status=all")
        expect(watched.page.get_by_label("Tick all on this page")).to_have_count(0)
        watched.page.locator("[data-row-link]").first.click()
        watched.settle()
        expect(watched.page.get_by_role("button", name="Save")).to_have_count(0)
        expect(watched.page.get_by_role("link", name="Tune this")).to_have_count(0)


def test_a_first_password_is_changed_before_anything_else(
    chromium: Browser, tmp_path: Path
) -> None:
    with run_server(tmp_path / "lake", ["--no-schedule"]) as server:
        assert server.first_password is not None
        context = chromium.new_context()
        watched = WatchedPage(context.new_page(), server.url)
        log_in(watched, "admin", server.first_password)
        page = watched.page
        expect(page.get_by_role("heading", level=1)).to_have_text("Change password")
        watched.go("/findings")
        assert page.url.endswith("/password")
        page.get_by_label("Password now").fill(server.first_password)
        page.get_by_label("New password", exact=True).fill(PASSWORD)
        page.get_by_label("New password, again").fill(PASSWORD)
        page.get_by_role("button", name="Change password").click()
        page.wait_for_url(f"{server.url}/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        context.close()
        again = httpx.get(f"{server.url}/api/me", auth=("admin", PASSWORD))
        assert again.status_code == 200


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)], ids=["light", "dark"])
def test_pages_can_be_used_by_all(
    chromium: Browser, hunted: RunningServer, *, width: int, dark: bool
) -> None:
    with watch_page(chromium, hunted.url, "engineer", width=width, dark=dark) as watched:
        page = watched.page
        watched.go("/findings?status=all&text=evil.example")
        finding = page.locator("[data-row-link]").first.get_attribute("href")
        assert finding is not None
        for path in (
            "/",
            "/findings?status=all",
            "/findings?text=nothing-is-like-this",
            finding,
            f"{finding}/tune",
            "/risk",
            "/entities",
            "/entities/host/SRV-APP01.meridian.example",
            "/entities/user/nobody",
            "/tuning",
            "/password",
        ):
            watched.go(path)
            assert watched.find_violations() == [], path
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path} is {wide} pixels wide"
