"""A small repository of content whose detections have tests; for tests of ``escudo test``."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import yaml

from escudo.content.starter_packs import find_starter_pack

PACK = find_starter_pack("suspicious-wmi-use")
DATA = PACK / "tests" / "wmi_provider_host_started_a_script_interpreter"
"""Its attack is ``cmd.exe`` and ``powershell.exe`` below WmiPrvSE.exe on one host."""
SYSMON = {
    "source": "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational",
    "sourcetype": "XmlWinEventLog",
}
SEARCH = (
    "| tstats `security_content_summariesonly` count from datamodel=Endpoint.Processes"
    " where Processes.parent_process_name=WmiPrvSE.exe Processes.process_name={}"
    " by Processes.dest Processes.user Processes.process_name"
    " | `drop_dm_object_name(Processes)` | `{}_filter`"
)


def make_checkout(root: Path) -> Path:
    """An empty repository with data of an attack, ``tests/attack.xml``."""
    for folder in ("detections", "macros", "lookups", "tests"):
        (root / folder).mkdir(parents=True)
    (root / "tests" / "attack.xml").write_bytes((DATA / "attack.xml").read_bytes())
    return root


def write_detection(root: Path, name: str, program: str, **changes: Any) -> Path:
    """A detection of programs below WmiPrvSE.exe, in a checkout."""
    slug = name.lower().replace(" ", "_")
    document: dict[str, Any] = {
        "name": name,
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        "version": 1,
        "date": "2026-01-01",
        "author": "Test",
        "status": "production",
        "type": "TTP",
        "description": "d",
        "data_source": [],
        "search": SEARCH.format(program, slug),
        "how_to_implement": "h",
        "known_false_positives": "k",
        "rba": {
            "message": "seen on $dest$",
            "risk_objects": [{"field": "dest", "type": "system", "score": 50}],
            "threat_objects": [],
        },
        "tests": [{"name": "finds", "attack_data": [{"data": "tests/attack.xml", **SYSMON}]}],
        **changes,
    }
    path = root / "detections" / f"{slug}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    return path
