"""The search page in a browser: a search is written, run, looked at, stopped, kept and taken
away."""

from __future__ import annotations

import csv
import json
import re
import time
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from escudo.serve.pages.rendering import STATIC
from tests.serve.pages_search.conftest import EVENTS, HOSTILE, START, log_in
from tests.serve.running import RunningServer, run_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (STATIC / "manifest.json").is_file(), reason="make web has not run"),
]


def _open(page: Page, site: RunningServer, search: str = "") -> None:
    page.goto(f"{site.url}/search?q={quote(search)}" if search else f"{site.url}/search")
    page.wait_for_selector(".cm-content")


def _write(page: Page, search: str) -> None:
    page.click(".cm-content")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(search)


def _wait(page: Page, told: str) -> None:
    words = re.compile(rf"(?<!\d){re.escape(told)}")  # "0 events" is no part of "300 events"
    expect(page.locator(".run-told")).to_contain_text(words, timeout=20_000)


def test_a_search_is_run_by_keys_and_its_address_runs_it_again(
    page: Page, site: RunningServer, chromium: Browser
) -> None:
    _open(page, site, "index=none")
    _wait(page, "0 events")
    _write(page, "index=*")
    page.keyboard.press("Control+Enter")
    _wait(page, f"{EVENTS} events")
    expect(page.locator(".event")).to_have_count(50, timeout=20_000)
    assert parse_qs(urlsplit(page.url).query) == {"q": ["index=*"]}
    with chromium.new_context() as other:
        again = other.new_page()
        log_in(again, site.url, "viewer")
        again.goto(page.url)
        _wait(again, f"{EVENTS} events")
    page.go_back()
    _wait(page, "0 events")


def test_without_a_time_in_the_address_the_last_day_is_searched(
    page: Page, site: RunningServer
) -> None:
    _open(page, site)
    expect(page.locator(".time-button")).to_have_text("Last 24 hours")
    _write(page, "index=*")
    page.click("text=Run")
    expect(page.locator(".empty h3")).to_have_text("Nothing found")
    page.click("text=Search all time")
    _wait(page, f"{EVENTS} events")


def test_words_are_proposed_and_taken(page: Page, site: RunningServer) -> None:
    _open(page, site)
    page.click(".cm-content")
    page.keyboard.type("index=* | timec", delay=30)
    option = page.locator(".cm-tooltip-autocomplete li[aria-selected]")
    expect(option).to_contain_text("timechart")
    page.wait_for_timeout(150)  # the editor takes no proposal in the first moment it is shown
    page.keyboard.press("Tab")
    expect(page.locator(".cm-content")).to_contain_text("| timechart")


def test_what_is_wrong_is_told_under_the_text_while_it_is_written(
    page: Page, site: RunningServer
) -> None:
    _open(page, site)
    _write(page, "index=*\n| stat count by host")
    problem = page.locator(".problem")
    expect(problem).to_contain_text("2:3")
    expect(problem).to_contain_text("stat")
    expect(page.locator(".cm-lintRange-error")).to_have_text("stat")
    _write(page, "index=* | stats count by host")
    expect(problem).to_have_count(0)


def test_a_search_that_cannot_run_says_why(page: Page, site: RunningServer) -> None:
    _open(page, site, "index=* | stat count")
    expect(page.locator(".failure h3")).to_contain_text("stat")
    expect(page.locator(".failure")).to_contain_text("at 1:11")


def test_hostile_values_are_text_wherever_they_are_shown(page: Page, site: RunningServer) -> None:
    _open(page, site, "index=*")
    _wait(page, f"{EVENTS} events in")
    page.locator(".event-toggle").first.click()
    expect(page.locator(".raw").first).to_contain_text("&lt;img src=x")  # as the log has it
    expect(page.locator(".field-table").first).to_contain_text(HOSTILE)
    page.locator(".field summary", has_text="CommandLine").first.click()
    expect(page.locator(".top-value", has_text="<img src=x").first).to_be_visible()
    page.click("[role=tab]:has-text('Table')")
    expect(page.locator(".result-table")).to_contain_text(HOSTILE)
    _open(page, site, 'index=* | rex mode=sed field=CommandLine "s/ \\d+$//" | top CommandLine')
    page.click("[role=tab]:has-text('Chart')")
    expect(page.locator("svg.picture title", has_text=HOSTILE).first).to_be_attached()
    assert page.locator("main img").count() == 0
    assert "owned" not in page.title()


