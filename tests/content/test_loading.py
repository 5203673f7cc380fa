from __future__ import annotations

from pathlib import Path

import pytest

from escudo.content.loading import load_layer, merge
from escudo.core.errors import EscudoError
from tests.content.yaml_files import DETECTION, MACRO, STORY, put


def codes(folder: Path) -> list[str]:
    return [d.code for d in load_layer(folder).diagnostics]


def test_a_checkout_is_read_by_its_folders_only(tmp_path: Path) -> None:
    put(tmp_path, "detections/endpoint/a.yml", DETECTION)
    put(tmp_path, "macros/m.yml", MACRO)
    put(tmp_path, "stories/s.yml", STORY)
    put(tmp_path, "contentctl.yml", "app:\n  label: OURS\n")
    put(tmp_path, "playbooks/p.yml", "anything: 1\n")
    layer = load_layer(tmp_path)
    assert layer.diagnostics == []
    assert layer.detections["a detection"].search_name == "OURS - A Detection - Rule"
    assert list(layer.macros) == [("a_macro", 1)]
    assert list(layer.stories) == ["a story"]
    assert layer.files == 3


def test_a_plain_folder_is_read_by_what_the_files_say(tmp_path: Path) -> None:
    put(tmp_path, "x/a.yaml", DETECTION)
    put(tmp_path, "m.yml", MACRO)
    put(tmp_path, ".git/config.yml", "a: 1")
    put(tmp_path, "other.yml", "version: 3\nservices: {}\n")
    layer = load_layer(tmp_path)
    assert list(layer.detections) == ["a detection"]
    assert [(d.code, Path(str(d.span.file)).name) for d in layer.diagnostics if d.span] == [
        ("CON107", "other.yml")
    ]


def test_one_file(tmp_path: Path) -> None:
    assert list(load_layer(put(tmp_path, "a.yml", DETECTION)).detections) == ["a detection"]


def test_a_bad_file_loses_no_other(tmp_path: Path) -> None:
    put(tmp_path, "detections/good.yml", DETECTION)
    put(tmp_path, "detections/broken.yml", "name: [")
    put(tmp_path, "detections/no_search.yml", "name: x\ntype: TTP\n")
    put(tmp_path, "detections/empty.yml", "")
    (tmp_path / "detections" / "binary.yml").write_bytes(b"\xff\xfe\x00\x81")
    layer = load_layer(tmp_path)
    assert list(layer.detections) == ["a detection"]
    assert sorted({d.code for d in layer.diagnostics}) == ["CON002", "CON101", "CON103", "CON107"]
    assert (layer.files, layer.failed_files) == (5, 3)
    assert all(d.span is not None for d in layer.diagnostics)


def test_the_same_name_twice_is_an_error_of_the_second(tmp_path: Path) -> None:
    put(tmp_path, "detections/a.yml", DETECTION)
    put(tmp_path, "detections/b.yml", DETECTION.replace("version: 3", "version: 4"))
    layer = load_layer(tmp_path)
    assert layer.detections["a detection"].version == 3
    assert [d.code for d in layer.diagnostics] == ["CON201"]


def test_the_same_id_twice_is_an_error(tmp_path: Path) -> None:
    put(tmp_path, "detections/a.yml", DETECTION)
    put(tmp_path, "detections/b.yml", DETECTION.replace("A Detection", "Other"))
    assert codes(tmp_path) == ["CON201"]


def test_a_later_layer_replaces_by_name_and_by_id(tmp_path: Path) -> None:
    put(tmp_path, "one/a.yml", DETECTION)
    put(tmp_path, "two/a.yml", DETECTION.replace("A Detection", "Renamed"))
    merged = merge([load_layer(tmp_path / "one"), load_layer(tmp_path / "two")])
    assert [d.name for d in merged.detections.values()] == ["Renamed"]


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EscudoError, match="CON001"):
        load_layer(tmp_path / "nothing")


def test_in_a_checkout_the_folder_says_which_kind_of_search_it_is(tmp_path: Path) -> None:
    put(tmp_path, "investigations/i.yml", "name: I\nsearch: x $dest$\n")
    put(tmp_path, "baselines/b.yml", "name: B\nsearch: x\ntype: Baseline\n")
    put(tmp_path, "detections/m.yml", MACRO)
    layer = load_layer(tmp_path)
    assert layer.diagnostics == []
    assert (list(layer.investigations), list(layer.baselines)) == (["i"], ["b"])
    assert list(layer.macros) == [("a_macro", 1)]
