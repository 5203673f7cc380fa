"""The reference pages are what the code says, and nothing is left out of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import pytest
from docs.build import HERE, PAGES, code_tables
from docs.command_pages import describe, examples

from escudo.cli import COMMANDS as CLI_COMMANDS
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.commands import COMMANDS
from escudo.spl.functions import eval_functions, stats_functions
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import choice_option, integer_option
from tests.conformance.cases import Case, names_by_command
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


def test_every_command_is_in_the_index_and_has_a_page() -> None:
    index = PAGES["commands.md"]()
    missing = [n for n in COMMANDS if f"[{n}](" not in index and f"`{n}`" not in index]
    assert missing == []
    pages = {f"commands/{path.name}" for path in (HERE / "commands").glob("*.md")}
    assert pages == {n for n in PAGES if n.startswith("commands/")}


@pytest.mark.parametrize("name", names_by_command())
def test_a_page_of_a_command_shows_its_syntax_and_what_it_gives(name: str) -> None:
    page = PAGES[f"commands/{name}.md"]()
    assert "## Syntax\n" in page
    assert "## Examples\n" in page or "## Refused\n" in page


@dataclass(frozen=True)
class Shorten(Command):
    """``shorten [options] field``.

    Counts characters.

    Differs from Splunk: there is no such command.

    Refused: a field that
    is a list.
    """

    name: ClassVar[str] = "shorten"
    limit: int = integer_option(10, "How many characters stay.", least=1)
    side: str = choice_option(("left", "right"), "left", "Which ones, ``left`` or not.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        raise NotImplementedError

    def format(self) -> str:
        raise NotImplementedError

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise NotImplementedError


def test_options_and_sections_come_from_the_class() -> None:
    case = Case("commands/shorten", "a field", "", spl="shorten a", rows=({"a": "x|y"},))
    case = replace(case, expect=({"a": ["x", ""], "b": None}, {"a": None, "b": 1.5}))
    refused = Case("commands/shorten", "no field", "", spl="shorten", error="SPL102")
    page = describe(Shorten, ["shorten", "cut"], [case, refused], code_tables()["spl"])
    assert page.splitlines() == [
        "## Syntax",
        "",
        "`shorten [options] field`.",
        "",
        "Counts characters.",
        "",
        "Also: `cut`.",
        "",
        "## Options",
        "",
        "| option | takes | default | what it does |",
        "| --- | --- | --- | --- |",
        "| `limit` | a number of at least 1 | `10` | How many characters stay. |",
        "| `side` | left or right | `left` | Which ones, `left` or not. |",
        "",
        "## Examples",
        "",
        "### A field",
        "",
        "```",
        "shorten a",
        "```",
        "",
        "Events:",
        "",
        "| `a` |",
        "| --- |",
        "| `x\\|y` |",
        "",
        "Result:",
        "",
        "| `a` | `b` |",
        "| --- | --- |",
        '| `x`, "" | |',
        "| | `1.5` |",
        "",
        "## Differs from Splunk",
        "",
        "There is no such command.",
        "",
        "## Refused",
        "",
        "A field that",
        "is a list.",
        "",
        "| search | error | what it is |",
        "| --- | --- | --- |",
        f"| `shorten` | [SPL102](../errors.md#spl102) | {code_tables()['spl']['SPL102'].title} |",
    ]


def test_examples_are_those_marked_or_the_first_short_ones() -> None:
    case = Case("f", "n", "", spl="head 1", rows=({"a": "x"},), expect=({"a": "x"},))
    long = replace(case, name="long", spl="head 1 " * 50)
    wrong = replace(case, name="wrong", expect=(), error="SPL102")
    several = [replace(case, name=name) for name in "abcd"]
    assert [c.name for c in examples([long, wrong, *several])] == ["a", "b", "c"]
    assert [c.name for c in examples([*several, replace(long, doc=True)])] == ["long"]


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


@pytest.mark.parametrize("page", sorted(HERE.rglob("*.md")), ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in _links(page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} -> {target}"


def test_each_word_of_the_glossary_is_explained_once_and_links_to_its_place() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (HERE / "glossary.md").read_text("utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| word ")
    ]
    words = [row[0] for row in rows]
    assert len(words) == len(set(words))
    assert {"relation", "evidence", "family", "shape", "dataset", "ledger", "finding"} <= set(words)
    for word, meaning, where in rows:
        assert meaning.endswith("."), word
        targets = _links(where)
        assert targets, word
        assert all((HERE / target).exists() for target in targets), word


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
