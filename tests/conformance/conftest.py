"""Which cases of a file run: all, or with ``--case TEXT`` those whose names have the text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import pytest

from tests.conformance.cases import Case

Choose: TypeAlias = Callable[[str, Sequence[Case]], list[Case]]
"""A file's name, cases -> those of the file that run; the test is skipped where none does."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--case", default="", metavar="TEXT", help="only conformance cases whose name has this text"
    )


@pytest.fixture
def choose(request: pytest.FixtureRequest) -> Choose:
    wanted: str = request.config.getoption("--case", default="")

    def choose_of(file: str, cases: Sequence[Case]) -> list[Case]:
        chosen = [c for c in cases if c.file == file and wanted.lower() in c.name.lower()]
        if not chosen:
            pytest.skip(f"no case has {wanted!r} in its name")
        return chosen

    return choose_of
