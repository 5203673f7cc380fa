"""Searches that show whole rows read only tables and columns with something in them: the rows and
their values must be the same as without that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from escudo.engines.execute import Result, run_search
from escudo.spl.binding import present_columns
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog
from tests.shared_engine import engine_over

_WINDOWS = [
    {"host": "h1", "code": "1", "image": "cmd.exe", "a": "x"},
    {"host": "h2", "code": "3", "port": "80"},
    {"host": "h1", "code": "1", "image": "calc.exe", "many": ["p", "q"]},
]
_OTHER = [
    {"host": "h3", "code": "7", "path": "/tmp", "_time": NOW - 5000},
    {"host": "h1", "image": "init", "pid": "1", "_time": NOW - 9000},
]
_SEARCHES = (
    "index=main",
    "index=main nothing_like_it",
    "index=main code=1",
    "index=main code=7",
    "index=main image=init OR code=3",
    "index=main | where code=1",
    "index=main | head 2",
    "index=main | head 2 | where code=3",
    "index=main | head 4 | search path=*",
    "index=main | streamstats count AS c | where c > 4",
    "index=main | streamstats count AS c | search image=init",
    'index=main code=1 | eval z=path."!", image=upper(image)',
    "index=main code=1 | rename image AS i",
    "index=main code=1 | dedup host",
    "index=main | dedup host",
    "index=main code=1 | sort image",
    "index=main code=1 | fields - image",
    "index=main code=7 | append [search index=main code=1]",
    "index=main code=7 | appendpipe [stats count BY code]",
    "index=main | appendpipe [stats count BY host] | where count > 1 OR code=7",
    "index=main code=1 | join host [search index=main code=3 OR pid=1 | fields host pid]",
    "index=main | eventstats count BY host | where code=7",
    "index=main code=1 | eventstats count BY host",
    "index=main code=1 | mvexpand many",
    "index=main code=1 | fillnull path",
    "multisearch [search index=main code=1] [search index=main code=7]",
)


def _shown(result: Result) -> Sequence[dict[str, Any]]:
    rows = result.table.to_pylist()
    return [{k: v for k, v in row.items() if v not in (None, [])} for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("in_rest", [False, True])
@pytest.mark.parametrize("text", _SEARCHES)
def test_rows_are_the_same(
    text: str, in_rest: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = RowsCatalog(tmp_path)
    catalog.events(_WINDOWS, table="windows")
    catalog.events(_OTHER, table="other", in_rest=in_rest)
    engine = engine_over(catalog)

    def search(wide: int) -> Sequence[dict[str, Any]]:
        monkeypatch.setattr(present_columns, "WIDE", wide)
        return _shown(
            run_search(
                f"| {text}" if text[:5] == "multi" else text,
                engine,
                catalog,
                PlainKnowledge(),
                now=NOW,
            )
        )

    assert search(0) == search(10**6)


def test_columns_without_values_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(present_columns, "WIDE", 0)
    catalog = RowsCatalog(tmp_path)
    catalog.events(_WINDOWS, table="windows")
    catalog.events(_OTHER, table="other")
    engine = engine_over(catalog)
    found = run_search("index=main code=7", engine, catalog, PlainKnowledge(), now=NOW)
    assert [scan.schema.table for scan in found.compiled.scans] == ["other"]
    assert {"image", "pid"}.isdisjoint(found.compiled.scans[0].columns)
    assert _shown(found)[0]["path"] == "/tmp"


def test_many_rows_are_read_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(present_columns, "WIDE", 0)
    monkeypatch.setattr(present_columns, "FEW", 2)
    catalog = RowsCatalog(tmp_path)
    catalog.events(_WINDOWS, table="windows")
    engine = engine_over(catalog)
    found = run_search("index=main", engine, catalog, PlainKnowledge(), now=NOW)
    assert [row.get("image") for row in _shown(found)] == ["cmd.exe", None, "calc.exe"]
