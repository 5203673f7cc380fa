"""What an argument stands for: SPL, a file of it, content, a detection's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo import content
from escudo.actions.named_search import NamedSearch, find_detection, find_searches
from escudo.core.errors import EscudoError

OWN = content.load()
WMI = OWN.detection("Process Execution via WMI")
YAML = "name: {name}\nid: {name}\ntype: TTP\nsearch: search a=1\n"


def test_spl_is_itself() -> None:
    assert find_searches("index=a | head 1", OWN) == [NamedSearch("<search>", "index=a | head 1")]


def test_a_text_too_long_for_a_path_is_spl() -> None:
    text = "search " + "a" * 5000
    assert find_searches(text, OWN)[0].text == text


def test_a_file_of_spl(tmp_path: Path) -> None:
    file = tmp_path / "a.spl"
    file.write_text("index=a")
    assert find_searches(str(file), OWN) == [NamedSearch("a.spl", "index=a", str(file))]


def test_a_folder_of_content(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.yml").write_text(YAML.format(name=name))
    found = find_searches(str(tmp_path), OWN)
    assert [(s.name, s.text) for s in found] == [("a", "search a=1"), ("b", "search a=1")]
    assert all(s.place is not None for s in found)


def test_a_name_is_that_detection_in_any_case() -> None:
    (found,) = find_searches(WMI.name.upper(), OWN)
    assert (found.name, found.text, found.file) == (WMI.name, WMI.search, WMI.origin.file)


def test_a_detection_is_also_known_by_its_id() -> None:
    (found,) = find_detection(WMI.id, OWN)
    assert found.name == WMI.name
    assert find_detection("index=a | head 1", OWN)[0].name == "<search>"
    with pytest.raises(EscudoError, match="CON205"):
        find_detection("no such detection", OWN)


@pytest.mark.parametrize("argument", ["missing.yml", "missing.spl"])
def test_a_path_without_a_search(argument: str) -> None:
    with pytest.raises(EscudoError, match="CLI006"):
        find_searches(argument, OWN)
