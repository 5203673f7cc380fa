"""The built-in detection *Process Execution via WMI* with generated logs -> a repository that
contentctl 5.6.2 tests."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import yaml

from escudo.content.loading import BUILTIN_FOLDER
from escudo.generate.generate import generate
from tests.packs.escu5 import write_escu5

DETECTION = "detections/endpoint/process_execution_via_wmi.yml"
NAME = "Process Execution via WMI"
_SOURCE = "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational"
_EVENTS = 2_000

_CONFIGURATION = {
    "path": ".",
    "app": {
        "uid": 16016,
        "title": "Escudo",
        "appid": "escudo_tested",
        "version": "1.0.0",
        "description": "A built-in detection, for a test.",
        "prefix": "ESCU",
        "label": "ESCU",
        "author_name": "Escudo",
        "author_email": "escudo@example.com",
        "author_company": "Escudo",
    },
}


def write_repository(folder: Path) -> int:
    """Writes the repository; gives how many rows the detection finds in its logs."""
    pack = folder.with_name(f"{folder.name}-pack")
    for kind in ("detections/endpoint", "macros", "stories", "data_sources", "tests"):
        (pack / kind).mkdir(parents=True)
    (pack / "contentctl.yml").write_text(yaml.safe_dump(_CONFIGURATION))
    for name in ("drop_dm_object_name", "process_execution_via_wmi_filter"):
        file = f"macros/{name}.yml"
        (pack / file).write_bytes((BUILTIN_FOLDER / file).read_bytes())
    folder.mkdir()
    write_escu5(pack, folder)
    log = folder / "tests" / "wmi.log"
    answers = generate(_EVENTS, 7, "xml", log)
    _dump(folder / DETECTION, _convert_detection(log))
    _dump(folder / "stories/suspicious_wmi_use.yml", _convert_story())
    _dump(folder / "data_sources/sysmon_eventid_1.yml", _make_data_source())
    return answers.expected(NAME)


def _convert_detection(log: Path) -> dict[str, Any]:
    detection = _load("detections/process_execution_via_wmi.yml")
    tags = detection["tags"]
    message, score = tags.pop("message"), tags.pop("risk_score")
    for name in ("confidence", "impact", "observable", "required_fields"):
        del tags[name]
    detection["data_source"] = ["Sysmon EventID 1"]
    detection["date"] = str(detection["date"])
    detection["rba"] = {
        "message": message,
        "risk_objects": [
            {"field": "dest", "type": "system", "score": score},
            {"field": "user", "type": "user", "score": score},
        ],
        "threat_objects": [],
    }
    data = {"data": str(log), "source": _SOURCE, "sourcetype": "XmlWinEventLog"}
    detection["tests"] = [{"name": "True Positive Test", "attack_data": [data]}]
    return detection


def _convert_story() -> dict[str, Any]:
    story = _load("stories/suspicious_wmi_use.yml")
    story["date"] = str(story["date"])
    story["status"] = "production"
    return story


def _make_data_source() -> dict[str, Any]:
    return {
        "name": "Sysmon EventID 1",
        "id": "b375f4d1-d7ca-4bc0-9103-294825c0af17",
        "version": 1,
        "date": "2026-11-29",
        "author": "Escudo",
        "description": "Processes that Sysmon saw begin.",
        "source": _SOURCE,
        "sourcetype": "XmlWinEventLog",
        "separator": "EventID",
        "supported_TA": [],
        "fields": ["dest", "user", "parent_process_name", "process"],
        "example_log": "<Event/>",
    }


def _load(file: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((BUILTIN_FOLDER / file).read_text("utf-8"))
    return document


def _dump(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    yaml.safe_dump(document, text, sort_keys=False)
    path.write_text(text.getvalue(), "utf-8")
