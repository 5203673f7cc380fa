"""``python -m benchmarks soak --minutes N``: a server under everything at once, for long.

Generated logs come in by HEC and syslog at half the rate that it takes at most, 200 detections of
security_content run every five minutes, three browsers look at pages. At the end every event that
was acknowledged has to be in the lake once, no window of a detection that can run here may have
failed, and memory has to be flat.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlsplit

import click
import pyarrow.parquet as pq
import sqlalchemy as sa
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page, sync_playwright

from benchmarks import inputs
from benchmarks.hunting import pick_content
from benchmarks.serving import (
    ServerStuckError,
    list_processes,
    log_in,
    read_cpu,
    read_memory,
    run_server,
    set_password,
    start_browser,
)
from escudo.core.timerange import ALL_TIME
from escudo.lake import Lake
from escudo.schedule.database import FILE, State
from escudo.schedule.tables import FAILED, WINDOWS
from escudo.serve.accounts.tokens import HEC, Tokens

EVENTS_A_POST = 500
SYSLOG_SHARE = 0.1
"""Of the events those that come by syslog."""

SYSLOG = "by syslog"
"""What events are counted as whose host is one of those that send by it."""

NEVER_RUN = ("SPL300", "SPL318")
"""Errors of detections that need a command or a model of another app: three of the 200, whose
windows fail whatever the server does."""

DETECTIONS = 200
CRON = "*/5 * * * *"
BROWSERS = 3
PAGES = (
    "/",
    "/findings",
    "/risk",
    "/entities",
    "/detections",
    "/sources",
    "/search",
    "/admin/audit",
)
"""What the browsers look at; a page that is not there is passed over."""

MOST_GROWTH = 1.25
"""Of memory, the last quarter against the second one, in a soak of LONG_MINUTES or more."""

LONG_MINUTES = 20.0

_CALIBRATED_SECONDS = 20.0
_SAMPLE_SECONDS = 5.0
_IDLE_SECONDS = 3.0
_DAY = re.compile(r"2024-05-1\d([T ])\d\d:\d\d:\d\d\.\d+")


@dataclass
class Figures:
    """What was counted while it ran. Times are in seconds, memory is in bytes."""

    acknowledged: Counter[str] = field(default_factory=Counter)
    waited: list[float] = field(default_factory=list)
    busy: int = 0
    syslog: int = 0
    loads: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)


@click.command()
@click.option("--minutes", type=click.FloatRange(0.5, 600), default=60.0, show_default=True)
@click.option(
    "--rate",
    type=click.IntRange(1),
    help="Events a second [default: half of what it takes at most, measured first].",
)
@click.option("--browsers", type=click.IntRange(0, 10), default=BROWSERS, show_default=True)
def main(minutes: float, rate: int | None, browsers: int) -> None:
    """Run a server under everything at once, and print figures; exit code 1 where it fails."""
    content = inputs.shared("security_content")
    lines = inputs.generated("evtx-json", 100_000).read_text().splitlines()
    with tempfile.TemporaryDirectory(prefix="escudo-soak-") as name:
        folder = Path(name)
        problems: list[str] = []
        with _note_stuck(problems), _run_server(folder, content) as (process, url, port):
            token = _make_accounts(folder / "lake")
            sender = Sender(url, token, lines)
            if rate is None:
                most = sender.calibrate(_CALIBRATED_SECONDS)
                rate = max(1, int(most / 2))
                click.echo(f"it takes {most:,.0f} events a second at most; half of it is sent")
            figures = sender.figures
            end = time.monotonic() + minutes * 60
            threads = [
                threading.Thread(target=sender.send, args=(rate * (1 - SYSLOG_SHARE), end)),
                threading.Thread(
                    target=send_syslog, args=(port, rate * SYSLOG_SHARE, end, figures)
                ),
                threading.Thread(target=watch_memory, args=(process.pid, end, figures)),
                threading.Thread(target=browse, args=(url, browsers, end, figures)),
            ]
            before = read_cpu(process.pid)
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            cpu = read_cpu(process.pid) - before
        problems += [*figures.problems, *_count_lost(folder / "lake", figures)]
        problems += _list_failed_windows(folder / "lake")
        if minutes >= LONG_MINUTES:
            problems += _judge_memory(figures.memory)
        for row in _describe(figures, folder / "lake", minutes, rate, cpu):
            click.echo(row)
    for problem in problems:
        click.echo(f"FAILED: {problem}")
    if problems:
        raise SystemExit(1)


@contextmanager
def _note_stuck(problems: list[str]) -> Iterator[None]:
    """Has a server that does not end be one of the problems: the figures are there."""
    try:
        yield
    except ServerStuckError as error:
        problems.append(error.message)


@contextmanager
def _run_server(
    folder: Path, content: Path | None
) -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """The server, its URL, and its port of syslog."""
    options = ["--syslog-tcp", "0"]
    if content is not None:
        options += ["--content", str(_choose_content(folder, content))]
    with run_server(folder / "lake", folder / "cache", options) as (process, url, told):
        port = re.search(r"at port (\d+)", told)
        if port is None:
            raise click.ClickException(told)
        yield process, url, int(port[1])


def _choose_content(folder: Path, content: Path) -> Path:
    """Detections of processes, which run every five minutes over the last ten."""
    chosen = pick_content(folder, content, DETECTIONS, r"Sysmon EventID 1\n")
    for file in (chosen / "deployments").glob("*.yml"):
        text = re.sub(r"cron_schedule: .*", f"cron_schedule: '{CRON}'", file.read_text())
        text = re.sub(r"earliest_time: .*", "earliest_time: -10m@m", text)
        file.write_text(re.sub(r"latest_time: .*", "latest_time: now", text))
    return chosen


def _make_accounts(lake: Path) -> str:
    """The browsers' password, and a token of HEC; its secret."""
    set_password(lake)
    with State.open(lake / FILE) as state:
        secret, _ = Tokens(state, clock=time.time).add("soak", kind=HEC, owner="admin")
    return secret


