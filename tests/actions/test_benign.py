"""The file of how often detections may fire on known-good logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo.actions.benign import read_allowed
from escudo.content import load
from escudo.core.errors import EscudoError

WMI = "24869767-8579-485d-9a4f-d9ddfd8f0cac"


@pytest.mark.parametrize(
    "text", ["Process Execution via WMI: 3\n", f"{WMI}: 3\n", "process execution via wmi: '3'\n"]
)
def test_a_detection_by_name_or_id(text: str, tmp_path: Path) -> None:
    file = tmp_path / "allow.yml"
    file.write_text(text)
    assert read_allowed(file, load()) == {WMI: 3}


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("Process Execution via WMI: many\n", "CLI041", ":1:28"),
        ("Process Execution via WMI: -1\n", "CLI041", ":1:28"),
        ("- 3\n", "CLI041", ":1:1"),
        ("a: [\n", "CLI041", ":2:1"),
        ("Nobody: 1\n", "CON205", ""),
    ],
)
def test_what_it_cannot_be(text: str, code: str, place: str, tmp_path: Path) -> None:
    file = tmp_path / "allow.yml"
    file.write_text(text)
    with pytest.raises(EscudoError) as error:
        read_allowed(file, load())
    assert error.value.code == code
    assert place in str(error.value)


def test_an_empty_file_allows_nothing(tmp_path: Path) -> None:
    file = tmp_path / "allow.yml"
    file.write_text("")
    assert read_allowed(file, load()) == {}
