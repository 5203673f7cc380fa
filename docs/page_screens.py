"""Makes pictures of the server's pages: ``python -m docs.page_screens [FOLDER]``.

A generated day is hunted and served; each page is pictured wide and narrow, light and dark, into a
folder that git ignores (``docs/screens/pages`` unless another is given). ``--docs`` makes those of
the walk-through (``docs/server-web.md``) anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from docs.browser import NAMES, find_browser
from playwright.sync_api import Browser, Page, sync_playwright

from escudo.schedule.database import FILE, State
from escudo.serve.accounts.users import Users

HERE = Path(__file__).parent / "screens"
EVENTS = 20_000
USER, PASSWORD = "maria", "a sentence for pictures"

_WAIT_MS = 120_000
"""The tests of a detection, which the page of tuning runs, take their time."""

SIZES = ((1280, 800), (400, 800))

_FINDING = "FINDING"
_SEARCH = "/search?q=index%3D*%20%7C%20timechart%20count%20by%20EventCode"
_DETECTION = "/detections/24869767-8579-485d-9a4f-d9ddfd8f0cac"

PAGES = (
    ("overview", "/"),
    ("findings", "/findings"),
    ("nothing", "/findings?text=nothing-is-like-this"),
    ("finding", _FINDING),
    ("tune", f"{_FINDING}/tune"),
    ("tuning", "/tuning"),
    ("risk", "/risk"),
    ("entities", "/entities"),
    ("host", "/entities/host/SRV-APP01.meridian.example"),
    ("user", "/entities/user/MERIDIAN%5Cadm.abel"),
    ("search", _SEARCH),
    ("events", "/search?q=index%3D*%20EventCode%3D1%20host%3D*APP01*%20%7C%20head%20200"),
    ("wrong", "/search?q=index%3D*%20%7C%20stat%20count%20by%20host"),
    ("detections", "/detections"),
    ("detection", _DETECTION),
    ("attack", "/attack"),
    ("sources", "/sources?by=host"),
    ("dashboards", "/dashboards"),
    ("password", "/password"),
    ("missing", "/no-such-page"),
    ("login", "/login"),
)
"""Name and address; the last one logs out."""

CHOSEN = (
    ("web-overview", "/", 1280, 860, False),
    ("web-findings", "/findings", 1280, 800, False),
    ("web-finding", _FINDING, 1280, 780, False),
    ("web-tune", f"{_FINDING}/tune", 1280, 740, False),
    ("web-risk", "/risk", 1280, 620, True),
    ("web-host", "/entities/host/SRV-APP01.meridian.example", 1280, 680, True),
    ("web-search", _SEARCH, 1280, 800, False),
    ("web-detection", _DETECTION, 1280, 560, True),
    ("web-narrow", _FINDING, 400, 860, True),
)
"""Those of the walk-through: name, address, width, height, whether dark."""


def main() -> int:
    """Writes the pictures; returns an exit code."""
    arguments = [a for a in sys.argv[1:] if a != "--docs"]
    folder = Path(arguments[0]) if arguments else HERE / "pages"
    program = find_browser()
    if program is None:
        print(f"no pictures: none of {', '.join(NAMES)} is installed")
        return 0
    with (
        tempfile.TemporaryDirectory(prefix="escudo-screens-") as name,
        serve_day(Path(name)) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        pictures = picture_docs if "--docs" in sys.argv[1:] else picture_all
        for picture in pictures(browser, url, HERE if "--docs" in sys.argv[1:] else folder):
            print(f"{picture.name}: {picture.stat().st_size // 1000} kB")
    return 0


@contextmanager
def serve_day(folder: Path) -> Iterator[str]:
    """A server over a generated day that was hunted; gives its address."""
    log, lake = folder / "day.xml", folder / "lake"
    _run("generate", "--events", str(EVENTS), "--quiet", "--out", str(log))
    _run("hunt", str(log), "--lake", str(lake), "--quiet")
    with State.open(lake / FILE) as state:
        users = Users(state, clock=time.time)
        users.make_first()
        users.add(USER, PASSWORD, ["engineer"])
    command = [sys.executable, "-m", "escudo.cli", "serve", "--lake", str(lake), "--port", "0"]
    with subprocess.Popen(
        [*command, "--no-schedule"], stderr=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stderr is not None
        try:
            told = ""
            for line in process.stderr:
                told += line
                if found := re.search(r"serving at (\S+)", line):
                    threading.Thread(target=process.stderr.read, daemon=True).start()
                    yield found[1]
                    break
            else:
                raise RuntimeError(told)
        finally:
            process.terminate()


def _run(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "escudo.cli", *arguments], check=True, stdout=subprocess.DEVNULL
    )


def picture_all(browser: Browser, url: str, folder: Path) -> Iterator[Path]:
    """A picture of each page, whole, wide and narrow, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    for width, height in SIZES:
        for dark in (False, True):
            page = _open(browser, url, (width, height), dark=dark)
            for name, address in _list_pages(page, url):
                _go(page, url, address, run=True)
                picture = folder / f"{name}-{width}-{'dark' if dark else 'light'}.png"
                page.screenshot(path=picture, full_page=True)
                yield picture
            page.context.close()


def picture_docs(browser: Browser, url: str, folder: Path) -> Iterator[Path]:
    """The pictures of the walk-through."""
    for name, address, width, height, dark in CHOSEN:
        page = _open(browser, url, (width, height), dark=dark)
        found = dict(_list_pages(page, url))
        finding = found["finding"]
        _go(page, url, address.replace(_FINDING, finding), run=False)
        if name == "web-tune":
            page.locator("#preview").get_by_text("is still found").wait_for()
        picture = folder / f"{name}.png"
        page.screenshot(path=picture)
        yield picture
        page.context.close()


def _open(browser: Browser, url: str, size: tuple[int, int], *, dark: bool) -> Page:
    """A page where the user has logged in."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
    )
    page = context.new_page()
    page.set_default_timeout(_WAIT_MS)
    page.goto(f"{url}/login")
    page.fill("#name", USER)
    page.fill("#password", PASSWORD)
    page.click("button.primary")
    page.wait_for_load_state("networkidle")
    return page


def _list_pages(page: Page, url: str) -> Sequence[tuple[str, str]]:
    """The pages, with the address of a finding that has processes around it."""
    page.goto(f"{url}/findings?text=comsvcs")
    finding = page.locator("[data-row-link]").first.get_attribute("href") or ""
    return [(name, address.replace(_FINDING, finding)) for name, address in PAGES]


def _go(page: Page, url: str, address: str, *, run: bool) -> None:
    """Opens a page; with ``run`` the drilldowns of a finding are run."""
    if address == "/login":
        page.context.clear_cookies()
    page.goto(f"{url}{address}")
    page.wait_for_load_state("networkidle")
    if address == "/login":
        return
    if address.startswith("/search"):  # its address has run it
        page.get_by_role("button", name="Run", exact=True).wait_for(timeout=60_000)
        page.wait_for_load_state("networkidle")
        return
    for number in range(page.locator(".drilldown").count() if run else 0):
        page.locator(".drilldown").nth(number).get_by_role("button", name="Run").click()
        page.locator(f"#drilldown-{number} > *").first.wait_for()


if __name__ == "__main__":
    sys.exit(main())
