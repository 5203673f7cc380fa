"""A server over a lake with some events, one of them hostile, and a browser that is logged in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from escudo.actions.ingest import ingest_logs
from escudo.lake import Lake
from tests.lake.logs import sysmon
from tests.serve.conftest import make_users
from tests.serve.running import PASSWORD, RunningServer, run_server

EVENTS = 300
START = 1_700_000_000.0
HOSTILE = "<img src=x onerror=document.title='owned'>"
"""What an attacker's command line may bring into a page."""


def fill_lake(lake: Path, folder: Path) -> None:
    """``EVENTS`` process creations of one host, a second apart; the command line of each tries to
    be HTML."""
    log = folder / "events.xml"
    tag = HOSTILE.replace("<", "&lt;").replace(">", "&gt;")
    log.write_text(sysmon(EVENTS, tag, start=START))
    with Lake.open(lake, create=True) as opened:
        assert ingest_logs([log], opened).report.read == EVENTS


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server over such a lake, with a user for each role; it runs no schedules."""
    folder = tmp_path_factory.mktemp("pages")
    fill_lake(folder / "lake", folder)
    with run_server(folder / "lake", ["--no-schedule"]) as running:
        make_users(running.lake)
        yield running


@pytest.fixture
def engineer(site: RunningServer) -> Iterator[httpx.Client]:
    with site.client("engineer") as client:
        yield client


def log_in(page: Page, url: str, name: str = "engineer") -> None:
    page.goto(f"{url}/login")
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("form button")
    page.wait_for_load_state()


@pytest.fixture
def page(chromium: Browser, site: RunningServer) -> Iterator[Page]:
    """A page of an engineer. That nothing in it breaks, and that the content security policy has
    nothing to refuse, is checked at the end."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    made = context.new_page()
    log_in(made, site.url)
    told: list[str] = []
    made.on("pageerror", lambda error: told.append(str(error)))
    made.on(
        "console",
        lambda message: told.append(message.text) if message.type == "error" else None,
    )
    yield made
    context.close()
    assert told == []
