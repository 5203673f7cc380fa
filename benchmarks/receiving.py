"""``escudo serve`` while shippers post by HEC, the scheduler running: events a second, and how long
an acknowledgement takes."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

from escudo.lake import Lake
from escudo.schedule.database import FILE, State
from escudo.serve.accounts.tokens import HEC, Tokens

_WARM_EVENTS = 200
"""Events that are posted before the clock runs: libraries are loaded, tables made."""
_ASK_SECONDS = 0.2
_BUSY_SECONDS = 0.2


def post_events(
    folder: Path,
    *,
    source: str,
    connections: int,
    events_a_post: int,
    acks: bool = False,
    schedule: bool = True,
) -> dict[str, Any]:
    """Posts a log's lines as events, over some connections at once, until all are acknowledged:
    by the answer to the post, or (``acks``) by an id that is asked for.

    The processor's seconds are those of the server alone; what sends takes a part of the same
    processors. Every event has to be in the lake at the end.
    """
    lines = Path(source).read_text().splitlines()
    posts = list(_make_posts(lines, events_a_post))
    lake = folder / "lake"
    command = [sys.executable, "-m", "escudo.cli", "serve", "--lake", str(lake), "--port", "0"]
    command += ["--schedule" if schedule else "--no-schedule"]
    environment = {**os.environ, "ESCUDO_CACHE": str(folder / "cache")}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stderr is not None
        url = next(line.split()[2] for line in process.stderr if line.startswith("serving at "))
        threading.Thread(target=process.stderr.read, daemon=True).start()
        with State.open(lake / FILE) as state:
            token, _ = Tokens(state, clock=time.time).add(
                "bench", kind=HEC, owner="admin", settings={"useACK": acks}
            )
        warm = list(_make_posts(lines[:_WARM_EVENTS], _WARM_EVENTS))
        _Sending(url, token, warm, acks=acks).run(1)
        before = _cpu_of(process.pid)
        sending = _Sending(url, token, posts, acks=acks)
        begun = time.perf_counter()
        sending.run(connections)
        seconds = time.perf_counter() - begun
        cpu = _cpu_of(process.pid) - before
    finally:
        process.terminate()
        process.wait()
    waited = sorted(sending.waited)
    return {
        "rows": _count_events(lake) - min(_WARM_EVENTS, len(lines)),
        "seconds": seconds,
        "cpu": cpu,
        "details": {
            "events a second": len(lines) / seconds,
            "posts": len(posts),
            "median acknowledge s": median(waited),
            "p99 acknowledge s": quantiles(waited, n=100)[98] if len(waited) > 1 else waited[0],
            "commits": _count_commits(lake),
        },
    }


def _make_posts(lines: Sequence[str], size: int) -> Iterator[bytes]:
    """JSON lines as events that are objects, others as texts."""
    rest = iter(lines)
    while some := list(islice(rest, size)):
        events = (line if line.startswith("{") else json.dumps(line) for line in some)
        yield "".join(f'{{"event":{event}}}' for event in events).encode()


class _Sending:
    """Posts, each by the connection that is free."""

    def __init__(self, url: str, token: str, posts: Sequence[bytes], *, acks: bool) -> None:
        self._at = urlsplit(url)
        self._acks = acks
        self._headers = {"Authorization": f"Splunk {token}"}
        if acks:
            self._headers["X-Splunk-Request-Channel"] = str(uuid.uuid4())
        self._posts = iter(posts)
        self._lock = threading.Lock()
        self._failed: list[str] = []
        self._waiting: dict[int, float] = {}
        self.waited: list[float] = []

    def run(self, connections: int) -> None:
        threads = [threading.Thread(target=self._send) for _ in range(connections)]
        for thread in threads:
            thread.start()
        if self._acks:
            self._ask(threads)
        for thread in threads:
            thread.join()
        if self._failed:
            raise RuntimeError(self._failed[0])

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._at.hostname or "", self._at.port)

    def _send(self) -> None:
        connection = self._connect()
        while not self._failed:
            with self._lock:
                body = next(self._posts, None)
            if body is None:
                break
            begun = time.perf_counter()
            status, answer = self._post(connection, "event", body)
            while status == 503:
                time.sleep(_BUSY_SECONDS)
                status, answer = self._post(connection, "event", body)
            if status != 200:
                self._failed.append(str(answer))
            elif self._acks:
                with self._lock:
                    self._waiting[answer["ackId"]] = begun
            else:
                self.waited.append(time.perf_counter() - begun)
        connection.close()

    def _ask(self, threads: Sequence[threading.Thread]) -> None:
        """Asks for acknowledgements until all are there."""
        connection = self._connect()
        while not self._failed and (self._waiting or any(t.is_alive() for t in threads)):
            time.sleep(_ASK_SECONDS)
            with self._lock:
                numbers = [*self._waiting]
            body = json.dumps({"acks": numbers}).encode()
            _, answer = self._post(connection, "ack", body)
            now = time.perf_counter()
            with self._lock:
                done = [int(number) for number, is_done in answer["acks"].items() if is_done]
                self.waited += [now - self._waiting.pop(number) for number in done]
        connection.close()

    def _post(
        self, connection: http.client.HTTPConnection, path: str, body: bytes
    ) -> tuple[int, dict[str, Any]]:
        connection.request("POST", f"/services/collector/{path}", body, self._headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def _cpu_of(pid: int) -> float:
    """Processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _count_events(lake: Path) -> int:
    with Lake.open(lake, create=False) as opened:
        snapshot = opened.snapshot()
        return sum(
            file.rows
            for schema in snapshot.raw_tables()
            if schema.table not in ("notable", "stash")
            for file in snapshot.data_files(schema.table)
        )


def _count_commits(lake: Path) -> int:
    with Lake.open(lake, create=False) as opened:
        return opened.ledger.head().id
