from __future__ import annotations

import json
from dataclasses import replace

import pytest

from escudo import content
from escudo.content import RiskConfig
from escudo.findings.notable import URGENCY, build_findings, rate_severity
from tests.findings.matches import column, detection, match, schemas

SCHEMA = schemas().notable
TTP = content.load().deployments["TTP"]


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (1, "informational"),
        (20, "informational"),
        (21, "low"),
        (40, "low"),
        (41, "medium"),
        (60, "medium"),
        (61, "high"),
        (80, "high"),
        (81, "critical"),
        (100, "critical"),
        (0, "high"),
    ],
)
def test_severity_by_the_highest_score(score: int, expected: str) -> None:
    found_by = detection(risk=[("user", "user", min(score, 1)), ("dest", "system", score)])
    assert rate_severity(found_by) == expected
    assert expected in URGENCY


def test_severity_without_risk() -> None:
    assert rate_severity(detection(risk=[])) == "high"


def test_a_finding_has_what_a_person_needs() -> None:
    (found,) = build_findings(match({"dest": ["h"], "user": ["D\\u"]}), TTP, SCHEMA).to_pylist()
    assert found["rule_title"] == found["rule_name"] == "Process Execution via WMI"
    assert found["rule_description"].startswith("Finds processes whose parent")
    assert found["search_name"] == "ESCU - Process Execution via WMI - Rule"
    assert found["security_domain"] == "endpoint"
    assert (found["severity"], found["urgency"]) == ("medium", "low")
    assert (found["status"], found["owner"], found["disposition"]) == (
        "new",
        "unassigned",
        "undetermined",
    )
    assert found["index"] == "notable"
    assert dict(found["_fields"]) == {"dest": "h", "user": "D\\u"}
    drilldowns = json.loads(found["drilldown_searches"])
    assert [d["name"] for d in drilldowns] == [
        'View the detection results for - "h" and "D\\u"',
        'View risk events for the last 7 days for - "h" and "D\\u"',
    ]
    assert drilldowns[0]["search"].endswith('| search dest = "h" user = "D\\\\u"')
    assert len(found["event_hash"]) == 32


def test_a_correlation_is_marked_and_a_finding_may_have_a_title_of_its_own() -> None:
    correlation = detection(type="Correlation")
    deployment = content.load().deployments["Correlation"]
    found = build_findings(match({"dest": ["h"]}, correlation), deployment, SCHEMA)
    assert column(found, "rule_title") == ["RBA: Process Execution via WMI"]
    risk = RiskConfig("m", (), finding_title="WMI on $dest$")
    titled = replace(detection(), risk=risk)
    found = build_findings(match({"dest": ["h"]}, titled), TTP, SCHEMA)
    assert column(found, "rule_title") == ["WMI on h"]


@pytest.mark.parametrize("kind", ["Anomaly", "Hunting", "Baseline"])
def test_types_without_findings(kind: str) -> None:
    deployment = content.load().deployments[kind]
    assert build_findings(match({"dest": ["h"]}), deployment, SCHEMA).num_rows == 0
