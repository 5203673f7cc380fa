"""Runs the real console script as a child process."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def escudo() -> Run:
    """`escudo(*args)` -> the finished process; text in, text out."""

    def run(*args: object, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "escudo.cli", *map(str, args)],
            input=stdin,
            capture_output=True,
            env={**os.environ, "COLUMNS": "200"},
            check=False,
            timeout=600,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return run


_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def run_on_terminal(columns: int, lines: int, *args: object) -> tuple[int, list[str]]:
    """`escudo(*args)` with its standard output on a terminal of a size -> exit code, and the lines
    that it shows, without their colours. There is no pager."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    unsized = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    child = subprocess.Popen(
        [sys.executable, "-m", "escudo.cli", *map(str, args)],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**unsized, "TERM": "xterm-256color", "PAGER": "cat"},
    )
    os.close(theirs)
    shown = bytearray()
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux' word for the end of it
            break
        if not part:
            break
        shown += part
    os.close(ours)
    code = child.wait(timeout=60)
    return code, _CONTROL.sub("", shown.decode()).replace("\r", "").splitlines()


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line]
