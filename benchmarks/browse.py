"""``python -m benchmarks browse --rows N``: searches over a large lake, from the key that runs them
to the first rows in a browser, and how soon one that is stopped has stopped."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from urllib.parse import quote

import click
from playwright.sync_api import Page, sync_playwright

from benchmarks.hunting import copy_lake
from benchmarks.search import large_lake
from benchmarks.serving import (
    list_processes,
    log_in,
    read_cpu,
    run_server,
    set_password,
    start_browser,
)

EVENT, ROW = ".event", ".result-table tbody tr"
SEARCHES = (
    ("all events, the newest first", "index=*", EVENT),
    ("of one host", "index=* host=DC01*", EVENT),
    ("a word in text, seldom there", 'index=* CommandLine="*wmic*process*call*create*"', EVENT),
    (
        "processes of a parent",
        '| from datamodel:"Endpoint.Processes" | search parent_process_name=wmiprvse.exe',
        ROW,
    ),
    ("count by host", "index=* | stats count by host", ROW),
    (
        "count by process, of the data model",
        "| tstats count from datamodel=Endpoint.Processes by Processes.process_name",
        ROW,
    ),
)
STOPPED = "index=* | stats dc(_raw) as n by host, sourcetype, EventID, _time"
"""Takes long: it is stopped."""

_AFTER = 2.0
"""Seconds after a stop in which the server is to do nothing for the search."""


@click.command()
@click.option("--rows", type=click.IntRange(1), default=10_000_000, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
def main(rows: int, rounds: int) -> None:
    """Print seconds from the key to the first rows; exit code 1 where a stop stops nothing."""
    with tempfile.TemporaryDirectory(prefix="escudo-browse-", dir=large_lake(rows).parent) as name:
        lake = copy_lake(Path(name), rows, 0)
        with (
            run_server(lake, Path(name) / "cache") as (process, url, _),
            sync_playwright() as playwright,
        ):
            set_password(lake)
            page = log_in(start_browser(playwright), url)
            click.echo("| search | seconds to the first rows (median) | range |")
            click.echo("|---|---:|---:|")
            for title, search, shown in SEARCHES:
                took = [_run(page, search, shown) for _ in range(rounds)]
                span = f"{min(took):.2f}-{max(took):.2f}"
                click.echo(f"| {title} | {median(took):.2f} | {span} |")
            before, after = _stop(page, process.pid)
    click.echo(
        f"a search that is stopped: {before:.2f} s of CPU a second before, {after:.2f} after"
    )
    if after > 0.2:
        raise SystemExit("FAILED: it goes on after it was stopped")


def _run(page: Page, search: str, shown: str) -> float:
    """Seconds from the key to the first rows. All time is searched."""
    _open(page, search)
    begun = time.perf_counter()
    page.keyboard.press("Control+Enter")
    page.locator(shown).first.wait_for()
    return time.perf_counter() - begun


def _open(page: Page, search: str) -> None:
    """The page with nothing found, and a search that is written and not run."""
    page.goto(f"/search?q={quote('index=none')}")
    page.locator(".empty h3").first.wait_for()
    page.click(".cm-content")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(search)


def _stop(page: Page, server: int) -> tuple[float, float]:
    """Processor seconds that the server uses a second, before a search is stopped and after."""
    _open(page, STOPPED)
    page.keyboard.press("Control+Enter")
    stop = page.locator("button", has_text="Stop")
    stop.wait_for()
    before = _measure_cpu(server, 1.0)
    stop.click()
    stop.wait_for(state="hidden")
    return before, _measure_cpu(server, _AFTER)


def _measure_cpu(server: int, seconds: float) -> float:
    used = {pid: read_cpu(pid) for pid in list_processes(server)}
    time.sleep(seconds)
    return sum(max(0.0, read_cpu(pid) - before) for pid, before in used.items()) / seconds


if __name__ == "__main__":
    main()
