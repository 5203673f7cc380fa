"""The pages of detections, the matrix, sources and dashboards, in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from escudo.serve.pages.rendering import STATIC
from tests.serve.running import RunningServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (STATIC / "manifest.json").is_file(), reason="make web has not run"),
]

WMI = "24869767-8579-485d-9a4f-d9ddfd8f0cac"


def test_a_detection_is_found_turned_off_and_on(page: Page, site: RunningServer) -> None:
    page.goto(f"{site.url}/detections")
    page.fill("[name=q]", "t1047 wmi")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.click("text=Process Execution via WMI")
    expect(page.locator("h1 + p .badge").first).to_have_text("on")
    page.click("text=Turn off")
    expect(page.locator("h1 + p .badge").first).to_have_text("off")
    page.click("text=As the content has it")
    expect(page.locator("h1 + p .badge").first).to_have_text("on")


def test_a_schedule_that_cannot_be_is_refused_and_another_kept(
    page: Page, site: RunningServer
) -> None:
    page.goto(f"{site.url}/detections/{WMI}")
    page.fill("#cron", "*/7 * * * *")
    page.fill("#earliest", "-20m@m")
    page.click("#change-schedule")
    expect(page.locator(".toast")).to_contain_text("The schedule is changed")
    expect(page.locator("#cron")).to_have_value("*/7 * * * *")
    page.click("text=As the content has it")
    expect(page.locator("#cron")).to_have_value("0 * * * *")


def test_the_tests_of_a_detection_run_from_its_page(page: Page, site: RunningServer) -> None:
    page.goto(f"{site.url}/detections/{WMI}")
    page.click("#run-tests")
    # Two have their events in the package; those of the third would have to be fetched.
    expect(page.locator("[data-outcome=passed]")).to_have_count(2, timeout=60_000)
    expect(page.locator("[data-outcome=missing]")).to_have_count(1)
    expect(page.locator("#tests")).to_contain_text("no local copy")


def test_the_matrix_shows_what_is_covered(page: Page, site: RunningServer) -> None:
    page.goto(f"{site.url}/attack")
    covered = page.locator("a.technique.covered")
    expect(covered).to_have_count(1)
    expect(covered).to_contain_text("T1047")
    expect(page.locator("span.technique.none").first).to_be_visible()
    page.click("text=Show techniques without detections")
    expect(page.locator("li span.technique.none").first).to_be_hidden()
    covered.click()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_sources_show_what_came_and_when(page: Page, site: RunningServer) -> None:
    page.goto(f"{site.url}/sources")
    row = page.locator("tbody tr").first
    expect(row).to_contain_text("XmlWinEventLog")
    expect(row).to_contain_text("300")
    page.click("text=By host")
    expect(page.locator("tbody tr").first).to_contain_text("pc1")
    page.locator("tbody tr a").first.click()
    expect(page.locator(".run-told")).to_contain_text("300 events", timeout=20_000)


def test_a_dashboard_is_made_of_searches(page: Page, site: RunningServer) -> None:
    page.goto(f"{site.url}/dashboards")
    page.click("text=New dashboard")
    page.fill("#name", "Shift <1>")
    page.click("dialog[open] button.primary")
    expect(page.locator("h1")).to_have_text("Shift <1>")
    for title, search in (
        ("Over time", "index=* | timechart span=1m count"),
        ("Hosts", "index=* | stats count by host"),
    ):
        page.click("text=Add a panel")
        page.fill("#search", search)
        page.fill("#title", title)
        page.click("dialog[open] button.primary")
        expect(page.locator("h2", has_text=title)).to_be_visible()
    expect(page.locator(".panel").first.locator("rect.fill").first).to_be_visible(timeout=20_000)
    expect(page.locator(".panel").nth(1)).to_contain_text("pc1")
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("[aria-label='Remove Hosts']")
    expect(page.locator(".panel")).to_have_count(1)
