"""A search that can take events batch by batch finds in all batches together what it finds in all
events: the same rows, or the same groups."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from escudo import content
from escudo.core.catalog import Catalog
from escudo.core.timerange import ALL_TIME
from escudo.engines.duckdb.connection import connect
from escudo.engines.duckdb.duckdb_engine import DuckDBEngine
from escudo.engines.execute import run_search
from escudo.inputs import CommittedBatch, FollowOptions, follow_inputs
from escudo.inputs.batches import join_batches, list_batches
from escudo.lake import Lake
from escudo.spl.compile import find_batch_obstacle
from tests.inputs.json_logs import attack, line

BATCHES = 5


@dataclass(frozen=True)
class Stage:
    lake: Lake
    batches: list[CommittedBatch]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Events in batches; some are the same in several of them but for their number."""
    folder = tmp_path_factory.mktemp("batches")
    logs = folder / "logs"
    logs.mkdir()
    stop = threading.Event()
    with Lake.open(folder / "lake") as lake:
        following = follow_inputs([logs], lake, FollowOptions(every=0.05), stop=stop)
        batches = []
        for number in range(BATCHES):
            text = "".join(f"{line(number * 10 + n)}\n" for n in range(6)) + attack(number % 2)
            (logs / f"{number}.log").write_text(text)
            batches.append(next(following))
        stop.set()
        assert list(following) == []
        yield Stage(lake, batches)


def find(search: str, catalog: Catalog, fields: tuple[str, ...]) -> set[tuple[str, ...]]:
    """The rows of a search, of which some fields count."""
    engine = DuckDBEngine(catalog, connect(threads=1))
    table = run_search(search, engine, catalog, content.load().knowledge, now=time.time()).table
    return {tuple(str(row.get(f)) for f in fields) for row in table.to_pylist()}


TSTATS = "| tstats count min(_time) as firstTime from datamodel=Endpoint.Processes"


@pytest.mark.parametrize(
    ("search", "fields"),
    [
        ("index=* EventCode=1 | eval x=ProcessId*2 | where x>20 | table x", ("x",)),
        ('index=* | rex field=_raw "echo (?<n>\\d+)" | search n=1* | fields n', ("n",)),
        (
            f'{TSTATS} where Processes.parent_process_name="WmiPrvSE.exe" by Processes.dest'
            " Processes.process | rename Processes.* as * | search process=*echo*",
            ("dest", "process"),
        ),
        (f"{TSTATS} by Processes.user Processes.parent_process_name", ("Processes.user",)),
        (f"{TSTATS} by _time span=10s Processes.dest", ("_time", "Processes.dest")),
        (
            "index=* | stats count values(ProcessId) as p by ParentImage | sort - count",
            ("ParentImage",),
        ),
        (
            "index=* | stats count by ParentImage ProcessId | stats sum(count) by ParentImage"
            ' | where like(ParentImage, "%Wmi%")',
            ("ParentImage",),
        ),
    ],
)
def test_batches_together_find_what_all_events_give(
    stage: Stage, search: str, fields: tuple[str, ...]
) -> None:
    assert find_batch_obstacle(search, content.load().knowledge) is None
    whole = find(search, stage.lake.snapshot(), fields)
    parts = [find(search, batch, fields) for batch in stage.batches]
    assert whole
    assert set.union(*parts) == whole


def test_a_search_that_counts_does_not(stage: Stage) -> None:
    """What the refusal is for: no batch has as many."""
    search = "index=* ParentImage=*Wmi* | stats count by ProcessId | where count > 1"
    assert find_batch_obstacle(search, content.load().knowledge) is not None
    assert find(search, stage.lake.snapshot(), ("ProcessId",)) == {("0",), ("1",)}
    assert [find(search, batch, ("ProcessId",)) for batch in stage.batches] == [set()] * BATCHES


def test_batches_are_listed_again_from_the_lake(stage: Stage) -> None:
    listed = list(list_batches(stage.lake, kind="ingest", after=0))
    assert [b.commits for b in listed] == [b.commits for b in stage.batches]
    for again, batch in zip(listed, stage.batches, strict=True):
        for table in batch.added:
            assert set(again.files(table, ALL_TIME)) == set(batch.files(table, ALL_TIME))
    later = list(list_batches(stage.lake, kind="ingest", after=stage.batches[2].commits[0]))
    assert [b.commits for b in later] == [b.commits for b in stage.batches[3:]]
    joined = join_batches(stage.batches)
    assert joined is not None
    assert joined.events == 7 * BATCHES
    assert joined.commits == tuple(n for b in stage.batches for n in b.commits)
