"""Raw events -> rows of the data models: the cases beside this file, and the laws."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escudo.cim.models import load
from escudo.cim.normalise import Normaliser
from escudo.core.schema import COMMON_COLUMNS
from escudo.engines.duckdb import connect
from escudo.sources.reading import RawBatch
from tests.cim.events import raw_batches
from tests.families import FAMILIES
from tests.yaml_file import read_yaml

CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted((Path(__file__).parent / "cases").glob("*.yml"))
    for case in read_yaml(file)
]
_COMMON = {c.name for c in COMMON_COLUMNS}


NORMALISER = Normaliser(connect(threads=1))


@pytest.fixture
def normaliser() -> Normaliser:
    return NORMALISER


def rows_of(normaliser: Normaliser, batches: list[RawBatch]) -> dict[str, list[dict[str, Any]]]:
    """Dataset -> its rows in the order of their events; lower-cased copies left out."""
    names = {d.schema.table: f"{d.model}.{d.name}" for d in load().roots()}
    found: dict[str, list[dict[str, Any]]] = {}
    for batch in batches:
        for model in normaliser.normalise(batch):
            kept = [n for n in model.data.column_names if not n.endswith("_lc")]
            data = model.data.select(kept).sort_by("_time")
            found.setdefault(names[model.table], []).extend(data.to_pylist())
    return found


@pytest.mark.parametrize("case", CASES)
def test_case(case: dict[str, Any], normaliser: Normaliser, tmp_path: Path) -> None:
    found = rows_of(normaliser, raw_batches(case, tmp_path))
    for dataset, expected in case.get("exact", {}).items():
        [row] = found.pop(dataset)
        if "time" in case:
            assert row["_time"] == case["time"]
        assert {k: v for k, v in row.items() if v is not None and k not in _COMMON} == expected
    wanted = case.get("rows", {})
    assert {k: len(v) for k, v in found.items()} == {k: len(v) for k, v in wanted.items()}
    for dataset, expected_rows in wanted.items():
        for row, expected in zip(found[dataset], expected_rows, strict=True):
            assert {k: row[k] for k in expected} == expected


def sysmon_batch(events: list[dict[str, Any]]) -> RawBatch:
    return RawBatch(
        FAMILIES["sysmon"], pa.Table.from_pylist(events, FAMILIES["sysmon"].schema.arrow())
    )


def test_rows_keep_what_every_table_has(normaliser: Normaliser) -> None:
    common = {"index": "i", "host": "h", "source": "s", "sourcetype": "t", "source_file": "f"}
    events = [{"_event_id": n, "_time": n, "EventID": "1", **common} for n in range(3)]
    [rows] = normaliser.normalise(sysmon_batch(events))
    assert rows.data.schema == load().find("Endpoint", "Processes").schema.arrow()
    kept = rows.data.select([*common, "_event_id"]).sort_by("_event_id").to_pylist()
    assert kept == [{**common, "_event_id": n} for n in range(3)]


@pytest.mark.parametrize("chunk", [100, 1, 2])
@pytest.mark.parametrize("kinds", ["1", "1 1 1 3", "3 1 3 3 10", "13 12 14 12 13 1 13"])
def test_a_row_has_its_own_event_s_values(normaliser: Normaliser, kinds: str, chunk: int) -> None:
    """Whether a dataset takes all, most, few or none of a chunk, by one rule or by several."""
    events = [
        {"_event_id": n, "_time": n, "EventID": kind, "host": f"h{n}", "Computer": f"c{n}"}
        | {"ProcessGuid": f"{{{n}}}", "CommandLine": "" if n % 2 else f"run {n}"}
        for n, kind in enumerate(kinds.split())
    ]
    seen = []
    parts = [sysmon_batch(events[at : at + chunk]).table for at in range(0, len(events), chunk)]
    for rows in normaliser.normalise(RawBatch(FAMILIES["sysmon"], pa.concat_tables(parts))):
        for row in rows.data.to_pylist():
            event = events[row["_event_id"]]
            seen.append(row["_event_id"])
            assert row["host"] == event["host"]
            if rows.table == "endpoint_processes":
                assert row["dest"] == event["Computer"]
                assert row["process_guid"] == event["ProcessGuid"]
                assert row["process"] == (event["CommandLine"] or "unknown")
    assert sorted(seen) == [n for n, kind in enumerate(kinds.split()) if kind != "10"]


def test_events_in_small_and_large_pieces(normaliser: Normaliser) -> None:
    """DuckDB takes a long list of values as a join, which changes the order of small pieces."""
    schema = FAMILIES["windows_security"].schema.arrow()
    kinds = ["4688", "4624", "4726", "4656"]
    events = [
        {"_event_id": n, "_time": n, "EventID": kinds[n % 4], "host": f"h{n}"} for n in range(2000)
    ]
    edges = [0, 7, 15, 30, 1500, 1510, 2000]
    parts = [pa.Table.from_pylist(events[a:b], schema) for a, b in pairwise(edges)]
    batch = RawBatch(FAMILIES["windows_security"], pa.concat_tables(parts))
    found = {rows.table: rows.data for rows in normaliser.normalise(batch)}
    for table, kind in (
        ("endpoint_processes", "4688"),
        ("authentication_authentication", "4624"),
        ("change_all_changes", "4726"),
    ):
        rows = found[table].select(["_event_id", "host"]).sort_by("_event_id").to_pylist()
        wanted = [{k: e[k] for k in ("_event_id", "host")} for e in events if e["EventID"] == kind]
        assert rows == wanted


def test_lower_cased_copies_are_lower_cased(normaliser: Normaliser) -> None:
    events = [{"EventID": "1", "Image": "C:\\CMD.EXE", "OriginalFileName": "Cmd.Exe"}]
    [rows] = normaliser.normalise(sysmon_batch(events))
    for column in load().find("Endpoint", "Processes").schema.columns:
        if column.lower is not None:
            lowered = pc.utf8_lower(rows.data[column.physical])
            assert rows.data[column.lower].to_pylist() == lowered.to_pylist()


def test_counts() -> None:
    normaliser = Normaliser(connect(threads=1))
    batch = sysmon_batch([{"EventID": n} for n in ("1", "1", "3", "10", None)])
    normaliser.normalise(batch)
    normaliser.normalise(RawBatch(FAMILIES["json_generic"], _generic(2)))
    assert normaliser.counts.events == 7
    assert normaliser.counts.raw_only == 4
    assert dict(normaliser.counts.rows) == {
        "Endpoint.Processes": 2,
        "Network_Traffic.All_Traffic": 1,
    }


def _generic(size: int) -> pa.Table:
    schema = FAMILIES["json_generic"].schema.arrow()
    return pa.Table.from_arrays([pa.nulls(size, f.type) for f in schema], schema=schema)


def test_a_second_batch_is_not_read_as_the_first(normaliser: Normaliser) -> None:
    for name in ("a", "b"):
        [rows] = normaliser.normalise(sysmon_batch([{"EventID": "1", "Image": f"C:\\{name}"}]))
        assert rows.data["process_name"].to_pylist() == [name]


def test_no_events_no_rows(normaliser: Normaliser) -> None:
    assert normaliser.normalise(sysmon_batch([])) == []


def test_every_source_compiles(normaliser: Normaliser) -> None:
    for family in FAMILIES.values():
        schema = family.schema.arrow()
        one = pa.Table.from_arrays([pa.nulls(1, f.type) for f in schema], schema=schema)
        normaliser.normalise(RawBatch(family, one))


PATHS = st.sampled_from([None, "", "-", "x", "C:\\a\\B.exe", "/bin/sh", "\\", "a\n\\b", "é\\ü"])
SYSMON_EVENTS = st.lists(
    st.fixed_dictionaries(
        {"EventID": st.sampled_from([None, "1", "3", "10", "11", "12", "13", "22", "23"])},
        optional=dict.fromkeys(
            ("Image", "ParentImage", "CommandLine", "User", "TargetObject", "TargetFilename"), PATHS
        ),
    ),
    max_size=6,
)


@pytest.mark.slow
@given(SYSMON_EVENTS)
@settings(max_examples=30, deadline=None)
def test_a_row_depends_on_its_own_event_only(events: list[dict[str, Any]]) -> None:
    numbered = [{"_event_id": n, "_time": n, **e} for n, e in enumerate(events)]
    together = rows_of(NORMALISER, [sysmon_batch(numbered)])
    alone = rows_of(NORMALISER, [sysmon_batch([e]) for e in numbered])
    assert together == alone


@pytest.mark.slow
@given(SYSMON_EVENTS)
@settings(max_examples=30, deadline=None)
def test_a_field_with_a_default_always_has_a_value(events: list[dict[str, Any]]) -> None:
    defaults = {d.schema.table: [f.name for f in d.fields if f.fill] for d in load().roots()}
    for rows in NORMALISER.normalise(sysmon_batch(events)):
        for name in defaults[rows.table]:
            assert rows.data[name].null_count == 0, name
            assert "" not in rows.data[name].to_pylist()
