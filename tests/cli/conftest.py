"""Runs the real program as a child process, forked from one that has imported it."""

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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.program import Server

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def escudo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """`escudo(*args)` -> the finished process; text in, text out."""
    with Server() as server:
        yield run_by(server, tmp_path_factory.mktemp("stdin"))


def run_by(server: Server, folder: Path) -> Run:
    """Runs by a server, whose standard input is a file in a folder."""

    def run(*args: object, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
        given = folder / "given"
        given.write_bytes(stdin or b"")
        done = server.run(*args, stdin=given)
        return subprocess.CompletedProcess(args, done.code, done.out, done.err)

    return run


def write_detections(folder: Path, *texts: str) -> Path:
    """Makes a folder content of detections, each the text of a YAML file; returns the folder."""
    (folder / "detections").mkdir(parents=True)
    for number, text in enumerate(texts):
        (folder / "detections" / f"{number}.yml").write_text(text)
    return folder


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
