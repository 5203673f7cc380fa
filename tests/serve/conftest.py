"""One server for the tests that do not harm it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs.browser import find_browser
from playwright.sync_api import Browser, expect, sync_playwright

from escudo.schedule.database import FILE, State
from escudo.serve.accounts.users import Users
from escudo.serve.permissions import ROLES
from tests.serve.running import PASSWORD, RunningServer, run_server


def make_users(lake: Path) -> None:
    """A user for each role, of the role's name; the administrator's first password is changed."""
    with State.open(lake / FILE) as state:
        users = Users(state, clock=time.time)
        for role in ROLES:
            if role == "admin":
                users.set_password(role, PASSWORD)
            else:
                users.add(role, PASSWORD, [role])


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server over an empty lake, with a user for each role; it runs no schedules."""
    lake = tmp_path_factory.mktemp("served") / "lake"
    with run_server(lake, ["--no-schedule"]) as running:
        make_users(lake)
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of a process: there can be no second one."""
    found = find_browser()
    if found is None:
        pytest.skip("there is no Chromium")
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