def test_a_value_that_is_clicked_narrows_the_search(page: Page, site: RunningServer) -> None:
    _open(page, site, "index=*")
    _wait(page, f"{EVENTS} events in")
    page.locator(".field summary", has_text="ProcessId").first.click()
    page.locator(".top-value").first.click()
    _wait(page, "1 event")
    asked = parse_qs(urlsplit(page.url).query)["q"][0]
    assert asked.startswith('index=* ProcessId="')


def test_a_stretch_of_the_histogram_narrows_the_time(page: Page, site: RunningServer) -> None:
    _open(page, site, "index=*")
    box = page.locator("svg.timeline").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, middle, steps=4)
    page.mouse.up()
    page.wait_for_url("**earliest=*")
    asked = parse_qs(urlsplit(page.url).query)
    earliest, latest = float(asked["earliest"][0]), float(asked["latest"][0])
    assert START < earliest < latest <= START + EVENTS + 1
    expect(page.locator(".run-told")).to_contain_text(" events in ")
    found = int(page.locator(".run-told").inner_text().split()[0])
    assert found == pytest.approx(latest - earliest, abs=2)  # an event each second


def test_rows_are_sorted_and_paged(page: Page, site: RunningServer) -> None:
    _open(page, site, "index=* | table ProcessId CommandLine")
    _wait(page, f"{EVENTS} ")
    page.click("[role=tab]:has-text('Table')")
    head = page.locator(".sort-button", has_text="ProcessId")
    head.click()
    expect(page.locator("th[aria-sort]")).to_have_count(1)
    if page.locator("th[aria-sort=descending]").count():
        head.click()
    first = page.locator(".result-table tbody tr td").first
    expect(first).to_have_text("0")
    page.click(".pager >> text=Next")
    expect(first).to_have_text("100")
    expect(page.locator(".pager")).to_contain_text(f"101–200 of {EVENTS}")


def test_numbers_over_time_are_drawn(page: Page, site: RunningServer) -> None:
    _open(page, site, "index=* | timechart span=1m count")
    bars = page.locator(".chart svg.picture rect.fill")
    expect(bars.first).to_be_visible()
    # 300 seconds from 22:13:20 on are in the minutes 13 to 18
    expect(bars).to_have_count(6)
    page.select_option(".chart-head select", "line")
    expect(page.locator(".chart polyline.stroke")).to_have_count(1)


def test_a_long_search_is_stopped(page: Page, site: RunningServer) -> None:
    _open(page, site)
    many = "makeresults count=50000 | eval k=1"
    _write(page, f"| {many} | join max=0 k [| {many}]")
    page.keyboard.press("Control+Enter")
    stop = page.locator("button", has_text="Stop")
    expect(stop).to_be_visible()
    page.wait_for_timeout(1000)
    begun = time.monotonic()
    stop.click()
    expect(stop).to_be_hidden(timeout=10_000)
    assert time.monotonic() - begun < 5
    expect(page.locator(".run-told")).to_contain_text("Stopped")


def test_rows_are_exported(page: Page, site: RunningServer, tmp_path: Path) -> None:
    _open(page, site, "index=* | stats count by host")
    _wait(page, "1 row")
    with page.expect_download() as saved:
        page.click("a:has-text('CSV')")
    saved.value.save_as(tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(newline="") as stream:
        assert list(csv.DictReader(stream)) == [{"host": "pc1", "count": str(EVENTS)}]
    with page.expect_download() as saved:
        page.click("a:has-text('JSON')")
    saved.value.save_as(tmp_path / "rows.json")
    assert json.loads((tmp_path / "rows.json").read_text()) == [{"host": "pc1", "count": EVENTS}]


def test_a_saved_search_is_there_in_the_next_server(
    page: Page, site: RunningServer, chromium: Browser
) -> None:
    name = 'Programs <b>"now"</b>'
    _open(page, site, "index=* | top Image")
    page.click("text=Save >> nth=0")
    page.fill("#save-name", name)
    page.click("dialog button.primary")
    expect(page.locator(".toast")).to_contain_text("Saved as")
    with run_server(site.lake, ["--no-schedule"]) as second, chromium.new_context() as context:
        again = context.new_page()
        log_in(again, second.url)
        _open(again, second)
        again.click("text=Saved searches")
        again.click(f"button.saved-name >> text={name}")
        _wait(again, "1 row")
        expect(again.locator(".cm-content")).to_have_text("index=* | top Image")
