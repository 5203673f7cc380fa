"""What proves the rows of a search is there even where no event can match."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo.engines.duckdb import DuckDBEngine, connect
from escudo.engines.execute import run_search
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog


@pytest.mark.parametrize(
    "search",
    [
        "search NOT *",
        "search NOT * | stats count BY a",
        "search NOT * | fields - _*",
        "index=none",
        "index=main",
        "index=main | stats count",
    ],
)
def test_every_result_has_its_proof(search: str, tmp_path: Path) -> None:
    rows = RowsCatalog(tmp_path)
    rows.events([{"a": "x"}])
    with connect(threads=1) as connection:
        engine = DuckDBEngine(rows, connection)
        result = run_search(search, engine, rows, PlainKnowledge(), now=NOW, provenance=True)
    assert {"_event_id", "source_file"} <= set(result.table.column_names)
