"""Files that findings are added to, and the OCSF form of a finding."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from escudo.core.errors import EscudoError
from escudo.sinks.files import CSV_FIELDS
from escudo.sinks.ocsf import build_ocsf
from escudo.sinks.opening import open_sink
from tests.sinks.hostile import FORMULA, INJECTED, make_finding


def test_json_lines_are_the_findings(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    findings = [make_finding(1, message=INJECTED), make_finding(2, host="caf\udce9")]
    for finding in findings:
        assert open_sink(f"jsonl:{path}").send([finding]).sent == 1
    lines = path.read_text().splitlines()
    assert json.loads(lines[0]) == findings[0]
    assert json.loads(lines[1])["host"] == "caf\\udce9"


def test_a_cell_of_csv_is_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    sink = open_sink(f"csv:{path}")
    sink.send([make_finding(1, message=FORMULA, user="+1", host="-2")])
    sink.send([make_finding(2, message=INJECTED)])
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == CSV_FIELDS
    assert [rows[0][n] for n in ("message", "user", "host")] == [f"'{FORMULA}", "'+1", "'-2"]
    assert rows[0]["mitre_attack_id"] == "T1047; T1059.001"
    assert rows[1]["message"] == INJECTED
    assert len(rows) == 2


def test_a_csv_of_other_columns_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(EscudoError) as raised:
        open_sink(f"csv:{path}")
    assert raised.value.code == "SNK005"
    assert path.read_text() == "a,b\n1,2\n"


def test_a_file_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    delivery = open_sink(f"jsonl:{tmp_path}/no/such/f.jsonl").send([make_finding()])
    assert delivery.failed == 1
    assert "No such file" in delivery.failures[0].reason


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"message": None, "host": None, "user": None, "risk_score": None, "risk_objects": []},
        {"mitre_attack_id": [], "severity": "critical"},
        {"mitre_attack_id": ["T9999"], "severity": "informational"},
    ],
)
def test_the_ocsf_form_is_valid(changed: dict[str, object]) -> None:
    models = pytest.importorskip("py_ocsf_models.events.findings.detection_finding")
    made = build_ocsf(make_finding(**changed))
    checked = models.DetectionFinding.model_validate(json.loads(json.dumps(made)))
    assert checked.class_uid == 2004
    assert checked.finding_info.uid == "id1"


def test_the_ocsf_form_says_what_the_finding_does() -> None:
    made = build_ocsf(make_finding())
    attacks = made["finding_info"]["attacks"]
    assert attacks[0]["technique"]["uid"] == "T1047"
    assert attacks[0]["tactic"] == {"uid": "TA0002", "name": "Execution"}
    assert attacks[1]["technique"]["uid"] == "T1059"
    assert attacks[1]["sub_technique"] == {"uid": "T1059.001", "name": "PowerShell"}
    assert (made["severity"], made["severity_id"], made["risk_score"]) == ("Medium", 3, 49)
    assert made["time"] == 1795946400250
    assert made["observables"][0]["value"] == "pc1"
