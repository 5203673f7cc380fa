from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from escudo.content import RiskConfig, RiskObject
from escudo.core.errors import Diagnostic
from escudo.core.timerange import TimeRange
from escudo.findings.risk import build_risk_events, sum_risk
from tests.findings.matches import NOW, column, detection, match, schemas

SCHEMA = schemas().risk


def test_an_event_has_the_fields_of_the_risk_index() -> None:
    found = match({"dest": ["HOST"], "user": ["u"], "odd field{}": [["x", "y"]]})
    (event,) = build_risk_events(found, SCHEMA).to_pylist()
    assert event["_time"].timestamp() == pytest.approx(NOW, abs=0.01)
    assert event["search_name"] == event["source"] == "ESCU - Process Execution via WMI - Rule"
    assert event["index"] == "risk"
    assert event["orig_sid"] == "sid"
    assert (event["risk_object"], event["risk_object_type"]) == ("HOST", "system")
    assert event["normalized_risk_object"] == "host"
    assert event["risk_score"] == 49
    assert event["risk_message"] == "on HOST"
    assert event["threat_object"] is None
    assert event["analyticstories"] == ["Suspicious WMI Use"]
    assert event["annotations.mitre_attack"] == ["T1047"]
    assert event["annotations.mitre_attack.mitre_technique_id"] == ["T1047"]
    assert event["annotations.mitre_attack.mitre_technique"] == [
        "Windows Management Instrumentation"
    ]
    assert event["annotations.mitre_attack.mitre_tactic"] == ["execution"]
    assert event["annotations.mitre_attack.mitre_tactic_id"] == ["TA0002"]
    assert {"T1047", "TTP", "Sysmon EventID 1", "Suspicious WMI Use"} <= set(
        event["annotations._all"]
    )
    assert event["savedsearch_description"] == found.detection.description
    assert event["contributing_events_search"].endswith('| search dest="HOST"')
    assert (event["info_min_time"], event["info_max_time"]) == (0.0, float("inf"))
    assert event["source_file"] == "a.evtx"
    assert dict(event["_fields"]) == {"dest": "HOST", "user": "u", "odd field{}": "x\x1ey"}


def test_it_fits_the_table() -> None:
    events = build_risk_events(match({"dest": ["a"]}), SCHEMA)
    arrow = SCHEMA.arrow()
    assert all(events.schema.field(n).type == arrow.field(n).type for n in events.column_names)


def test_one_event_for_each_object_and_value() -> None:
    found_by = detection(risk=[("dest", "system", 10), ("user", "user", 20)])
    rows = pa.table({"dest": ["a", "b"], "user": [["u", "v"], ["u"]]})
    events = build_risk_events(match(rows, found_by), SCHEMA)
    names = ("risk_object", "risk_object_type", "risk_score", "risk_message")
    assert sorted(zip(*(column(events, n) for n in names), strict=True)) == [
        ("a", "system", 10, "on a"),
        ("b", "system", 10, "on b"),
        ("u", "user", 20, "on a"),
        ("u", "user", 20, "on b"),
        ("v", "user", 20, "on a"),
    ]


@pytest.mark.parametrize("value", [None, "", "null", "NULL", "unknown", "Unknown", "-", "  "])
def test_nobody_is_reported_and_not_scored(value: str | None) -> None:
    seen: list[Diagnostic] = []
    rows = pa.table({"dest": pa.array(["a", value], pa.string())})
    events = build_risk_events(match(rows), SCHEMA, report=seen.append)
    assert column(events, "risk_object") == ["a"]
    assert [d.code for d in seen] == ["FND001"]
    assert "1 of 2 rows have no dest" in seen[0].message


def test_nobody_among_several_values() -> None:
    seen: list[Diagnostic] = []
    rows = pa.table({"dest": [["a", "unknown"], ["null"], []]})
    events = build_risk_events(match(rows), SCHEMA, report=seen.append)
    assert column(events, "risk_object") == ["a"]
    assert "2 of 3 rows" in seen[0].message


