"""Detections that found something -> a layer for MITRE's ATT&CK Navigator; called by
``escudo hunt --navigator``.

Layer format 4.5 (mitre-attack/attack-navigator, layers/spec/v4.5/layerformat.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from escudo import __version__
from escudo.content import Detection
from escudo.findings.attack import find_techniques

_VERSIONS = {"navigator": "5.2.0", "layer": "4.5"}
"""Without a version of ATT&CK the Navigator takes its current one; a layer of format 4.5 needs a
Navigator of at least 4.9.0."""

_COLOURS = ("#ffe7a3", "#f28c28", "#b3001b")
_PLATFORM_URL = "https://attack.mitre.org/techniques/"
_MOST_NAMED = 50
"""Detections that the comment of a technique names: a comment is a tooltip."""


def build_layer(found: Iterable[tuple[Detection, int]], *, description: str = "") -> dict[str, Any]:
    """The layer of some detections, each with the number of rows that it found.

    The score of a technique is the number of rows of all its detections, its comment names them,
    the most rows first. Ids that ATT&CK does not have are left out (FND005 tells of them).

    >>> from escudo import content
    >>> wmi = content.load().detection("Process Execution via WMI")
    >>> layer = build_layer([(wmi, 3)])
    >>> [(t["techniqueID"], t["score"], t["comment"]) for t in layer["techniques"]]
    [('T1047', 3, 'Process Execution via WMI: 3 rows')]
    """
    by_technique: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for detection, rows in found:
        for technique in dict.fromkeys(detection.tags.mitre_attack_id):
            by_technique[technique].append((detection.name, rows))
    unknown = set(find_techniques(tuple(by_technique))[1])
    techniques = [
        _annotate(technique, by_technique[technique])
        for technique in sorted(by_technique)
        if technique not in unknown
    ]
    most = max((t["score"] for t in techniques), default=0)
    return {
        "name": "Escudo hunt",
        "versions": dict(_VERSIONS),
        "domain": "enterprise-attack",
        "description": description,
        "sorting": 3,
        "layout": {
            "layout": "side",
            "showID": True,
            "showName": True,
            "showAggregateScores": True,
            "countUnscored": False,
            "aggregateFunction": "sum",
            "expandedSubtechniques": "annotated",
        },
        "hideDisabled": False,
        "techniques": techniques,
        "gradient": {"colors": list(_COLOURS), "minValue": 0, "maxValue": max(most, 1)},
        "metadata": [{"name": "made by", "value": f"escudo {__version__}"}],
    }


def _annotate(technique: str, found: list[tuple[str, int]]) -> dict[str, Any]:
    ordered = sorted(found, key=lambda entry: (-entry[1], entry[0]))
    named = [f"{name}: {rows:,} row{'s' if rows != 1 else ''}" for name, rows in ordered]
    if len(named) > _MOST_NAMED:
        named[_MOST_NAMED:] = [f"and {len(named) - _MOST_NAMED:,} more detections"]
    return {
        "techniqueID": technique,
        "score": sum(rows for _, rows in found),
        "comment": "\n".join(named),
        "enabled": True,
        "metadata": [{"name": "detections", "value": f"{len(found):,}"}],
        "links": [{"label": technique, "url": _PLATFORM_URL + technique.replace(".", "/")}],
    }
