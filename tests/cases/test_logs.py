"""Logs as users bring them, a folder each: what ``input/`` becomes is what ``expected.yml`` says.

Each case is read into a lake by the action behind ``escudo ingest``, and searched by the one behind
``escudo search``. Its keys:

- ``why``: the source of the expectation.
- ``date_order``: dmy or mdy, as ``--date-order``.
- ``rows``: of a search, ``fields: value``, in the order of time; null is a field that has no value.
- ``told``: the codes of all warnings and errors, sorted.
- ``blind``: how many events no detection can see; 0 if it is not given.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from escudo import content
from escudo.actions.engines import DuckDBEngines
from escudo.actions.hunt import hunt_lake, plan_hunt
from escudo.actions.ingest import ingest_logs
from escudo.actions.search import SearchOptions, search_lake
from escudo.actions.workspace import Workspace
from escudo.core.errors import Severity
from escudo.lake import Lake
from escudo.lake.ingest_options import IngestOptions
from escudo.sources.date_order import DateOrder
from escudo.spl.relation.values import number_text
from tests.shared_data import SHARED
from tests.yaml_file import read_yaml

FOLDER = Path(__file__).parent / "logs"
CASES = sorted(FOLDER.iterdir())
NOW = 1_717_300_000.0
WMI = "Process Execution via WMI"
MODIFIED = 1_700_000_000
"""Files are older than their events, so a time that is the file's shows."""
QUICK = frozenset(
    {"a-stray-bracket", "classic-text-events", "event-viewer-csv", "fdr-logscale", "prefixed-xml"}
    | {"process-creation-of-old-windows", "shape-winlogbeat-6"}
)
"""Cases that `make check` runs: one of each kind of log."""
BUILTIN = content.load()
ENGINES = DuckDBEngines()
SHARED_CASES = [] if SHARED is None else sorted((SHARED.parent / "cases" / "logs").glob("*/"))


def _search(workspace: Workspace, text: str) -> list[dict[str, str | None]]:
    found = search_lake(text, workspace, SearchOptions())
    rows = [row for table in found.tables for row in table.to_pylist()]
    return [{name: _shown(name, value) for name, value in row.items()} for row in rows]


def _dated(folder: Path) -> Path:
    for file in folder.rglob("*"):
        if file.is_file():
            os.utime(file, (MODIFIED, MODIFIED))
    return folder


def _shown(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if name == "_time":
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds")[:23]
    if isinstance(value, float):
        return number_text(value)
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Lake.create_temporary() as lake:
        yield Workspace(content=BUILTIN, lake=lake, engine_of=ENGINES, now=NOW)


def test_quick_cases_are_there() -> None:
    assert {case.name for case in CASES} >= QUICK


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=() if case.name in QUICK else pytest.mark.slow)
        for case in CASES
    ],
)
def test_case(case: Path, workspace: Workspace) -> None:
    expected = read_yaml(case / "expected.yml")
    order = expected.get("date_order")
    options = IngestOptions(date_order=DateOrder(order) if order else None)
    ingested = ingest_logs([_dated(case / "input")], workspace.lake, options)
    told = [d.code for d in ingested.report.diagnostics if d.severity is not Severity.INFO]
    assert sorted(told) == expected.get("told", [])
    assert ingested.report.blind == expected.get("blind", 0)
    assert ingested.report.rejected == expected.get("rejected", 0)
    for search, rows in expected["rows"].items():
        found = _search(workspace, search)
        assert len(found) == len(rows), found
        for row, wanted in zip(found, rows, strict=True):
            assert {n: row.get(n) for n in wanted} == wanted


@pytest.mark.slow
@pytest.mark.skipif(not SHARED_CASES, reason="the shared cases are not beside the shared data")
@pytest.mark.parametrize("case", SHARED_CASES, ids=lambda case: case.name)
def test_shared_case(case: Path, workspace: Workspace) -> None:
    """The situations of public reports that lie beside the real logs."""
    expected = json.loads((case / "expected.json").read_text("utf-8"))
    ingest_logs([case / "input"], workspace.lake)
    processes = _search(workspace, "| from datamodel:Endpoint.Processes | sort 0 _time")
    wanted = expected.get("process_rows", [])
    number = expected.get("number_of_process_rows")
    if number is not None:
        assert len(processes) == number
    for row in wanted:
        told = {n: v for n, v in row.items() if v is not None}
        assert any(_matches(process, told) for process in processes), processes
    for search in expected.get("searches", []):
        found = _search(workspace, search["search"])
        assert found == [{n: _text(v) for n, v in row.items()} for row in search["rows"]]
    if "wmi_detection_rows" in expected:
        hunt = hunt_lake(plan_hunt(BUILTIN, names=[WMI]).detections, workspace)
        assert (
            sum(match.rows.num_rows for match, _ in hunt.hits()) == expected["wmi_detection_rows"]
        )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _matches(process: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(
        str(process.get(name)).startswith(str(value)[:19])
        if name == "_time"
        else process.get(name) == str(value)
        for name, value in wanted.items()
    )
