"""Four findings of two detections, for tests of the queue and of what shows it."""

from __future__ import annotations

import json

import pyarrow as pa

from escudo.findings.judging import Schemas
from escudo.lake import Lake

HOUR = 3_600.0

ROWS = (
    # hash, hour, severity, detection, technique, host, user, command
    ("a", 1, "high", "WMI", "T1047", "DC01.corp", "CORP\\ana", "cmd /c x"),
    ("b", 2, "medium", "WMI", "T1047", "WS2.corp", "CORP\\ben", "cmd /c 100%_y"),
    ("c", 3, "critical", "Shell", "T1059.001", "WS2.corp", "CORP\\ana", "powershell"),
    ("d", 4, "low", "Shell", "T1059.003", "WS3.corp", "eve", "<b>' OR 1=1 --"),
)


DRILLDOWNS = (
    # name, search, earliest, latest
    ("five", "| makeresults count=5 | eval now=now()", "", ""),
    ("broken", "| nosuchcommand", "", ""),
    ("no time", "| makeresults", "soon", ""),
    ("for ever", "| makeresults count=40000000 | eval x=md5(random()) | stats dc(x)", "", ""),
)
"""Those of each finding."""


def write_findings(lake: Lake) -> None:
    """Writes ``ROWS``, dated at their hour after the epoch and found ten hours later."""
    schemas = Schemas.find(lake.snapshot())
    with lake.writer() as writer:
        writer.append_rows(schemas.notable.table, _make_findings(schemas))
        writer.append_rows(schemas.risk.table, _make_risk(schemas))
        writer.commit(kind="findings")


def _time(hours: float) -> int:
    return int(hours * HOUR * 1_000_000)


def _make_findings(schemas: Schemas) -> pa.Table:
    types = schemas.notable.arrow()
    rows = [
        {
            "_time": _time(hour),
            "_indextime": _time(10 + hour),
            "index": "notable",
            "event_hash": name,
            "rule_name": detection,
            "rule_title": f"{detection} title",
            "search_name": f"ESCU - {detection} - Rule",
            "severity": severity,
            "urgency": "medium",
            "status": "new",
            "owner": "unassigned",
            "disposition": "undetermined",
            "drilldown_searches": json.dumps(
                [
                    {"name": n, "search": search, "earliest": begin, "latest": end}
                    for n, search, begin, end in DRILLDOWNS
                ]
            ),
            "analyticstories": ["Story"] if detection == "WMI" else [],
            "annotations.mitre_attack.mitre_technique_id": [technique],
            "_fields": [("dest", host), ("user", user), ("process", command)],
        }
        for name, hour, severity, detection, technique, host, user, command in ROWS
    ]
    schema = pa.schema([types.field(name) for name in rows[0]])
    return pa.Table.from_pylist(rows, schema)


def _make_risk(schemas: Schemas) -> pa.Table:
    types = schemas.risk.arrow()
    rows = [
        {
            "_time": _time(hour),
            "index": "risk",
            "event_hash": name,
            "risk_object": entity,
            "risk_object_type": kind,
            "risk_score": 40,
            "risk_message": f"{command} on {host}",
        }
        for name, hour, _, _, _, host, user, command in ROWS
        for kind, entity in (("system", host), ("user", user))
    ]
    schema = pa.schema([types.field(name) for name in rows[0]])
    return pa.Table.from_pylist(rows, schema)
