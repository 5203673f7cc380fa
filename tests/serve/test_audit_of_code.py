"""bandit over the server: nothing of medium severity or more (``make audit``: all of Escudo)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_bandit_finds_nothing_in_the_server() -> None:
    command = [sys.executable, "-m", "bandit", "-q", "-ll", "-c", str(ROOT / "pyproject.toml")]
    done = subprocess.run(
        [*command, "-r", str(ROOT / "src/escudo/serve"), str(ROOT / "src/escudo/triage")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
