"""docs/cim.md is what the definitions say."""

from __future__ import annotations

from pathlib import Path

from escudo.cim.document import build_page
from escudo.cim.models import load
from tests.families import FAMILIES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cim.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == build_page(load(), FAMILIES), "run `make docs`"
