"""The app label of content: the first part of its saved searches' names."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo import content
from escudo.content.cached import digest_folders
from tests.content.yaml_files import DETECTION, put

CUSTOM = "Custom Splunk Content Pack - A Detection - Rule"
"""contentctl's own default label (contentctl, objects/config.py, CustomApp)."""


def _name(*paths: Path) -> str:
    return content.load(paths, builtin=False).detection("A Detection").search_name


def test_content_without_a_configuration_is_not_called_escu(tmp_path: Path) -> None:
    put(tmp_path, "detections/a.yml", DETECTION)
    put(tmp_path, "macros/m.yml", "name: m\ndefinition: x\n")
    assert _name(tmp_path) == CUSTOM


@pytest.mark.parametrize("given", [".", "detections", "detections/a.yml"])
def test_the_label_of_a_checkout_holds_for_each_part_of_it(given: str, tmp_path: Path) -> None:
    put(tmp_path, "contentctl.yml", "app:\n  appid: acme\n  label: ACME\n")
    put(tmp_path, "detections/a.yml", DETECTION)
    put(tmp_path, "macros/m.yml", "name: m\ndefinition: x\n")
    assert _name(tmp_path / given) == "ACME - A Detection - Rule"


def test_a_folder_of_files_may_have_a_configuration(tmp_path: Path) -> None:
    put(tmp_path, "contentctl.yml", "app:\n  label: ACME\n")
    put(tmp_path, "a.yml", DETECTION)
    loaded = content.load([tmp_path], builtin=False)
    assert [d.search_name for d in loaded.detections] == ["ACME - A Detection - Rule"]
    assert loaded.diagnostics == ()


def test_two_folders_keep_their_labels(tmp_path: Path) -> None:
    put(tmp_path, "one/contentctl.yml", "app: {label: ONE}\n")
    put(tmp_path, "one/a.yml", DETECTION)
    put(tmp_path, "two/contentctl.yml", "app: {label: TWO}\n")
    put(
        tmp_path,
        "two/b.yml",
        DETECTION.replace("A Detection", "B").replace("555555555555", "5" * 11 + "6"),
    )
    loaded = content.load([tmp_path / "one", tmp_path / "two"], builtin=False)
    names = [d.search_name for d in loaded.detections]
    assert names == ["ONE - A Detection - Rule", "TWO - B - Rule"]


@pytest.mark.parametrize(
    ("text", "codes"),
    [("app:\n  label: [a]\n", ["CON102"]), ("app: [\n", ["CON101"]), ("title: x\n", [])],
    ids=["a label that is no text", "no YAML", "without a label"],
)
def test_a_configuration_that_is_wrong_is_told(text: str, codes: list[str], tmp_path: Path) -> None:
    put(tmp_path, "contentctl.yml", text)
    put(tmp_path, "a.yml", DETECTION)
    loaded = content.load([tmp_path], builtin=False)
    assert [d.search_name for d in loaded.detections] == [CUSTOM]
    assert [d.code for d in loaded.diagnostics] == codes
    assert loaded.failed_files == len(codes)


def test_another_label_is_other_content_to_the_cache(tmp_path: Path) -> None:
    put(tmp_path, "detections/a.yml", DETECTION)
    put(tmp_path, "macros/m.yml", "name: m\ndefinition: x\n")
    part = tmp_path / "detections"
    before = digest_folders([part])
    put(tmp_path, "contentctl.yml", "app: {label: ACME}\n")
    assert digest_folders([part]) != before


def test_an_app_has_the_names_of_its_saved_searches(tmp_path: Path) -> None:
    saved = (
        "[Logins at night]\nsearch = index=main\n[ACME - Odd Logins - Rule]\nsearch = index=main\n"
    )
    put(tmp_path, "default/savedsearches.conf", saved)
    loaded = content.load([tmp_path], builtin=False)
    names = {d.name: d.search_name for d in loaded.detections}
    assert names == {
        "Logins at night": "Logins at night",
        "Odd Logins": "ACME - Odd Logins - Rule",
    }