def test_fields_that_the_search_does_not_return() -> None:
    seen: list[Diagnostic] = []
    found_by = detection("$gone$ on $dest$", [("dest", "system", 1), ("user", "user", 1)])
    events = build_risk_events(match({"dest": ["a"]}, found_by), SCHEMA, report=seen.append)
    assert column(events, "risk_message") == ["unknown on a"]
    assert sorted(d.code for d in seen) == ["FND002", "FND003"]


def test_a_dataset_before_the_name_of_a_risk_field() -> None:
    found_by = detection(risk=[("Processes.dest", "system", 1)])
    assert column(build_risk_events(match({"dest": ["a"]}, found_by), SCHEMA), "risk_object") == [
        "a"
    ]


def test_threat_objects_of_a_row() -> None:
    found_by = detection(threats=[("process", "process"), ("src", "ip_address")])
    rows = pa.table(
        {"dest": ["a", "b"], "process": ["p", None], "src": [["1.1.1.1", "2.2.2.2"], None]}
    )
    events = build_risk_events(match(rows, found_by), SCHEMA)
    assert column(events, "threat_object") == [["p", "1.1.1.1", "2.2.2.2"], None]
    assert column(events, "threat_object_type") == [["process", "ip_address", "ip_address"], None]


def test_an_object_with_a_message_of_its_own() -> None:
    risk = RiskConfig("all", (RiskObject("dest", "system", 5, "mine: $dest$"),))
    found = match({"dest": ["a"]}, replace(detection(), risk=risk))
    assert column(build_risk_events(found, SCHEMA), "risk_message") == ["mine: a"]


@pytest.mark.parametrize(
    ("window", "now", "time"),
    [
        (TimeRange(), 5000, 4999.999),
        (TimeRange(800, 4400), 5000, 4399.999),
        (TimeRange(800, 9000), 5000, 4999.999),
        (TimeRange(6000, 9000), 5000, 6000),
    ],
)
def test_events_lie_in_the_window_of_their_run(window: TimeRange, now: float, time: float) -> None:
    events = build_risk_events(match({"dest": ["a"]}, window=window, now=now), SCHEMA)
    assert column(events, "_time")[0].timestamp() == pytest.approx(time)
    assert column(events, "info_min_time") == [window.earliest or 0.0]


def test_fields_of_the_row_do_not_replace_those_of_the_event() -> None:
    rows = {"dest": ["a"], "host": ["h"], "source": ["s"], "_time": [1.0], "risk_score": ["9"]}
    (event,) = build_risk_events(match(rows), SCHEMA).to_pylist()
    assert (event["host"], event["risk_score"]) == ("escudo", 49)
    assert event["orig_time"] == "1"
    assert dict(event["_fields"]) == {
        "dest": "a",
        "orig_host": "h",
        "orig_source": "s",
        "orig_risk_score": "9",
    }


def test_the_same_row_has_the_same_hash_and_another_row_another() -> None:
    first = build_risk_events(match({"dest": ["a", "b"], "n": [1, 1]}), SCHEMA)
    again = build_risk_events(match({"n": [1], "dest": ["a"]}, now=NOW + 600), SCHEMA)
    hashes = column(first, "event_hash")
    assert column(again, "event_hash") == hashes[:1]
    assert hashes[0] != hashes[1]


def test_no_rows_and_no_risk() -> None:
    assert (
        build_risk_events(match(pa.table({"dest": pa.array([], pa.string())})), SCHEMA).num_rows
        == 0
    )
    assert build_risk_events(match({"dest": ["a"]}, detection(risk=[])), SCHEMA).num_rows == 0


def test_totals() -> None:
    found_by = detection(risk=[("dest", "system", 10), ("user", "user", 30)])
    rows = {"dest": ["HOST", "host", "other"], "user": ["u", "u", "v"]}
    found = sum_risk(build_risk_events(match(rows, found_by), SCHEMA), SCHEMA)
    assert [
        (r["risk_object"], r["risk_object_type"], r["risk_score"], r["risk_event_count"])
        for r in found.to_pylist()
    ] == [
        ("u", "user", 60, 2),
        ("v", "user", 30, 1),
        ("HOST", "system", 20, 2),
        ("other", "system", 10, 1),
    ]
