"""What was compiled once is used for as long as all that it depends on is the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from escudo.core.catalog import Lookup
from escudo.core.disk_cache import DiskCache
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.detect.kept_searches import KeptSearches
from escudo.detect.screening import Screener
from escudo.engines.duckdb import DuckDBEngine, connect
from escudo.spl.compile import compile_search
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog
from tests.findings.matches import detection

USERS = "index=main | stats count by user | lookup people user output team"
ROWS = [{"user": "a"}, {"user": "b"}, {"user": "a"}]


@dataclass
class World:
    """A catalog, a lookup, a cache; and how often a search was compiled."""

    folder: Path
    compiled: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.catalog = RowsCatalog(self.folder)
        self.catalog.events(ROWS)
        self.people = self.folder / "people.csv"
        self.people.write_text("user,team\na,red\n")
        lookup = Lookup("people", str(self.people), fields=("user", "team"))
        self.knowledge = PlainKnowledge(lookups_by_name={"people": lookup})
        self.cache = DiskCache(self.folder / "cache")

    def run(self, spl: str, *, now: float = NOW) -> list[dict[str, Any]]:
        """The rows as another process would find them, by what is kept."""
        kept = KeptSearches(self.cache, b"world")
        engine = DuckDBEngine(self.catalog, connect(threads=1))
        found = kept.run(
            detection(search=spl), engine, self.catalog, self.knowledge, within=ALL_TIME, now=now
        )
        kept.close()
        rows: list[dict[str, Any]] = found.rows.to_pylist()
        return rows


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)

    def counting(text: str, *args: Any, **options: Any) -> Any:
        made.compiled.append(text)
        return compile_search(text, *args, **options)

    monkeypatch.setattr("escudo.detect.kept_searches.compile_search", counting)
    return made


def test_the_second_run_compiles_nothing_and_finds_the_same(world: World) -> None:
    first = world.run(USERS)
    assert [(r["user"], r["count"], r["team"]) for r in first] == [("a", 2, "red"), ("b", 1, None)]
    assert sorted(first[0]["_event_id"]) == [0, 2]
    assert world.run(USERS) == first
    assert world.compiled == [USERS]


def test_new_events_are_found_by_what_is_kept(world: World) -> None:
    world.run(USERS)
    other = RowsCatalog(world.folder / "other")
    other.folder.mkdir()
    other.events([{"user": "c"}])
    world.catalog = other
    assert [r["user"] for r in world.run(USERS)] == ["c"]
    assert world.compiled == [USERS]


def test_a_lookup_that_changed_is_read(world: World) -> None:
    world.run(USERS)
    world.people.write_text("user,team\na,green\n")
    assert world.run(USERS)[0]["team"] == "green"
    assert world.compiled == [USERS, USERS]


def test_a_table_that_holds_events_only_now_is_read(world: World) -> None:
    own = world.catalog.events([{"user": "z"}], table="more")
    files = world.catalog.paths.pop(own.table)
    assert [r["user"] for r in world.run(USERS)] == ["a", "b"]
    world.catalog.paths[own.table] = files
    assert [r["user"] for r in world.run(USERS)] == ["a", "b", "z"]
    assert world.compiled == [USERS, USERS]


@pytest.mark.parametrize(
    "spl",
    [
        pytest.param("index=main | eval age=now() | table age", id="the clock"),
        pytest.param("index=main [search index=main | fields user] | table user", id="runs"),
        pytest.param("index=main | table user | outputlookup people", id="writes"),
    ],
)
def test_what_holds_for_one_run_is_compiled_each_time(world: World, spl: str) -> None:
    world.run(spl)
    world.run(spl, now=NOW + 60)
    assert world.compiled == [spl, spl]


def test_a_damaged_cache_is_made_again(world: World) -> None:
    first = world.run(USERS)
    (path,) = (world.folder / "cache").iterdir()
    path.write_bytes(path.read_bytes()[:-9])
    assert world.run(USERS) == first
    assert world.run(USERS) == first
    assert world.compiled == [USERS, USERS]


def test_a_mark_of_the_cache_in_a_search_is_only_text(world: World) -> None:
    spl = 'index=main | eval odd="\ufdd00\ufdd0" | stats count by odd'
    assert [r["odd"] for r in world.run(spl)] == ["\ufdd00\ufdd0"]
    assert [r["odd"] for r in world.run(spl)] == ["\ufdd00\ufdd0"]


def test_without_a_cache_nothing_is_kept(world: World) -> None:
    world.cache = DiskCache(None)
    assert world.run(USERS) == world.run(USERS)
    assert world.compiled == [USERS, USERS]


def test_of_a_window_nothing_is_kept(world: World) -> None:
    """A window of a schedule never comes again."""
    screener = Screener(world.cache, b"content")
    engine = DuckDBEngine(world.catalog, connect(threads=1))
    assert screener.keep_searches(world.catalog, engine, ALL_TIME) is not None
    assert screener.keep_searches(world.catalog, engine, TimeRange(NOW, NOW + 60)) is None
