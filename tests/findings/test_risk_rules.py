"""Risk events that detections give -> findings of the rules that look at an object's risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from escudo import content
from escudo.core.timerange import TimeRange
from escudo.detect import run_detection
from escudo.findings import drilldown, judge_match
from escudo.findings.store import write_judgements
from escudo.lake import Lake
from tests.findings.matches import NOW, detection, match, schemas
from tests.shared_engine import engine_over

OWN = content.load()
DAY = 86_400.0

SUM = "Risk Threshold Exceeded For Object Over 24 Hour Period"
TACTICS = "Attack Tactic Threshold Exceeded For Object Over Previous 7 Days"

Event = tuple[str, int, str, float]
"""Object, score, technique, age in days; each event is of a detection of its own."""

CASES: list[tuple[str, float, Sequence[Event], list[str]]] = [
    (SUM, 1, [("a", 60, "T1047", 0.1), ("a", 41, "T1047", 0.2)], ["a"]),
    (SUM, 1, [("a", 60, "T1047", 0.1), ("a", 40, "T1047", 0.2)], []),
    (SUM, 1, [("a", 60, "T1047", 0.1), ("b", 60, "T1047", 0.2)], []),
    (SUM, 1, [("HOST", 60, "T1047", 0.1), ("host", 60, "T1047", 0.2)], ["host"]),
    (SUM, 1, [("a", 60, "T1047", 0.1), ("a", 60, "T1047", 1.2)], []),
    (
        TACTICS,
        7,
        [("a", 1, t, i) for i, t in enumerate(["T1047", "T1003", "T1012", "T1082"])],
        ["a"],
    ),
    (TACTICS, 7, [("a", 1, t, i) for i, t in enumerate(["T1047", "T1003", "T1012"])], []),
    (
        TACTICS,
        7,
        [("a", 1, t, i) for i, t in enumerate(["T1047", "T1003", "T1059", "T1106"])],
        [],
    ),
]


@pytest.mark.parametrize(("name", "days", "events", "expected"), CASES)
def test_rules(name: str, days: float, events: Sequence[Event], expected: list[str]) -> None:
    tables = schemas()
    rule = OWN.detection(name)
    with Lake.create_temporary() as lake:
        judgements = []
        for i, (value, score, technique, age) in enumerate(events):
            by = detection(risk=[("dest", "system", score)], name=f"D{i}", id=f"id{i}")
            by = replace(by, tags=replace(by.tags, mitre_attack_id=(technique,)))
            found = match({"dest": [value], "n": [i]}, by, now=NOW - age * DAY)
            judgements.append(judge_match(found, OWN.deployments, tables))
        write_judgements(lake, judgements, tables)
        engine = engine_over(lake)
        window = TimeRange(NOW - days * DAY, NOW)
        found = run_detection(rule, lake, engine, OWN.knowledge, within=window, now=NOW)
        assert found.diagnostics == ()
        assert found.rows.num_rows == len(expected)
        if not expected:
            return
        assert found.rows["normalized_risk_object"].to_pylist() == expected
        judged = judge_match(found, OWN.deployments, tables)
        assert judged.findings["rule_title"].to_pylist() == [f"RBA: {name}"]
        assert judged.findings["severity"].to_pylist() == ["high"]
        assert judged.risk_events.num_rows == 0
        counts = [
            drilldown.run_drilldown(view, engine, lake, OWN.knowledge, now=NOW).table.num_rows
            for view in drilldown.fill_drilldowns(found, 0)
        ]
        assert counts == [1, len(events)]  # its own row, and the events behind it
