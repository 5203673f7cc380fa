from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyarrow.parquet as pq

from escudo import content
from escudo.core.timerange import ALL_TIME
from escudo.findings import judge_match
from escudo.findings.store import KnownHashes, Written, write_judgements
from escudo.lake import Lake
from tests.findings.matches import NOW, match, schemas

DEPLOYMENTS = content.load().deployments


def test_a_row_is_written_once_however_often_it_is_found() -> None:
    tables = schemas()
    first = judge_match(match({"dest": ["a", "b"]}), DEPLOYMENTS, tables)
    again = judge_match(match({"dest": ["b", "c"]}, now=NOW + 600), DEPLOYMENTS, tables)
    with Lake.create_temporary() as lake:
        assert write_judgements(lake, [first], tables) == Written(2, 2)
        assert write_judgements(lake, [first], tables) == Written(0, 0)
        assert write_judgements(lake, [again], tables) == Written(1, 1)
        assert len(KnownHashes().read(lake, tables.notable)) == 3


def test_nothing_to_write() -> None:
    with Lake.create_temporary() as lake:
        assert write_judgements(lake, [], schemas()) == Written(0, 0)
        assert len(KnownHashes().read(lake, schemas().risk)) == 0


def test_two_runs_at_the_same_time_write_a_row_once() -> None:
    tables = schemas()
    found = judge_match(match({"dest": ["a", "b"]}), DEPLOYMENTS, tables)
    with Lake.create_temporary() as lake, ThreadPoolExecutor(3) as runs:
        written = list(runs.map(lambda _: write_judgements(lake, [found], tables), range(3)))
        assert sum(w.findings for w in written) == 2
        assert len(read_rows(lake, tables.notable.table)) == 2
        assert len(read_rows(lake, tables.risk.table)) == 2


def read_rows(lake: Lake, table: str) -> list[dict[str, object]]:
    return [row for f in lake.files(table, ALL_TIME) for row in pq.read_table(f).to_pylist()]
