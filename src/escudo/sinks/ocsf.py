"""A finding -> a Detection Finding of the Open Cybersecurity Schema Framework (OCSF 1.5, class
2004); sinks write it where ``format=ocsf`` asks for it.

Source: https://schema.ocsf.io/1.5.0/classes/detection_finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from escudo import __version__
from escudo.findings.attack import find_techniques
from escudo.sinks.sink import Finding

OCSF_VERSION = "1.5.0"
_CLASS, _CATEGORY, _CREATE = 2004, 2, 1
_SEVERITIES = {
    "informational": (1, "Informational"),
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}
_UNKNOWN = (0, "Unknown")
_RULE = 1
_HOSTNAME, _USER_NAME, _OTHER = 1, 4, 99
_OBSERVABLES = {"system": (_HOSTNAME, "Hostname"), "user": (_USER_NAME, "User Name")}


def build_ocsf(finding: Finding) -> dict[str, Any]:
    """The Detection Finding of a finding; the fields of its row are under ``unmapped``.

    >>> made = build_ocsf({"finding_id": "7f", "detection": "WMI", "detection_id": "d1",
    ...     "_time": "2026-11-29T10:00:00.000Z", "severity": "high", "message": "m", "row": {}})
    >>> made["class_uid"], made["type_uid"], made["severity_id"], made["finding_info"]["title"]
    (2004, 200401, 4, 'WMI')
    """
    millis = round(datetime.fromisoformat(str(finding["_time"])).timestamp() * 1000)
    severity_id, severity = _SEVERITIES.get(str(finding.get("severity")), _UNKNOWN)
    objects = finding.get("risk_objects") or []
    out: dict[str, Any] = {
        "activity_id": _CREATE,
        "activity_name": "Create",
        "category_uid": _CATEGORY,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Detection Finding",
        "type_uid": _CLASS * 100 + _CREATE,
        "type_name": "Detection Finding: Create",
        "time": millis,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 1,
        "status": "New",
        "message": finding.get("message") or finding["detection"],
        "metadata": {
            "version": OCSF_VERSION,
            "uid": finding["finding_id"],
            "product": {"name": "Escudo", "vendor_name": "Escudo", "version": __version__},
        },
        "finding_info": {
            "uid": finding["finding_id"],
            "title": finding["detection"],
            "desc": finding.get("message") or finding["detection"],
            "created_time": millis,
            "types": [finding["detection_type"]] if finding.get("detection_type") else [],
            "analytic": {
                "type_id": _RULE,
                "type": "Rule",
                "name": finding["detection"],
                "uid": finding.get("detection_id"),
            },
            "attacks": list(_list_attacks(finding)),
        },
        "resources": [{"name": o["value"], "type": o["type"]} for o in objects],
        "observables": [_build_observable(o) for o in objects],
        "unmapped": finding.get("row") or {},
    }
    if finding.get("risk_score") is not None:
        out["risk_score"] = int(finding["risk_score"])
    return out


def _build_observable(scored: Mapping[str, Any]) -> dict[str, Any]:
    type_id, kind = _OBSERVABLES.get(scored["type"], (_OTHER, "Other"))
    return {
        "name": f"unmapped.{scored['field']}",
        "type_id": type_id,
        "type": kind,
        "value": scored["value"],
    }


def _list_attacks(finding: Finding) -> Iterator[dict[str, Any]]:
    """Each technique with its first tactic; a sub-technique beside the technique it is of."""
    techniques, _ = find_techniques(finding.get("mitre_attack_id") or ())
    for technique in techniques:
        attack: dict[str, Any] = {}
        parent, _, _ = technique.id.partition(".")
        named = {"uid": technique.id, "name": technique.name}
        if parent == technique.id:
            attack["technique"] = named
        else:
            parents, _ = find_techniques([parent])
            name = parents[0].name if parents else technique.name
            attack["technique"] = {"uid": parent, "name": name}
            attack["sub_technique"] = named
        if technique.tactics:
            tactic = technique.tactics[0]
            attack["tactic"] = {"uid": tactic.id, "name": tactic.name}
        yield attack
