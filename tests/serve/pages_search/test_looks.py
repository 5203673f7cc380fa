"""Each page, light and dark: WCAG's rules as axe-core checks them, no wider than its window."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from escudo.serve.pages.rendering import STATIC
from tests.serve.pages_search.conftest import log_in
from tests.serve.running import RunningServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (STATIC / "manifest.json").is_file(), reason="make web has not run"),
]

WMI = "24869767-8579-485d-9a4f-d9ddfd8f0cac"
PAGES = (
    ("/search", ".cm-content"),
    ("/search?q=" + quote("index=*"), ".event"),
    ("/search?q=" + quote("index=* | timechart count"), ".chart"),
    ("/search?q=" + quote("index=* | stat count"), ".failure"),
    ("/detections", ".table"),
    (f"/detections/{WMI}", ".spl-command"),
    ("/stories", ".table"),
    ("/stories/" + quote("Suspicious WMI Use"), ".table"),
    ("/attack", ".matrix"),
    ("/sources", ".table"),
    ("/dashboards", ".main"),
)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_meet_the_rules_of_accessibility(
    chromium: Browser, site: RunningServer, theme: Literal["light", "dark"]
) -> None:
    with chromium.new_context(color_scheme=theme, viewport={"width": 1280, "height": 900}) as made:
        page = made.new_page()
        log_in(page, site.url)
        broken: dict[str, list[str]] = {}
        for path, shown in PAGES:
            page.goto(site.url + path)
            page.wait_for_selector(shown, timeout=20_000)
            page.wait_for_load_state("networkidle")
            results = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]})
            told = [
                f"{v['id']}: {node['html'][:160]}"
                for v in results.response["violations"]
                for node in v["nodes"][:3]
            ]
            if told:
                broken[path] = told
    assert broken == {}


def test_no_page_is_wider_than_a_narrow_window(chromium: Browser, site: RunningServer) -> None:
    with chromium.new_context(viewport={"width": 400, "height": 800}) as made:
        page = made.new_page()
        log_in(page, site.url)
        wide = []
        for path, shown in PAGES:
            page.goto(site.url + path)
            page.wait_for_selector(shown, timeout=20_000)
            if page.evaluate("document.documentElement.scrollWidth") > 400:
                wide.append(path)
    assert wide == []
