"""Runs the real console script as a child process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
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


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line]
