"""The WMI detection over real attack logs: exactly the rows that the requirement names."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path, PurePath

import pytest

from tests.cli.conftest import Run, json_lines
from tests.shared_data import SHARED, needs_shared

DETECTION = "Process Execution via WMI"

# A file's stem -> result rows; counted by hand from the events and by a separate evaluator.
EXPECTED = {
    "evtx": {
        "panache_sysmon_vs_EDRTestingScript": 1,
        "sysmon_10_1_memdump_comsvcs_minidump": 1,
        "LM_wmi_PoisonHandler_Mr-Un1k0d3r_sysmon_1_13": 4,
        "smbmap_upload_exec_sysmon": 3,
    },
    "otrf": {
        "covenant_com_wsman_automation": 2,
        "covenant_sharpwmi_create_dcerpc_wmi": 2,
        "empire_wmic_add_user_backdoor": 2,
    },
}


def _stem(source_file: str) -> str:
    return PurePath(source_file.split("!")[0]).stem


@needs_shared
@pytest.mark.parametrize("folder", EXPECTED)
def test_the_wmi_detection_finds_exactly_the_known_rows(folder: str, escudo: Run) -> None:
    assert SHARED is not None
    done = escudo("hunt", SHARED / folder, "--detection", DETECTION, "--format", "jsonl")
    rows = json_lines(done.stdout)
    assert Counter(_stem(row["source_file"]) for row in rows) == EXPECTED[folder]
    for row in rows:
        assert row["detection"] == DETECTION
        assert row["detection_id"] == "24869767-8579-485d-9a4f-d9ddfd8f0cac"
        assert row["mitre_attack_id"] == ["T1047"]
        assert row["risk_score"] == 49
        assert row["message"].endswith(f"detected on host - {row['row']['dest']}")
        assert {(o["type"], o["score"]) for o in row["risk_objects"]} <= {
            ("system", 49),
            ("user", 49),
        }
        assert row["_time"].endswith("Z")
        assert row["row"]["parent_process_id"]


@needs_shared
def test_no_file_of_a_whole_folder_fails_and_no_event_is_lost(escudo: Run, tmp_path: Path) -> None:
    assert SHARED is not None
    place = tmp_path / "report.json"
    done = escudo("hunt", SHARED / "evtx", "--format", "jsonl", "--report", place)
    assert done.returncode == 0, done.stderr
    report = json.loads(place.read_text("utf-8"))
    # one of the 183 logs is there twice, byte for byte
    assert report["files"] == {"read": 182, "known": 1, "failed": 0}
    events = report["events"]
    assert events["read"] > 5_000
    assert events["read"] == events["normalised"] + events["kept_raw"] + events["rejected"]
    assert report["detections"]["failed"] == []
