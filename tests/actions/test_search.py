"""A search called as a server would call it: rows as they come, and what it writes, once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from escudo import content
from escudo.actions.engines import DuckDBEngines
from escudo.actions.ingest import ingest_logs
from escudo.actions.search import SearchOptions, search_lake
from escudo.actions.workspace import Workspace
from escudo.core.catalog import Macro
from escudo.core.errors import Diagnostic, EscudoError
from escudo.lake import Lake
from tests.lake.logs import sysmon

OWN = content.load()
SEEN = "| inputlookup seen.csv"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    log = tmp_path / "day.xml"
    log.write_text(sysmon(5))
    with Lake.create_temporary() as lake:
        assert ingest_logs([log], lake).report.read == 5
        yield Workspace(content=OWN, lake=lake, engine_of=DuckDBEngines(), now=1_700_100_000.0)


@pytest.mark.slow
@pytest.mark.parametrize("streamed", [False, True])
def test_rows_have_no_columns_of_escudo_itself(workspace: Workspace, streamed: bool) -> None:
    found = search_lake("search index=*", workspace, SearchOptions(streamed=streamed))
    tables = list(found.tables)
    assert sum(t.num_rows for t in tables) == 5
    assert tuple(tables[0].column_names) == found.fields
    assert {"_event_id", "source_file", "_key"} & {
        n for t in tables for n in t.column_names
    } == set()


def test_what_a_search_writes_is_there_before_its_rows_are_read(workspace: Workspace) -> None:
    text = "search index=* | stats count by host | outputlookup seen.csv"
    found = search_lake(text, workspace, SearchOptions(streamed=True))
    assert [(c.kind, c.name, c.count) for c in found.changes] == [("lookup", "seen.csv", 1)]
    (seen,) = search_lake(SEEN, workspace, SearchOptions()).tables
    assert seen.to_pylist() == [{"host": "pc1", "count": "5"}]


@pytest.mark.slow
def test_warnings_are_told_before_a_search_that_then_fails(workspace: Workspace) -> None:
    told: list[str] = []

    def tell(diagnostics: Sequence[Diagnostic]) -> None:
        told.extend(d.code for d in diagnostics)

    text = 'search index=* | eval t=relative_time(1, "nonsense") | delete'
    with pytest.raises(EscudoError, match="LAK015"):
        search_lake(text, workspace, SearchOptions(), tell=tell)
    assert told == ["SPL201"]
    (counted,) = search_lake("index=* | stats count", workspace, SearchOptions()).tables
    assert counted.to_pylist() == [{"count": 5}]


def test_a_job_is_kept_under_its_name(workspace: Workspace) -> None:
    text = "search index=* | stats count"
    search_lake(text, workspace, SearchOptions(streamed=True, job="counted"))
    (job,) = search_lake("| loadjob counted", workspace, SearchOptions()).tables
    assert job.to_pylist() == [{"count": 5}]


@pytest.mark.slow
def test_no_more_rows_than_are_asked_for(workspace: Workspace) -> None:
    found = search_lake("search index=* | table process_id", workspace, SearchOptions(most=3))
    (rows,) = found.tables
    assert rows.to_pylist() == [{"process_id": "4"}, {"process_id": "3"}, {"process_id": "2"}]
    assert (found.cut, found.total) == (True, None)
    whole = search_lake("search index=*", workspace, SearchOptions(most=5))
    assert (whole.cut, next(whole.tables).num_rows) == (False, 5)


@pytest.mark.slow
def test_what_a_search_writes_is_whole_where_few_rows_are_shown(workspace: Workspace) -> None:
    text = "search index=* | table process_id | outputlookup ids.csv"
    found = search_lake(text, workspace, SearchOptions(most=2))
    assert next(found.tables).num_rows == 2
    assert [c.count for c in found.changes] == [5]
    kept = search_lake("search index=*", workspace, SearchOptions(most=2, job="all"))
    assert (kept.cut, kept.total, next(kept.tables).num_rows) == (True, 5, 2)
    (again,) = search_lake("| loadjob all", workspace, SearchOptions()).tables
    assert again.num_rows == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("search", "fields"),
    [
        ("search index=* | table source_file _event_id", {"source_file", "_event_id"}),
        ("search index=* | stats count by source_file", {"source_file"}),
        ("search index=* source_file=*day* | fields host source_file", {"source_file"}),
        ("search index=* `where_from`", {"source_file"}),
        ("search index=* | eval file=source_file | table file", set()),
        ('search index=* | eval my_source_file_x="a"', set()),
        ("search index=* | table *", set()),
    ],
)
def test_a_field_that_a_search_names_is_shown(
    search: str, fields: set[str], workspace: Workspace
) -> None:
    macro = Macro("where_from", "| table host source_file")
    known = replace(OWN, macros=(*OWN.macros, macro))
    found = search_lake(search, replace(workspace, content=known), SearchOptions())
    assert {"_event_id", "source_file", "_key"} & set(found.fields) == fields
