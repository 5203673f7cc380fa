"""However a table is asked, as many rows meet a need as the search finds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from escudo import content
from escudo.core.timerange import ALL_TIME
from escudo.detect import screening, table_needs
from escudo.detect.screening import Filled, count_needs, screen_detection
from escudo.detect.table_needs import Asking, Sign, TableNeed, has_any
from escudo.engines.execute import run_search
from tests.conformance.catalog import NOW, RowsCatalog
from tests.shared_engine import engine_over

OWN = content.load()
ANY = OWN.detection("Process Execution via WMI")
PROGRAMS = ("net use", "WhoAmI /all", "cmd /c dir", "reg query HKLM")
ROWS = [
    {
        "_time": NOW - n,
        "a": f"{PROGRAMS[n % 4]} {n}",
        "b": f"x{n % 3}.exe" if n > 9 else "q.exe",
        "c": None if n % 5 else f"C{n % 10}",
        "action": "allowed" if n % 20 else ("blocked" if n % 40 else None),
    }
    for n in range(2_000)
]
SEARCHES = (
    *(f'index=* a="*{text}*"' for text in (" 77", "use 1000", "/all 5", "nothing", "1999")),
    *(f'index=* b={name} a="*{text}*"' for name in ("q.exe", "x1.exe") for text in PROGRAMS),
    "index=* b=q.exe OR a=*query*1",
    "index=* NOT a=*net*",
    'index=* (a="*use 4*" OR b=z)',
    "index=* a=*whoami* a=*1234*",
    "index=* c=c5 a=*net*",
    "index=* action=blocked a=*reg*",
    "index=* action=blocked a=*all*",
    "index=* action=blocked NOT c=*",
    "index=* NOT action=* a=*net*",
    "index=* action=failure a=*net*",
    'index=* a IN ("net use 0", "net use 4", "none")',
    'index=* | eval d=a." ".b | search d="*use 8 x*"',
)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> RowsCatalog:
    made = RowsCatalog(tmp_path_factory.mktemp("rows"))
    made.events(ROWS)
    return made


@pytest.fixture(scope="module")
def found(catalog: RowsCatalog) -> list[int]:
    engine = engine_over(catalog)
    return [
        run_search(search, engine, catalog, OWN.knowledge, now=NOW).table.num_rows
        for search in SEARCHES
    ]


def count(catalog: RowsCatalog) -> list[int]:
    """How many rows meet what each search needs."""
    engine, filled = engine_over(catalog), Filled.of(catalog)
    screens = [
        screen_detection(replace(ANY, search=s), filled, engine, OWN.knowledge, NOW)
        for s in SEARCHES
    ]
    counts = count_needs(screens, catalog, engine, ALL_TIME)
    return [sum(counts[need] for group in screen.needs for need in group) for screen in screens]


WAYS = {
    "little": {},
    "few rows": {"LITTLE_BYTES": 0},
    "large": {"LITTLE_BYTES": 0, "FEWEST_SIGNED": 2, "FEWEST_TRIED": 2, "ONE_OF": 3},
    "large, some files": {
        "LITTLE_BYTES": 0, "FEWEST_SIGNED": 2, "FEWEST_TRIED": 2, "ONE_OF": 3, "MOST_NARROW": 1,
        "MOST_SIGNED": 0.05,
    },
    "without narrow columns": {
        "LITTLE_BYTES": 0, "FEWEST_SIGNED": 2, "FEWEST_TRIED": 2, "ONE_OF": 3, "MOST_TUPLES": 0,
    },
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_as_many_rows_as_the_search_finds(
    way: str, catalog: RowsCatalog, found: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(set(found)) > 8
    for name, value in WAYS[way].items():
        monkeypatch.setattr(table_needs, name, value)
        if name == "LITTLE_BYTES":
            monkeypatch.setattr(screening, name, value)
    assert count(catalog) == found


def test_of_what_very_many_meet_some_are_counted(
    catalog: RowsCatalog, found: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**WAYS["large"], "MANY_TRIED": 10, "MANY": 30}.items():
        monkeypatch.setattr(table_needs, name, value)
    monkeypatch.setattr(screening, "LITTLE_BYTES", 0)
    counted = count(catalog)
    assert counted != found
    assert counted == [pytest.approx(n, rel=0.2, abs=0 if n < 40 else 10) for n in found]


@pytest.mark.parametrize("way", ["large", "large, some files"])
def test_in_a_large_table_few_needs_are_asked_of_all_rows(
    way: str, catalog: RowsCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def ask(self: Asking, needs: list[TableNeed], where: object = None) -> dict[TableNeed, int]:
        asked.extend([where is None] * len(needs))
        return own(self, needs, where)  # type: ignore[arg-type]

    own = Asking._ask
    monkeypatch.setattr(Asking, "_ask", ask)
    for name, value in WAYS[way].items():
        monkeypatch.setattr(table_needs, name, value)
    monkeypatch.setattr(screening, "LITTLE_BYTES", 0)
    count(catalog)
    assert asked.count(True) < asked.count(False)


def test_signs_that_are_asked_together() -> None:
    engine = engine_over(RowsCatalog(Path("none")))
    signs = [
        Sign('"a"', "net", whole=False, folded=True, stored="a"),
        Sign('"a"', "USE", whole=False, folded=False, stored="a"),
        Sign('"a"', "whole", whole=True, folded=True, stored="a"),
        Sign('"a"', "é", whole=False, folded=True, stored="a"),
        Sign('"b"', "x", whole=True, folded=False, stored="a"),
        Sign('"b"', "y", whole=True, folded=False, stored="a"),
    ]
    sought = "(?i:net|USE|\\Awhole\\z)|İ|\N{KELVIN SIGN}"
    assert engine.fragment(has_any(signs, engine)) == (
        f"(\"b\" IN ('x', 'y')) OR REGEXP_MATCHES(\"a\", '{sought}') OR CONTAINS(LOWER(\"a\"), 'é')"
    )