class Sender:
    """Posts by HEC over one connection at a time; what each post brought is known by its source."""

    def __init__(self, url: str, token: str, lines: Sequence[str]) -> None:
        self._at = urlsplit(url)
        self._headers = {"Authorization": f"Splunk {token}"}
        self._lines = cycle(lines)
        self._number = 0
        self._lock = threading.Lock()
        self.figures = Figures()

    def calibrate(self, seconds: float) -> float:
        """Events a second that are taken where nothing else is done but to post them."""
        before = self.figures.acknowledged.total()
        begun = time.monotonic()
        self.send(float("inf"), begun + seconds, connections=4)
        sent = self.figures.acknowledged.total() - before
        self.figures.waited.clear()
        return sent / (time.monotonic() - begun)

    def send(self, rate: float, end: float, *, connections: int = 4) -> None:
        """Posts at a rate until a time of the monotonic clock."""
        threads = [
            threading.Thread(target=self._post_until, args=(rate / connections, end))
            for _ in range(connections)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _post_until(self, rate: float, end: float) -> None:
        connection = http.client.HTTPConnection(self._at.hostname or "", self._at.port, timeout=120)
        due = time.monotonic()
        while time.monotonic() < end:
            name, body = self._make_post()
            while not self._post(connection, name, body):
                time.sleep(0.5)
            due += EVENTS_A_POST / rate
            pause = max(0.0, min(due, end) - time.monotonic())
            if pause > _IDLE_SECONDS:  # the server closes what is idle for five
                connection.close()
            time.sleep(pause)
        connection.close()

    def _make_post(self) -> tuple[str, bytes]:
        with self._lock:
            self._number += 1
            name = f"soak-{self._number}"
            lines = list(islice(self._lines, EVENTS_A_POST))
        moment = datetime.now(UTC).isoformat(timespec="microseconds")[:26]
        events = (
            f'{{"source":"{name}","event":{_DAY.sub(lambda m: _at(moment, m[1]), line)}}}'
            for line in lines
        )
        return name, "".join(events).encode()

    def _post(self, connection: http.client.HTTPConnection, name: str, body: bytes) -> bool:
        """Whether it was acknowledged; one that is told to wait is sent again."""
        begun = time.perf_counter()
        try:
            connection.request("POST", "/services/collector/event", body, self._headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self.figures.problems.append(f"a post failed: {error!r}")
            return True
        with self._lock:
            if answer.status == 503:
                self.figures.busy += 1
                return False
            if answer.status == 200:
                self.figures.acknowledged[name] = EVENTS_A_POST
                self.figures.waited.append(time.perf_counter() - begun)
            else:
                self.figures.problems.append(f"a post was answered {answer.status}: {text}")
        return True


def _at(moment: str, separator: str) -> str:
    return moment.replace("T", separator)


def send_syslog(port: int, rate: float, end: float, figures: Figures) -> None:
    """Sends messages of RFC 5424 over TCP at a rate, each with a number of its own."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        begun, sent = time.monotonic(), 0
        while (now := time.monotonic()) < end:
            wanted = int((now - begun) * rate)
            stamp = datetime.now(UTC).isoformat()
            messages = (
                f"<38>1 {stamp} gate-{number % 20} sshd 4242 - - "
                f"Failed password for invalid user u{number} from 192.0.2.{number % 250} "
                "port 22 ssh2\n"
                for number in range(sent, wanted)
            )
            connection.sendall("".join(messages).encode())
            sent = wanted
            time.sleep(0.2)
    figures.syslog = sent


def watch_memory(pid: int, end: float, figures: Figures) -> None:
    """Samples what the server and its children have in memory."""
    while time.monotonic() < end:
        figures.memory.append(sum(map(read_memory, list_processes(pid))))
        time.sleep(_SAMPLE_SECONDS)


def browse(url: str, browsers: int, end: float, figures: Figures) -> None:
    """Logs in as many browsers, and has each look at one page after the other."""
    if not browsers:
        return
    with sync_playwright() as playwright:
        browser = start_browser(playwright)
        pages = [log_in(browser, url) for _ in range(browsers)]
        for path, page in zip(cycle(PAGES), cycle(pages), strict=False):
            if time.monotonic() > end:
                break
            _load(page, path, figures)
            page.wait_for_timeout(500)
        browser.close()


def _load(page: Page, path: str, figures: Figures) -> None:
    begun = time.perf_counter()
    try:
        answer = page.goto(path)
    except BrowserError as error:
        figures.problems.append(f"{path}: {error.message.splitlines()[0]}")
        return
    if answer is not None and answer.status >= 500:
        figures.problems.append(f"{path} was answered {answer.status}")
    elif answer is not None and answer.ok:
        figures.loads.append(time.perf_counter() - begun)


def _count_lost(lake: Path, figures: Figures) -> Iterator[str]:
    """What of the posts and messages is not in the lake once."""
    counts = _count_by_source(lake)
    wrong = {
        name: (counts.get(name, 0), sent)
        for name, sent in figures.acknowledged.items()
        if counts.get(name, 0) != sent
    }
    if wrong:
        some = dict(list(wrong.items())[:5])
        yield f"{len(wrong)} posts are not there once: {some}"
    others = {name: n for name, n in counts.items() if not name.startswith("soak-")}
    if others.pop(SYSLOG, 0) != figures.syslog:
        there = counts.get(SYSLOG, 0)
        yield f"of {figures.syslog:,} messages by syslog {there:,} are there (others: {others})"


def _count_by_source(lake: Path) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    with Lake.open(lake, create=False) as opened:
        snapshot = opened.snapshot()
        for schema in snapshot.raw_tables():
            if schema.table in ("risk", "notable", "stash"):
                continue
            for file in snapshot.files(schema.table, ALL_TIME):
                rows = pq.read_table(file, columns=["source", "host"])
                for row in (
                    rows.group_by(["source", "host"]).aggregate([([], "count_all")]).to_pylist()
                ):
                    gate = (row["host"] or "").startswith("gate-")
                    counts[SYSLOG if gate else row["source"] or ""] += row["count_all"]
    return counts


def _judge_memory(memory: Sequence[int]) -> Iterator[str]:
    quarter = len(memory) // 4
    second, last = median(memory[quarter : 2 * quarter]), median(memory[-quarter:])
    if last > second * MOST_GROWTH:
        yield f"memory grew from {second / 1e6:,.0f} to {last / 1e6:,.0f} MB"


def _describe(figures: Figures, lake: Path, minutes: float, rate: int, cpu: float) -> Iterator[str]:
    sent = figures.acknowledged.total()
    yield f"| minutes | {minutes:,.1f} |"
    yield f"| events a second, asked for | {rate:,} |"
    yield f"| events acknowledged by HEC | {sent:,} in {len(figures.acknowledged):,} posts |"
    yield f"| posts told to wait (503) | {figures.busy:,} |"
    yield f"| acknowledge s, median and p99 | {_describe_times(figures.waited)} |"
    yield f"| messages by syslog | {figures.syslog:,} |"
    yield f"| pages loaded, s, median and p99 | {_describe_times(figures.loads)} |"
    yield f"| windows of detections | {_describe_windows(lake)} |"
    quarter = max(1, len(figures.memory) // 4)
    parts = [figures.memory[i * quarter : (i + 1) * quarter] for i in range(4)]
    told = ", ".join(f"{median(part) / 1e6:,.0f}" for part in parts if part)
    yield f"| memory MB, median of each quarter | {told} |"
    yield f"| CPU s of the server | {cpu:,.0f} of {minutes * 60 * (os.cpu_count() or 1):,.0f} |"


def _describe_times(times: Sequence[float]) -> str:
    if len(times) < 2:
        return f"{len(times)} measured"
    return f"{median(times):.2f}, {quantiles(times, n=100)[98]:.2f} ({len(times):,} measured)"


def _list_failed_windows(lake: Path) -> Iterator[str]:
    error = (WINDOWS.c.code, WINDOWS.c.error)
    unexpected = (WINDOWS.c.state == FAILED) & sa.func.coalesce(WINDOWS.c.code, "").not_in(
        NEVER_RUN
    )
    query = sa.select(*error, sa.func.count()).where(unexpected).group_by(*error)
    with State.open(lake / FILE) as state, state.read() as connection:
        rows = connection.execute(query).all()
    for code, text, windows in rows:
        yield f"{windows} windows of detections failed: {code} {text}"


def _describe_windows(lake: Path) -> str:
    query = sa.select(WINDOWS.c.state, sa.func.count()).group_by(WINDOWS.c.state)
    with State.open(lake / FILE) as state, state.read() as connection:
        rows = connection.execute(query).all()
    return ", ".join(json.dumps({name: number})[1:-1] for name, number in rows) or "none"


if __name__ == "__main__":
    main()
