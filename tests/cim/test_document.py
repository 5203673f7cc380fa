"""docs/cim.md is what the definitions say."""

from __future__ import annotations

from pathlib import Path

from escudo.cim.document import markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cim.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == markdown(), "run `make docs`"
