"""What a search needs of the tables: a hunt leaves out one whose needs are not there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from escudo import content
from escudo.core.catalog import Lookup
from escudo.core.disk_cache import DiskCache
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.detect import run_detections
from escudo.detect.screening import (
    NARROW,
    Filled,
    Screen,
    Screened,
    Screener,
    count_needs,
    screen_detection,
)
from escudo.engines.execute import run_search
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog
from tests.shared_engine import engine_over

OWN = content.load()
ANY = OWN.detection("Process Execution via WMI")


@pytest.fixture
def catalog(tmp_path: Path) -> RowsCatalog:
    made = RowsCatalog(tmp_path)
    made.events(
        [
            {"_time": NOW - 60, "a": "Net.exe", "b": "3", "action": "allowed"},
            {"_time": NOW - 7200, "a": "cmd.exe", "b": "5", "action": "blocked"},
        ]
    )
    return made


def screen(search: str, catalog: RowsCatalog) -> Screen:
    engine = engine_over(catalog)
    asked = replace(ANY, search=search)
    return screen_detection(asked, Filled.of(catalog), engine, OWN.knowledge, NOW)


def may_find(search: str, catalog: RowsCatalog, within: TimeRange = ALL_TIME) -> bool:
    screens = [screen(search, catalog)]
    counts = count_needs(screens, catalog, engine_over(catalog), within)
    return Screened(screens, counts).ruled_out == [None]


RULED_OUT = (
    "index=* a=other.exe",
    "index=* a=net.exe b=5",
    "index=* a=net.exe | where b > 4",
    "index=* | eval c=b*2 | search c=7",
    'index=* | rename a AS x | where like(x, "p%")',
    "index=* action=dropped | transaction a | where eventcount > 1",
    "index=* action=dropped | fillnull | spath input=a | stats count BY a",
    "index=* a=x | append [search index=* b=9]",
    "index=* NOT a=*",
    "index=* a=net.exe | search NOT (b=3 OR action=allowed)",
    "index=* a=x OR (a=cmd.exe b=3)",
    "index=* a=x | stats count BY b | sort - count | table b",
    "index=* a=x | foreach b* [eval c=<<FIELD>>] | where c > 1",
    'index=* a=x | map search="search index=* b=$b$"',
    "index=* | stats count BY a | where count > 100",
    "index=* | stats dc(b) AS n BY a | where n >= 10 AND a!=z",
    "index=* | stats count BY a, b | rename count AS n | stats count BY a | search count>20",
    "| mstats avg(cpu.*) WHERE index=metrics a=x BY a",
    "index=* a=net.exe | fields a, b | join b [search index=* a=nothing | table b]",
    "index=* a=nothing | fields a, b | join b [search index=* a=net.exe | table b]",
    "index=* a=x | append [search index=* a=net.exe | table b | join b [search a=q | table b]]",
)


@pytest.mark.parametrize("search", RULED_OUT)
def test_needs_that_no_row_meets(search: str, catalog: RowsCatalog) -> None:
    assert not may_find(search, catalog)


MAY_FIND = (
    "index=* a=net.exe",
    "index=* a=NET.EXE b=3 | where b > 2",
    "index=* a=x | append [search index=* b=5]",
    "index=* a=x OR b=5",
    "index=* NOT (a=net.exe b=5)",
    "index=* NOT [search index=* a=nothing | table a]",
    "index=* (a=x OR [search index=* b=5 | table a])",
    "index=* | stats sum(b) AS n BY a | where n > 100",
    "index=* | stats count BY a | where count > 100 OR a=b",
    'index=* | eval c=split("1,2,3,4,5,6", ",") | mvexpand c | stats count BY a | where count > 5',
    'index=* | eval c=split("1,2,3,4,5,6", ",") | stats count(c) AS n BY a | where n > 5',
    "index=* | stats count BY a | eval count=count*100 | where count > 100",
    "index=* | table a b | join max=0 a [search * | table a] | stats count BY a | where count>10",
    "a=net.exe | append [search a=net.exe] | stats count BY a | where count > 1",
    "index=* | eventstats count BY a | where count > 100",
    "index=* | where b > [search index=* a=net.exe | return $b]",
    "index=* | foreach b* [eval c=<<FIELD>>] | where c > 100",
    "index=* | fields * | search q=1",
    "index=* a=net.exe | fields a, b | join type=left b [search index=* a=nothing | table b]",
    "a=net.exe | table a b | join b [search a=nothing | append [search index=*] | table b]",
    "index=* a=x | append [search index=* | foreach * [eval d=1] | search d=2]",
    'index=* a=net.exe | map search="search index=* b=$b$9"',
)


@pytest.mark.parametrize("search", MAY_FIND)
def test_a_search_that_may_find_something_is_run(search: str, catalog: RowsCatalog) -> None:
    assert may_find(search, catalog)


UNKNOWN = (
    "| makeresults",
    "index=* a=x | stats count",
    "index=* a=x | outputlookup t.csv",
    "index=* a=x | collect index=summary",
    "index=* a=x | append [| makeresults | outputlookup t.csv]",
    "| inputlookup nothing_of_the_kind",
    "index=* a=x | stast count",
    "index=* a=x | appendpipe [stats count]",
    "index=* a=x | addcoltotals",
)


@pytest.mark.parametrize("search", UNKNOWN)
def test_what_makes_rows_or_writes_is_always_run(search: str, catalog: RowsCatalog) -> None:
    assert screen(search, catalog).needs == ()


def test_the_window_holds_where_the_search_has_none_of_its_own(catalog: RowsCatalog) -> None:
    last_hour = TimeRange(NOW - 3600, NOW)
    assert may_find("index=* a=net.exe", catalog, last_hour)
    assert not may_find("index=* a=cmd.exe", catalog, last_hour)
    assert may_find("index=* a=cmd.exe earliest=-3h", catalog, last_hour)


@pytest.mark.parametrize(
    ("search", "lasting"),
    [
        ("index=* a=net.exe", True),
        ("index=* a=net.exe earliest=-1h", True),
        ("index=* | where _time > now() - 300", False),
        ('index=* | where _time > relative_time(now(), "-1d")', False),
        ("index=* _index_earliest=-1h", False),
    ],
)
def test_what_is_counted_from_now_is_true_once(
    search: str, lasting: bool, catalog: RowsCatalog
) -> None:
    assert screen(search, catalog).lasting is lasting


def test_narrow_columns_are_asked_first(catalog: RowsCatalog) -> None:
    ((need,),) = screen("index=* action=dropped a=*.exe", catalog).needs
    assert {name for name, _ in need.narrow_columns} <= NARROW
    assert "action" in need.narrow
    assert need.narrow != need.condition


@pytest.mark.slow
def test_matches_are_those_of_each_detection_alone(catalog: RowsCatalog, tmp_path: Path) -> None:
    searches = (*RULED_OUT, *MAY_FIND, *UNKNOWN)
    detections = [replace(ANY, name=f"D{i}", id=str(i), search=s) for i, s in enumerate(searches)]
    screener = Screener(DiskCache(tmp_path / "cache"), b"content")
    found = [
        [
            (m.detection.name, m.rows.to_pylist(), m.failed, len(m.effects))
            for m in run_detections(
                detections,
                catalog,
                engine_over(catalog),
                OWN.knowledge,
                within=ALL_TIME,
                now=NOW,
                screener=given,
            )
        ]
        for given in (None, screener, screener, Screener(DiskCache(tmp_path / "cache"), b"content"))
    ]
    assert found[0] == found[1] == found[2] == found[3]
    assert {name for name, *_ in found[0]} == {d.name for d in detections}


FOUR = [replace(ANY, id=str(i), search=f"index=* c={i}") for i in range(4)]


def ruled_out(screener: Screener, place: RowsCatalog) -> list[bool]:
    screened = screener.screen(
        FOUR, place, engine_over(place), OWN.knowledge, within=ALL_TIME, now=NOW
    )
    return [out is not None for out in screened.ruled_out]


def test_what_was_kept_is_of_these_tables(catalog: RowsCatalog, tmp_path: Path) -> None:
    """A column that came to a table since makes another screen."""
    cache = DiskCache(tmp_path / "cache")
    assert ruled_out(Screener(cache, b"content"), catalog) == [True] * 4
    (tmp_path / "other").mkdir()
    other = RowsCatalog(tmp_path / "other")
    other.events([{"_time": NOW, "c": "2"}])
    assert ruled_out(Screener(cache, b"content"), other) == [True, True, False, True]


def test_a_table_that_is_filled_later_is_asked_from_then_on(
    catalog: RowsCatalog, tmp_path: Path
) -> None:
    """The schemas are the same before and after: only the files of ``late`` come."""
    catalog.events([{"_time": NOW, "c": "2"}], table="late")
    files = catalog.paths.pop("late")
    cache = DiskCache(tmp_path / "cache")
    screener = Screener(cache, b"content")
    assert ruled_out(screener, catalog) == [True] * 4
    catalog.paths["late"] = files
    assert ruled_out(screener, catalog) == [True, True, False, True]
    assert ruled_out(Screener(cache, b"content"), catalog) == [True, True, False, True]


FROM_CANDIDATES = (
    "index=* a=net.exe",
    "index=* a=net.exe | head 1",
    "index=* a=net.exe | streamstats count AS n | where n > 1",
    "index=* a=net.exe | eventstats avg(b) AS m | where b > m",
    "index=* | stats count BY a | search a=net.exe",
    "index=* | rename a AS x | search x=net.exe | sort - b",
)
FROM_ALL = (
    "index=* a=net.exe | stats count | where count=0",
    "index=* | head 1 | search a=net.exe",
    "index=* | streamstats count AS n | search a=net.exe",
    "index=* | eventstats avg(b) AS m | search a=net.exe",
    "index=* | dedup b | search a=net.exe",
    "index=* | head 2 | stats count BY a | search a=net.exe",
    "index=* a=net.exe | join type=left b [search index=* | table b, action]",
)


@pytest.mark.parametrize("search", FROM_CANDIDATES)
def test_a_search_of_some_rows_alone(search: str, catalog: RowsCatalog) -> None:
    assert screen(search, catalog).candidates


@pytest.mark.parametrize("search", FROM_ALL)
def test_a_search_in_which_other_rows_count(search: str, catalog: RowsCatalog) -> None:
    assert screen(search, catalog).candidates is None


@pytest.fixture
def words(tmp_path: Path) -> Lookup:
    path = tmp_path / "words.csv"
    path.write_text("word,kind\nq*,x\nother.exe,y\nnet.exe,z\n")
    return Lookup("words", str(path), fields=("word", "kind"))


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("index=* [| inputlookup words | rename word AS a | table a]", True),
        ("index=* [| inputlookup words | fields word kind | rename word AS a kind AS b]", False),
        ("index=* NOT [| inputlookup words | rename word AS a | fields a]", True),
        ("index=* b=3 NOT [| inputlookup words | rename word AS a | fields a]", False),
        ("index=* b=5 [| inputlookup words | rename word AS a | fields a]", False),
        ("index=* b=5 [| inputlookup words | rename word AS a | fields a | head 1]", True),
        ("index=* [| inputlookup words WHERE kind=y | rename word AS a | fields a]", True),
        ("index=* [| inputlookup words | eval a=word | fields a]", True),
    ],
)
def test_rows_of_a_lookup_are_known_as_conditions(
    search: str, found: bool, words: Lookup, catalog: RowsCatalog
) -> None:
    """Rows that have to be worked out are not: then what has them may find something."""
    known = PlainKnowledge(lookups_by_name={"words": words})
    engine, filled = engine_over(catalog), Filled.of(catalog)
    asked = screen_detection(replace(ANY, search=search), filled, engine, known, NOW)
    counts = count_needs([asked], catalog, engine, ALL_TIME)
    assert Screened([asked], counts).ruled_out == ([None] if found else [asked])
    result = run_search(search, engine, catalog, known, now=NOW)
    assert found or not result.table.num_rows


@pytest.mark.parametrize("change", [{"writer": "another"}, {"collection": "words", "path": None}])
def test_a_lookup_that_a_search_may_write_is_not_known(
    change: dict[str, str | None], words: Lookup, catalog: RowsCatalog
) -> None:
    known = PlainKnowledge(lookups_by_name={"words": replace(words, **change)})  # type: ignore[arg-type]
    search = "index=* b=5 [| inputlookup words | rename word AS a | fields a]"
    engine, filled = engine_over(catalog), Filled.of(catalog)
    asked = screen_detection(replace(ANY, search=search), filled, engine, known, NOW)
    assert count_needs([asked], catalog, engine, ALL_TIME) == dict.fromkeys(asked.needs[0], 1)
