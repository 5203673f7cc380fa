"""The reference pages are what the code says, and nothing is left out of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.build import HERE, PAGES, code_tables

from escudo.cli import COMMANDS as CLI_COMMANDS
from escudo.spl.commands import COMMANDS
from escudo.spl.functions import eval_functions, stats_functions
from tests.families import FAMILIES

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_current(name: str) -> None:
    page = HERE / name
    assert page.exists(), "run `make docs`"
    assert page.read_text("utf-8") == PAGES[name](), "run `make docs`"


def test_every_error_code_is_documented() -> None:
    page = PAGES["errors.md"]()
    codes = [code for table in code_tables().values() for code in table]
    assert len(codes) == len(set(codes))
    assert [c for c in codes if f"### {c}\n" not in page] == []


def test_every_raised_code_is_declared() -> None:
    declared = {code for table in code_tables().values() for code in table}
    prefixes = sorted({code[:3] for code in declared})
    used: dict[str, str] = {}
    for file in sorted((ROOT / "src" / "escudo").rglob("*.py")):
        if file.name == "codes.py":
            continue
        for code in _codes_in(file.read_text("utf-8"), prefixes):
            used.setdefault(code, str(file.relative_to(ROOT)))
    assert {c: f for c, f in used.items() if c not in declared} == {}


def test_every_command_is_documented() -> None:
    page = PAGES["commands.md"]()
    missing = [n for n in COMMANDS if f"## {n}\n" not in page and f"`{n}`" not in page]
    assert missing == []


def test_every_function_is_documented() -> None:
    page = PAGES["functions.md"]()
    names = [
        *eval_functions,
        *(f"{n}N" if f.takes_number else n for n, f in stats_functions.items()),
    ]
    assert [n for n in names if f"| `{n}` |" not in page] == []


def test_every_source_is_documented() -> None:
    page = PAGES["sources.md"]()
    assert [n for n in FAMILIES if f"`{n}`" not in page] == []


def test_every_command_of_the_command_line_is_documented() -> None:
    page = PAGES["cli.md"]()
    assert [n for n in CLI_COMMANDS if f"## escudo {n}\n" not in page] == []


@pytest.mark.parametrize("page", sorted(HERE.glob("*.md")), ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in _links(page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} -> {target}"


def test_every_page_is_in_the_index() -> None:
    index = _links((HERE / "README.md").read_text("utf-8"))
    assert {p.name for p in HERE.glob("*.md")} - {"README.md"} <= set(index)


def _codes_in(text: str, prefixes: list[str]) -> set[str]:
    quoted = text.split('"')
    return {t for t in quoted if len(t) == 6 and t[:3] in prefixes and t[3:].isdigit()}


def _links(text: str) -> list[str]:
    targets = [part.split(")")[0] for part in text.split("](")[1:]]
    files = [t.split("#")[0] for t in targets if "://" not in t]
    return [t for t in files if t]
