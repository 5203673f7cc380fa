"""The tutorial's commands, run in their order in an empty folder: exit codes and what they print.

A fenced block ``sh`` is run; ``exit=1`` after it is the exit code. Each line of the block ``text``
that follows must be in what was printed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from docs.build import HERE

from escudo.content import load
from tests.detection_tests import run_all_tests

PAGE = HERE / "tutorial.md"
_BLOCK = re.compile(r"^```(sh|text)(?: exit=(\d+))?\n(.*?)^```$", re.M | re.S)


@dataclass
class Step:
    """A block of commands with the exit code it must have, and lines that it must print."""

    commands: str
    code: int
    lines: list[str]


def steps(page: str) -> Iterator[Step]:
    """The blocks of a page, in their order."""
    step: Step | None = None
    for kind, code, body in _BLOCK.findall(page):
        if kind == "sh":
            if step is not None:
                yield step
            step = Step(body, int(code or 0), [])
        else:
            assert step is not None, "text before the first commands"
            step.lines += body.splitlines()
    assert step is not None
    yield step


def test_steps_of_a_page() -> None:
    page = "a\n```sh\none\n```\nb\n```sh exit=1\ntwo\n```\n```text\nx\ny\n```\n```text\nz\n```\n"
    assert list(steps(page)) == [Step("one\n", 0, []), Step("two\n", 1, ["x", "y", "z"])]


@pytest.mark.slow
def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    work = tmp_path / "work"
    programs.mkdir()
    work.mkdir()
    escudo = programs / "escudo"
    escudo.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m escudo.cli "$@"\n', "utf-8")
    escudo.chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "200"}
    for step in steps(PAGE.read_text("utf-8")):
        done = subprocess.run(
            ["bash", "-e", "-c", step.commands],
            cwd=work,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == step.code, f"{step.commands}\n{done.stdout}"
        missing = [line for line in step.lines if line not in done.stdout]
        assert missing == [], f"{step.commands}\n{done.stdout}"
    assert results_of_tests(work) == [
        ("Whoami Below a Shell", "finds the question", True),
        ("Whoami Below a Shell", "leaves other programs below a shell alone", True),
    ]


def results_of_tests(folder: Path) -> list[tuple[str, str, bool]]:
    """Detection, test, and whether it passed, for all tests of the content that was written."""
    content = load([folder / "content"])
    own = [d for d in content.detections if str(folder) in d.origin.file]
    return [(r.detection.name, r.test.name, r.passed) for r in run_all_tests(own, content)]
