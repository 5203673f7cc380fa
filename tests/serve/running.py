"""A server as users start it: the real command, in a process of its own, on a port that is free."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

T = TypeVar("T")

START_SECONDS = 120
PASSWORD = "a sentence for tests"


@dataclass
class RunningServer:
    """``first_password`` is None where the state had users; ``told`` is all of standard error."""

    url: str
    lake: Path
    process: subprocess.Popen[str]
    first_password: str | None
    told: list[str] = field(default_factory=list)

    def client(self, name: str = "admin", password: str = PASSWORD) -> httpx.Client:
        """A client that gives a name and a password with each request."""
        return httpx.Client(base_url=self.url, auth=(name, password), verify=False, timeout=60)

    def end(self) -> None:
        """Ends it as ``systemctl stop`` does."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """What some work comes to, in a thread of its own: a browser's loop keeps this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def follow_start(process: subprocess.Popen[str]) -> tuple[str, list[str]]:
    """Waits until a server says its URL; gives it, and all that it says, a list that grows."""
    told: list[str] = []
    ready = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            told.append(line)
            if line.startswith("serving at "):
                ready.set()
        ready.set()

    threading.Thread(target=read, daemon=True).start()
    assert ready.wait(START_SECONDS), "".join(told)
    url = re.search(r"serving at (\S+)", "".join(told))
    assert url is not None, "".join(told)
    return url[1], told


@contextmanager
def run_server(lake: Path, options: Sequence[str] = ()) -> Iterator[RunningServer]:
    """``escudo serve`` over a lake, until the block ends."""
    command = [sys.executable, "-m", "escudo.cli", "serve", "--lake", str(lake), "--port", "0"]
    process = subprocess.Popen(
        [*command, *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={k: v for k, v in os.environ.items() if k != "PYTHONWARNINGS"},
    )
    try:
        url, told = follow_start(process)
        text = "".join(told)
        first = re.search(r"password (\S+) \(told", text)
        yield RunningServer(url, lake, process, first[1] if first else None, told)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(60)
