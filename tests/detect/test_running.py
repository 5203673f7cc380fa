from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from escudo import content
from escudo.content import Detection
from escudo.core.timerange import ALL_TIME
from escudo.detect import Match, run_detection, run_detections
from escudo.engines.duckdb.duckdb_engine import DuckDBEngine
from tests.conformance.catalog import NOW, RowsCatalog
from tests.shared_engine import engine_over

OWN = content.load()


def detection(search: str, name: str = "D", enabled: bool = True) -> Detection:
    base = OWN.detection("Process Execution via WMI")
    return replace(base, name=name, search=search, enabled=enabled)


@pytest.fixture
def catalog(tmp_path: Path) -> RowsCatalog:
    made = RowsCatalog(tmp_path)
    made.events([{"a": "1"}, {"a": "2"}])
    return made


def found(catalog: RowsCatalog, *detections: Detection) -> list[Match]:
    engine = engine_over(catalog)
    return list(
        run_detections(detections, catalog, engine, OWN.knowledge, within=ALL_TIME, now=NOW)
    )


def test_rows_and_what_they_come_from(catalog: RowsCatalog) -> None:
    (match,) = found(catalog, detection("search a=* | stats count by a"))
    assert match.rows.column_names == ["a", "count"]
    assert sorted(match.rows["a"].to_pylist()) == ["1", "2"]
    assert len(match.event_ids) == len(match.source_files) == 2
    assert all(len(ids) == 1 for ids in match.event_ids.to_pylist())
    assert not match.failed


def test_one_that_cannot_be_compiled_is_beside_the_others(catalog: RowsCatalog) -> None:
    matches = found(
        catalog,
        detection("search a=1", "first"),
        detection("search a=1 | stast count", "broken"),
        detection("search `no_such_macro`", "unknown macro"),
        detection("search a=2", "last"),
    )
    assert [(m.detection.name, m.rows.num_rows, m.failed) for m in matches] == [
        ("first", 1, False),
        ("broken", 0, True),
        ("unknown macro", 0, True),
        ("last", 1, False),
    ]
    assert all(d.code.startswith("SPL") for m in matches for d in m.diagnostics)


def test_a_fault_of_the_engine_is_beside_the_others(catalog: RowsCatalog) -> None:
    class Faulty(DuckDBEngine):
        def run(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
            raise RuntimeError("out of order")

    (match,) = run_detections(
        [detection("search a=1")],
        catalog,
        Faulty(catalog),
        OWN.knowledge,
        within=ALL_TIME,
        now=NOW,
    )
    assert [(d.code, d.message) for d in match.diagnostics] == [
        ("DET001", "D: RuntimeError: out of order")
    ]


def test_disabled_ones_are_left_out(catalog: RowsCatalog) -> None:
    assert found(catalog, detection("search a=1", enabled=False)) == []


def test_an_error_points_into_the_yaml_file(tmp_path: Path, catalog: RowsCatalog) -> None:
    file = tmp_path / "d.yml"
    file.write_text("name: N\nid: i\ntype: TTP\nsearch: >-\n  search a=1\n  | stast count\n")
    loaded = content.load([file], builtin=False)
    match = run_detection(
        loaded.detections[0],
        catalog,
        engine_over(catalog),
        loaded.knowledge,
        within=ALL_TIME,
        now=NOW,
    )
    assert match.diagnostics[0].span is not None
    assert str(match.diagnostics[0].span) == f"{file}:6:5"


def test_the_same_run_has_the_same_id(catalog: RowsCatalog) -> None:
    (one,) = found(catalog, detection("search a=1"))
    (again,) = found(catalog, detection("search a=1"))
    (other,) = found(catalog, detection("search a=2"))
    assert one.sid == again.sid
    assert one.sid != other.sid
