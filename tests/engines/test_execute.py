"""Results under SPL's names and types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from escudo.engines.duckdb import DuckDBEngine, connect
from escudo.engines.execute import Result, expand_rest, run_search
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog


def run(folder: Path, spl: str, rows: list[dict[str, Any]], **options: Any) -> Result:
    catalog = RowsCatalog(folder)
    catalog.events(rows, in_rest=options.pop("in_rest", False))
    engine = DuckDBEngine(catalog, connect(threads=1))
    return run_search(spl, engine, catalog, PlainKnowledge(), now=NOW, **options)


@pytest.mark.parametrize("in_rest", [False, True])
def test_fields_are_the_same_wherever_they_lie(tmp_path: Path, in_rest: bool) -> None:
    rows = [{"user": "x", "User": "y", "list{}": ["p", "q"]}, {"user": "z"}]
    found = run(tmp_path, "index=main | fields user User list{}", rows, in_rest=in_rest).table
    shown = [{k: r.get(k) for k in ("user", "User", "list{}")} for r in found.to_pylist()]
    assert shown == [
        {"user": "x", "User": "y", "list{}": ["p", "q"]},
        {"user": "z", "User": None, "list{}": None},
    ]


def test_time_is_epoch_seconds(tmp_path: Path) -> None:
    table = run(tmp_path, "index=main | table _time", [{"_time": 1602155026.617}]).table
    assert table.schema.field("_time").type == pa.float64()
    assert table.to_pylist() == [{"_time": 1602155026.617}]


def test_the_rest_of_the_fields_become_columns(tmp_path: Path) -> None:
    found = run(tmp_path, "index=main", [{"b": "1", "a": "2"}], in_rest=True).table
    assert found.column_names[-2:] == ["a", "b"]
    assert "_event_id" not in found.column_names


def test_provenance(tmp_path: Path) -> None:
    rows = [{"a": "x"}, {"a": "y"}, {"a": "x"}]
    found = run(tmp_path, "index=main | stats count BY a", rows, provenance=True).table
    assert [sorted(r["_event_id"]) for r in found.to_pylist()] == [[0, 2], [1]]
    assert [r["source_file"] for r in found.to_pylist()] == [["case"], ["case"]]


def test_an_empty_result_has_its_columns(tmp_path: Path) -> None:
    found = run(tmp_path, "index=none | stats count BY a", [{"a": "x"}]).table
    assert found.num_rows == 0
    assert found.column_names == ["a", "count"]


def test_expand_rest() -> None:
    kind = pa.map_(pa.string(), pa.string())
    chunks = [
        pa.array([[("b", "1"), ("m{}", "x\x1ey")], None, []], kind),
        pa.array([[("a", "2"), ("b", "3")]], kind),
    ]
    found = {name: values.to_pylist() for name, values in expand_rest(pa.chunked_array(chunks))}
    assert found == {
        "a": [None, None, None, "2"],
        "b": ["1", None, None, "3"],
        "m{}": [["x", "y"], None, None, None],
    }
    assert list(found) == ["a", "b", "m{}"]


def test_expand_rest_of_a_slice() -> None:
    kind = pa.map_(pa.string(), pa.string())
    whole = pa.array([[("a", "1")], [("b", "2")], [("a", "3")]], kind)
    found = {n: v.to_pylist() for n, v in expand_rest(pa.chunked_array([whole.slice(1)]))}
    assert found == {"a": [None, "3"], "b": ["2", None]}


def test_expand_rest_of_nothing() -> None:
    assert list(expand_rest(pa.chunked_array([], pa.map_(pa.string(), pa.string())))) == []
