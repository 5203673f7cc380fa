"""The WMI detection over logs of real attacks: which files, how much risk, and both drilldowns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from escudo import content
from escudo.core.timerange import ALL_TIME
from escudo.detect import Match, run_detection
from escudo.findings import drilldown, judge_match, tree
from escudo.findings.store import Written, write_judgements
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from tests.findings.matches import schemas
from tests.shared_data import SHARED, needs_shared
from tests.shared_engine import engine_over

pytestmark = [needs_shared, pytest.mark.slow]

NOW = 1_795_000_000.0
OWN = content.load()

ROWS = {
    "panache_sysmon_vs_EDRTestingScript.evtx": 1,
    "sysmon_10_1_memdump_comsvcs_minidump.evtx": 1,
    "LM_wmi_PoisonHandler_Mr-Un1k0d3r_sysmon_1_13.evtx": 4,
    "smbmap_upload_exec_sysmon.evtx": 3,
}


@pytest.fixture(scope="module")
def hunt() -> Iterator[tuple[Lake, Match]]:
    assert SHARED is not None
    files = [p for name in ROWS for p in (SHARED / "evtx").rglob(name)]
    files += list((SHARED / "evtx").rglob("DFIR_RDP_Client_TimeZone_RdpCoreTs_104_example.evtx"))
    with Lake.create_temporary() as lake:
        ingest(files, lake)
        found = OWN.detection("Process Execution via WMI")
        yield (
            lake,
            run_detection(found, lake, engine_over(lake), OWN.knowledge, within=ALL_TIME, now=NOW),
        )


def test_rows_and_their_files(hunt: tuple[Lake, Match]) -> None:
    _, match = hunt
    assert match.diagnostics == ()
    files = Counter(Path(f).name for names in match.source_files.to_pylist() for f in names)
    assert files == ROWS
    assert match.rows.num_rows == sum(ROWS.values())


def test_risk_findings_and_both_drilldowns(hunt: tuple[Lake, Match]) -> None:
    lake, match = hunt
    tables = schemas()
    judged = judge_match(match, OWN.deployments, tables)
    assert judged.diagnostics == ()
    assert set(judged.risk_events["risk_score"].to_pylist()) == {49}
    assert write_judgements(lake, [judged], tables) == Written(18, 9)
    engine = engine_over(lake)
    for row in range(match.rows.num_rows):
        results, risk = (
            drilldown.run_drilldown(d, engine, lake, OWN.knowledge, now=NOW).table
            for d in drilldown.fill_drilldowns(match, row)
        )
        assert match.rows.slice(row, 1).to_pylist()[0] in results.to_pylist()
        objects = set(risk["normalized_risk_object"].to_pylist())
        shown = match.rows.slice(row, 1).to_pylist()[0]
        assert objects == {shown["dest"].lower(), shown["user"].lower()}


def test_the_processes_around_a_hit(hunt: tuple[Lake, Match]) -> None:
    lake, match = hunt
    (row,) = [
        i
        for i, r in enumerate(match.rows.to_pylist())
        if r["process"] == "cmd.exe /c start ms-browser://"
    ]
    (found,) = tree.grow_trees(
        match.event_ids[row].as_py(), engine_over(lake), lake, within=match.window
    )
    assert str(found).splitlines() == [
        "WmiPrvSE.exe [4612]  C:\\Windows\\system32\\wbem\\wmiprvse.exe -secured -Embedding",
        "└─ * cmd.exe [4448]  cmd.exe /c start ms-browser://",
        '   └─ cmd.exe [2416]  "cmd.exe" /c notepad.exe',
        "      └─ notepad.exe [1344]  notepad.exe",
    ]
