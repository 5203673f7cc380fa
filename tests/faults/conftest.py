"""What the tests of faults share: the preloaded library, and the process that forks runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program import Server

LONG = os.environ.get("ESCUDO_FAULTS") == "long"


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``faults.c``, compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or not os.path.exists("/proc/self/fd"):
        pytest.skip("needs a C compiler, and Linux")
    made = tmp_path_factory.mktemp("library") / "faults.so"
    source = Path(__file__).with_name("faults.c")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(source), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the C compiler cannot make a library: {done.stderr.strip()[:200]}")
    return made


@pytest.fixture(scope="session")
def server(library: Path) -> Iterator[Server]:
    """Runs of the program that can be disturbed."""
    with Server(library) as made:
        yield made


@pytest.fixture(scope="session")
def plain_server() -> Iterator[Server]:
    """Runs of the program, where no compiler is needed."""
    with Server() as made:
        yield made
