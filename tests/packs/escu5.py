"""A pack -> the same content in the format of ESCU 5, which contentctl 5.6.2 reads.

What contentctl does not know (``negative``, ``rows``, ``drilldowns``) is left out; it has no tests
that must find nothing. Macros and deployments that come with Escudo are written beside.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from escudo.content.loading import BUILTIN_FOLDER

_MACROS = (
    "security_content_ctime",
    "security_content_summariesonly",
    "summariesonly_config",
    "oldsummaries_config",
    "fillnull_config",
)
_TAGS = ("analytic_story", "asset_type", "mitre_attack_id", "product", "security_domain")
_STORY_TAGS = ("category", "product", "usecase")

Document = dict[str, Any]


def write_escu5(pack: Path, folder: Path) -> None:
    """Writes a pack's content to an empty folder."""
    for kind, convert in _CONVERTERS.items():
        for file in sorted((pack / kind).rglob("*.yml")):
            document = yaml.safe_load(file.read_text("utf-8"))
            _dump(folder / kind / file.relative_to(pack / kind), convert(document))
    for name in _MACROS:
        file = BUILTIN_FOLDER / "macros" / f"{name}.yml"
        _dump(folder / "macros" / file.name, yaml.safe_load(file.read_text("utf-8")))
    for file in sorted((BUILTIN_FOLDER / "deployments").glob("*.yml")):
        document = _deployment(yaml.safe_load(file.read_text("utf-8")))
        name = document["name"].lower().replace(" ", "_")
        _dump(folder / "deployments" / f"{name}.yml", document)
    shutil.copytree(pack / "tests", folder / "tests")
    for empty in ("baselines", "lookups", "dashboards", "investigations", "playbooks", "removed"):
        (folder / empty).mkdir(exist_ok=True)
    shutil.copy(pack / "contentctl.yml", folder / "contentctl.yml")


def _dump(path: Path, document: Document) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")


def _dated(document: Document) -> Document:
    return {
        ("date" if name == "modification_date" else name): value
        for name, value in document.items()
        if name != "creation_date"
    }


def _detection(document: Document) -> Document:
    out = _dated(document)
    finding = out.pop("finding", None)
    entities = out.pop("intermediate_findings", {}).get("entities", [])
    threats = out.pop("threat_objects", [])
    if finding or entities:
        message = finding["title"] if finding else entities[0]["message"]
        objects = [finding["entity"]] if finding else []
        objects += [{k: e[k] for k in ("field", "type", "score")} for e in entities]
        out["rba"] = {"message": message, "risk_objects": objects, "threat_objects": threats}
    out.pop("category")
    out["tags"] = {name: out.pop(name) for name in _TAGS}
    tests = [t for t in out.pop("tests") if not t.get("negative")]
    out["tests"] = [{"name": t["name"], "attack_data": t["attack_data"]} for t in tests]
    return out


def _story(document: Document) -> Document:
    out = _dated(document)
    out["tags"] = {name: out.pop(name) for name in _STORY_TAGS}
    return out


def _macro(document: Document) -> Document:
    return {
        k: v for k, v in document.items() if k in ("name", "definition", "description", "arguments")
    }


def _deployment(document: Document) -> Document:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, document["name"])),
        "date": "2026-11-29",
        "author": "Escudo",
        "version": 1,
        **document,
        "name": f"ESCU Default Configuration {document['type']}",
    }


_CONVERTERS: Mapping[str, Any] = {
    "detections": _detection,
    "stories": _story,
    "macros": _macro,
    "data_sources": _dated,
}
