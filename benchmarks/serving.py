"""A server over a lake in a process of its own, a browser that is logged in, and what the server's
processes use."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from playwright.sync_api import Browser, Page, Playwright

from escudo.schedule.database import FILE, State
from escudo.serve.accounts.users import Users

PASSWORD = "a sentence for the measurement"
CHROMIUM = "/usr/bin/chromium"


STOP_SECONDS = 120
"""How long the server may take to end."""


class ServerStuckError(click.ClickException):
    """The server did not end when it was told to, and was killed."""


@contextmanager
def run_server(
    lake: Path, cache: Path, options: Sequence[str] = ()
) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """The server, its URL, and what it told at its start; ended at the end as systemd does."""
    command = [sys.executable, "-m", "escudo.cli", "serve", "--lake", str(lake), "--port", "0"]
    environment = {**os.environ, "ESCUDO_CACHE": str(cache)}
    process = subprocess.Popen(
        [*command, *options], stderr=subprocess.PIPE, text=True, env=environment
    )
    told: list[str] = []
    try:
        assert process.stderr is not None
        for line in process.stderr:
            told.append(line)
            if line.startswith("serving at "):
                break
        text = "".join(told)
        url = re.search(r"serving at (\S+)", text)
        if url is None:
            raise click.ClickException(text)
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield process, url[1], text
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise ServerStuckError(f"the server did not end in {STOP_SECONDS} s") from None


def set_password(lake: Path) -> None:
    """The password that browsers log in with."""
    with State.open(lake / FILE) as state:
        Users(state, clock=time.time).set_password("admin", PASSWORD)


def start_browser(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
    )


def log_in(browser: Browser, url: str) -> Page:
    """A page of a browser of its own."""
    page = browser.new_context(base_url=url).new_page()
    page.set_default_timeout(120_000)
    page.goto("/login")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state()
    return page


def list_processes(pid: int) -> Iterator[int]:
    """A process and those that it started, and they."""
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from list_processes(int(child))
    except OSError:
        return


def read_memory(pid: int) -> int:
    """Bytes that are a process' own, with its share of what it has with others."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def read_cpu(pid: int) -> float:
    """Processor seconds that a process and its children that have ended have used."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
