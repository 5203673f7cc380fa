"""Real logs -> rows: the processes that WMI started, counted by hand in the raw events."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from escudo.cim.normalise import Normaliser
from escudo.engines.duckdb import connect
from escudo.sources.opening import LogStream, open_logs
from escudo.sources.reading import RawBatch, read
from tests.families import FAMILIES
from tests.shared_data import SHARED, needs_shared

WMI_PROCESSES = {
    "evtx/**/panache_sysmon_vs_EDRTestingScript.evtx": 1,
    "evtx/**/sysmon_10_1_memdump_comsvcs_minidump.evtx": 1,
    "evtx/**/LM_wmi_PoisonHandler_Mr-Un1k0d3r_sysmon_1_13.evtx": 4,
    "evtx/**/smbmap_upload_exec_sysmon.evtx": 3,
    # each process is logged by Sysmon and by Security
    "otrf/covenant_com_wsman_automation.zip": 2,
    "otrf/covenant_sharpwmi_create_dcerpc_wmi.zip": 2,
    "otrf/empire_wmic_add_user_backdoor.zip": 2,
}


def batches(path: Path) -> list[RawBatch]:
    streams = (s for s in open_logs([path]) if isinstance(s, LogStream))
    return [b for s in streams for b in read(s, FAMILIES) if isinstance(b, RawBatch)]


@needs_shared
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param(p, n, marks=[pytest.mark.slow] if p.startswith("otrf") else [])
        for p, n in WMI_PROCESSES.items()
    ],
)
def test_processes_that_wmi_started(pattern: str, expected: int) -> None:
    assert SHARED is not None
    [path] = SHARED.glob(pattern)
    normaliser = Normaliser(connect(threads=1))
    found = 0
    for batch in batches(path):
        for rows in normaliser.normalise(batch):
            if rows.table == "endpoint_processes":
                by_wmi = pc.equal(rows.data["parent_process_name_lc"], "wmiprvse.exe")
                found += pc.sum(by_wmi).as_py() or 0
    assert found == expected


@needs_shared
@pytest.mark.slow
def test_every_event_is_accounted_for() -> None:
    assert SHARED is not None
    normaliser = Normaliser(connect(threads=1))
    events, normalised = 0, 0
    families: Counter[str] = Counter()
    for batch in batches(SHARED / "evtx"):
        size = batch.table.num_rows
        ids = pa.array(range(events, events + size), pa.int64())
        place = batch.table.schema.get_field_index("_event_id")
        numbered = batch.table.set_column(place, batch.table.schema.field(place), ids)
        events += size
        families[batch.family.name] += size
        made = normaliser.normalise(RawBatch(batch.family, numbered))
        normalised += len({i for rows in made for i in rows.data["_event_id"].to_pylist()})
    assert families["sysmon"] > 2000
    assert normaliser.counts.events == events
    # the successes of machine accounts are taken, but are no part of the Authentication model
    assert 0 <= events - normalised - normaliser.counts.raw_only <= 30
