"""A page in a browser that notes what a page of ours never does: an error, a breach of its content
security policy, a request to anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request

from tests.serve.running import PASSWORD

_WAIT_MS = 90_000
"""Milliseconds that a page has on a machine that does much else."""

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@dataclass
class WatchedPage:
    """``told`` is what the console said that is no information."""

    page: Page
    url: str
    told: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Opens a page, and waits until nothing is fetched any more."""
        self.page.goto(f"{self.url}{path}")
        self.settle()

    def settle(self) -> None:
        self.page.wait_for_load_state("networkidle")

    def find_violations(self) -> list[str]:
        """What axe-core says is wrong with the page, for people who see or move less."""
        options = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": list(TAGS)}}
        result = Axe().run(self.page, options=options)
        return [
            f"{found['id']}: {node['target']} {node['failureSummary']}"
            for found in result.response["violations"]
            for node in found["nodes"]
        ]


@contextmanager
def watch_page(
    chromium: Browser,
    url: str,
    user: str,
    *,
    width: int = 1280,
    dark: bool = False,
) -> Iterator[WatchedPage]:
    """A page where a user has logged in by the form; closed afterwards, and judged."""
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
    )
    watched = WatchedPage(context.new_page(), url)
    watched.page.set_default_timeout(_WAIT_MS)

    def note_request(request: Request) -> None:
        if not request.url.startswith((url, "data:")):
            watched.elsewhere.append(request.url)

    watched.page.on("request", note_request)
    watched.page.on("pageerror", lambda error: watched.told.append(str(error)))
    watched.page.on(
        "console",
        lambda said: watched.told.append(said.text) if said.type in ("error", "warning") else None,
    )
    log_in(watched, user)
    try:
        yield watched
    finally:
        context.close()
    assert watched.told == []
    assert watched.elsewhere == []


def log_in(watched: WatchedPage, user: str, password: str = PASSWORD) -> None:
    """Fills in the form, and sends it."""
    watched.go("/login")
    watched.page.get_by_label("Name").fill(user)
    watched.page.get_by_label("Password").fill(password)
    watched.page.get_by_role("button", name="Log in").click()
    watched.page.wait_for_url(lambda found: "/login" not in found)
