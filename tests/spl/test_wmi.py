"""The WMI detection and its drilldowns, as the content has them, over a table made by hand."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from escudo.core.schema import FieldType
from escudo.engines.duckdb.duckdb_engine import DuckDBEngine
from escudo.spl.compile import Compiled, compile_search
from tests.shared_engine import engine_over
from tests.spl.world import Words, World, stored

NOW = 1_700_000_000.0
DETECTION = r"""
| tstats `security_content_summariesonly` count min(_time) as firstTime max(_time) as lastTime
from datamodel=Endpoint.Processes where Processes.parent_process_name=WmiPrvSE.exe
NOT (Processes.process IN ("*\\dismhost.exe*"))
by Processes.dest Processes.user Processes.parent_process Processes.process_name Processes.process
Processes.process_id Processes.parent_process_id
| `drop_dm_object_name(Processes)`
| `security_content_ctime(firstTime)`
| `security_content_ctime(lastTime)`
| `process_execution_via_wmi_filter`
"""
RISK = """
| from datamodel Risk.All_Risk
| search normalized_risk_object IN ("host1", "user1") starthoursago=168
| stats count min(_time) as firstTime max(_time) as lastTime values(search_name) as "Search Name"
values(risk_message) as "Risk Message" values(analyticstories) as "Analytic Stories"
values(annotations._all) as "Annotations"
values(annotations.mitre_attack.mitre_tactic) as "ATT&CK Tactics" by normalized_risk_object
| `security_content_ctime(firstTime)` | `security_content_ctime(lastTime)`
"""
PROCESS = {
    "_time": NOW - 100,
    "dest": "host1",
    "user": "user1",
    "parent_process": "wmiprvse.exe -Embedding",
    "parent_process_name": "WMIPRVSE.EXE",
    "process_name": "cmd.exe",
    "process": "cmd /c whoami",
    "process_id": "10",
    "parent_process_id": "4",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    text = [n for n in PROCESS if n != "_time"]
    world.model(
        "Endpoint",
        "Processes",
        stored(*text, lower=("process_name", "parent_process_name")),
        [
            PROCESS,
            PROCESS | {"_time": NOW - 50},
            PROCESS | {"process": r"C:\x\DismHost.exe {1}"},
            PROCESS | {"parent_process_name": "explorer.exe"},
            PROCESS | {"user": None},
            PROCESS | {"process": r"powershell.exe -c 1", "user": "user2"},
        ],
    )
    risk = {"normalized_risk_object": "host1", "search_name": "A", "risk_message": "m"}
    world.model(
        "Risk",
        "All_Risk",
        (
            *stored("normalized_risk_object", "search_name", "risk_message", "annotations._all"),
            *stored(**{"annotations.mitre_attack.mitre_tactic": FieldType.MULTIVALUE}),
        ),
        [
            risk | {"_time": NOW - 3600, "annotations.mitre_attack.mitre_tactic": ["b", "a"]},
            risk | {"_time": NOW - 7200, "search_name": "B"},
            risk | {"_time": NOW - 169 * 3600, "search_name": "old"},
            risk | {"_time": NOW - 10, "normalized_risk_object": "other"},
        ],
    )
    return world


@pytest.fixture
def words() -> Words:
    words = Words()
    words.define("security_content_summariesonly", "summariesonly=false")
    words.define("drop_dm_object_name", "rename $x$.* as *", "x")
    words.define("security_content_ctime", 'convert timeformat="%Y-%m-%dT%H:%M:%S" ctime($f$)', "f")
    words.define("process_execution_via_wmi_filter", "search *")
    return words


def run(compiled: Compiled, engine: DuckDBEngine) -> pa.Table:
    rows = engine.run(compiled.query, compiled.scans, compiled.tables)
    return rows.rename_columns([name for name, _, _ in compiled.output])


def test_detection(world: World, words: Words) -> None:
    compiled = compile_search(DETECTION, world, words, now=NOW)
    rows = run(compiled, engine_over(world)).to_pylist()
    assert [(r["dest"], r["user"], r["process"], r["count"]) for r in rows] == [
        ("host1", "user1", "cmd /c whoami", 2),
        ("host1", "user2", "powershell.exe -c 1", 1),
    ]
    assert rows[0]["firstTime"] == "2023-11-14T22:11:40"
    assert rows[0]["lastTime"] == "2023-11-14T22:12:30"


def test_detection_reads_lower_cased_copies_and_only_what_it_needs(
    world: World, words: Words
) -> None:
    compiled = compile_search(DETECTION, world, words, now=NOW)
    sql = compiled.query.sql("duckdb")
    assert "\"parent_process_name__lower\" = 'wmiprvse.exe'" in sql
    (scan,) = compiled.scans
    assert "process_path" not in scan.columns
    assert "source" not in scan.columns


def test_original_search_drilldown(world: World, words: Words) -> None:
    text = DETECTION + '| search dest = "host1" user = "user2"'
    compiled = compile_search(text, world, words, now=NOW)
    assert run(compiled, engine_over(world)).column("user").to_pylist() == ["user2"]


def test_risk_drilldown(world: World, words: Words) -> None:
    compiled = compile_search(RISK, world, words, now=NOW)
    (row,) = run(compiled, engine_over(world)).to_pylist()
    assert row["count"] == 2
    assert row["Search Name"] == ["A", "B"]
    assert row["ATT&CK Tactics"] == ["a", "b"]
    assert row["Analytic Stories"] is None


def test_evidence(world: World, words: Words) -> None:
    compiled = compile_search(DETECTION, world, words, now=NOW, provenance=True)
    rows = run(compiled, engine_over(world)).to_pylist()
    assert [r["_event_id"] for r in rows] == [[0, 1], [5]]
    assert [r["source_file"] for r in rows] == [["test"], ["test"]]
