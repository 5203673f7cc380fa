"""Sessions in SQL are the transactions that the batch function makes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from escudo.engines.duckdb.connection import connect
from escudo.engines.duckdb.duckdb_engine import DuckDBEngine
from escudo.engines.execute import run_search
from tests.conformance.catalog import NOW, PlainKnowledge, Row, RowsCatalog

CONNECTION = connect(threads=1)
SHOWN = "duration eventcount closed_txn field_match_sum linecount"


def _transactions(rows: RowsCatalog, text: str) -> list[dict[str, Any]]:
    engine = DuckDBEngine(rows, CONNECTION)
    search = f"search * | transaction {text} | table _time k v _raw {SHOWN}"
    found = run_search(search, engine, rows, PlainKnowledge(), now=NOW).table.to_pylist()
    return sorted(found, key=lambda r: (-r["_time"], r["k"], -r["eventcount"]))


_EVENT = st.fixed_dictionaries(
    {"_time": st.integers(0, 40).map(lambda t: NOW - 1000 + t)},
    optional={
        "k": st.sampled_from(["a", "b"]),
        "v": st.sampled_from(["x", "y", "10"]),
        "_raw": st.sampled_from(["", "one", "two\nlines"]),
    },
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    events=st.lists(_EVENT, max_size=12, unique_by=lambda e: e["_time"]),
    pause=st.sampled_from(["", " maxpause=3s", " maxpause=0s"]),
    most=st.sampled_from(["", " maxevents=2", " maxevents=-1"]),
)
def test_sessions_are_what_the_batch_function_makes(
    events: list[Row], pause: str, most: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = RowsCatalog(Path(folder))
        rows.events([{"k": None, "v": None, **e} for e in events])
        options = f"k{pause}{most}"
        # A span that no transaction reaches goes to the batch function.
        assert _transactions(rows, options) == _transactions(rows, f"{options} maxspan=100d")


@pytest.mark.parametrize(
    ("text", "batch"), [("k maxpause=3s", False), ("k v", True), ("k maxspan=1h", True)]
)
def test_only_what_sessions_can_do_is_done_in_sql(text: str, batch: bool, tmp_path: Path) -> None:
    rows = RowsCatalog(tmp_path)
    rows.events([{"k": "a", "v": "1"}])
    engine = DuckDBEngine(rows, CONNECTION)
    compiled = run_search(
        f"search * | transaction {text}", engine, rows, PlainKnowledge(), now=NOW
    ).compiled
    assert bool(compiled.tables) is batch


def test_evidence_of_sessions(tmp_path: Path) -> None:
    rows = RowsCatalog(tmp_path)
    rows.events([{"k": "a"}, {"k": "b"}, {"k": "a"}])
    engine = DuckDBEngine(rows, CONNECTION)
    found = run_search(
        "search * | transaction k maxpause=1m | fields k",
        engine,
        rows,
        PlainKnowledge(),
        now=NOW,
        provenance=True,
    ).table.to_pylist()
    assert {(r["k"][0], tuple(r["_event_id"])) for r in found} == {("a", (0, 2)), ("b", (1,))}
