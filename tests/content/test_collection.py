from __future__ import annotations

from pathlib import Path

import pytest

from escudo import content
from escudo.core.errors import EscudoError
from tests.content.yaml_files import DETECTION, put


def test_a_detection_is_found_by_name_in_any_case_id_and_search_name() -> None:
    loaded = content.load()
    wanted = loaded.detection("Process Execution via WMI")
    for name in (
        "process execution VIA wmi",
        "24869767-8579-485d-9a4f-d9ddfd8f0cac",
        "ESCU - Process Execution via WMI - Rule",
    ):
        assert loaded.detection(name) is wanted


def test_an_unknown_detection_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(EscudoError) as caught:
        content.load().detection("Process Execution via WMY")
    assert caught.value.code == "CON205"
    assert caught.value.diagnostic.hint == "did you mean 'Process Execution via WMI'?"


def test_own_content_is_replaced_by_a_checkout(tmp_path: Path) -> None:
    own = content.load().detection("Process Execution via WMI")
    text = DETECTION.replace("11111111-2222-3333-4444-555555555555", own.id)
    put(tmp_path, "detections/a.yml", text)
    loaded = content.load([tmp_path])
    assert [d.name for d in loaded.detections if d.id == own.id] == ["A Detection"]


def test_saved_searches_lookups_and_bare_csv_files(tmp_path: Path) -> None:
    put(tmp_path, "detections/a.yml", DETECTION)
    put(tmp_path, "lookups/l.yml", "name: l\nfilename: l.csv\n")
    put(tmp_path, "lookups/l.csv", "x\n")
    put(tmp_path, "lookups/bare.csv", "x\n")
    knowledge = content.load([tmp_path], builtin=False).knowledge
    assert knowledge.saved_search(
        "Custom Splunk Content Pack - A Detection - Rule"
    ) == knowledge.saved_search("a detection")
    assert set(knowledge.lookups()) == {"l", "l.csv", "bare.csv"}
    assert knowledge.saved_search("nothing") is None
