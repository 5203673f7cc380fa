"""Findings, some with values that would like to be more than values."""

from __future__ import annotations

from typing import Any

FORMULA = '=HYPERLINK("http://evil","x")'
INJECTED = "pc1\n<13>1 2026-01-01T00:00:00Z evil - - - - forged"


def make_finding(number: int = 1, **changed: Any) -> dict[str, Any]:
    """A finding as actions give it."""
    return {
        "finding_id": f"id{number}",
        "search_name": "ESCU - Process Execution via WMI - Rule",
        "orig_sid": "scheduler__escudo__x",
        "detection": "Process Execution via WMI",
        "detection_id": "24869767-8579-485d-9a4f-d9ddfd8f0cac",
        "detection_type": "TTP",
        "detection_status": "production",
        "_time": "2026-11-29T10:00:00.250Z",
        "severity": "medium",
        "host": f"pc{number}",
        "user": "PC1\\ann",
        "risk_objects": [{"field": "dest", "type": "system", "value": "pc1", "score": 49}],
        "risk_score": 49,
        "message": "wmiprvse.exe began cmd.exe",
        "mitre_attack_id": ["T1047", "T1059.001"],
        "tactics": ["Execution"],
        "analytic_story": ["Suspicious WMI Use"],
        "source_file": "a.xml",
        "row": {"dest": "pc1", "process": "cmd.exe /c whoami", "count": 2},
        **changed,
    }
