"""Grouping: what is not said by the conformance cases, the form of the SQL."""

from __future__ import annotations

from pathlib import Path

from escudo.engines.execute import run_search
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog
from tests.shared_engine import engine_over

REX = r'search * | rex field=cmd "(?<exe>\w+\.exe)" | stats count by exe'


def _rows(tmp_path: Path) -> RowsCatalog:
    rows = RowsCatalog(tmp_path)
    rows.events([{"cmd": "a.exe -x"}, {"cmd": "none"}, {"cmd": "b.exe"}, {"cmd": "a.exe"}])
    return rows


def test_a_costly_key_is_computed_once(tmp_path: Path) -> None:
    rows = _rows(tmp_path)
    engine = engine_over(rows)
    found = run_search(REX, engine, rows, PlainKnowledge(), now=NOW)
    assert found.table.to_pylist() == [{"exe": "a.exe", "count": 2}, {"exe": "b.exe", "count": 1}]
    plan = engine.explain(found.compiled.query, found.compiled.scans, found.compiled.tables)
    assert plan.count("regexp_extract") == 1


def test_a_stored_key_is_filtered_where_it_is_read(tmp_path: Path) -> None:
    rows = _rows(tmp_path)
    engine = engine_over(rows)
    compiled = run_search("search * | stats count by cmd", engine, rows, PlainKnowledge(), now=NOW)
    assert "HAVING" not in compiled.compiled.query.sql("duckdb")


def test_the_size_of_a_group_beside_its_rows(tmp_path: Path) -> None:
    rows = RowsCatalog(tmp_path)
    rows.events([{"k": "a"}, {"k": "a"}, {"k": "b"}, {"k": None}])
    engine = engine_over(rows)
    text = "search * | eventstats count AS n by k"
    found = run_search(f"{text} | table k n", engine, rows, PlainKnowledge(), now=NOW)
    assert [tuple(r.values()) for r in found.table.to_pylist()] == [
        ("a", 2),
        ("a", 2),
        ("b", 1),
        (None, None),
    ]
    few = run_search(f"{text} | where n=1 | table k", engine, rows, PlainKnowledge(), now=NOW)
    assert few.table.to_pylist() == [{"k": "b"}]
