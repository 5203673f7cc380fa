"""What content names stays below the content's folder, however it is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from escudo import content
from escudo.content import DetectionTest
from escudo.content.elements.detection import AttackData
from escudo.content.loading import load_layer
from escudo.content.roots import find_root, stays_inside
from escudo.core.errors import EscudoError
from escudo.detect.attack_data import DataFinder, find_copy
from escudo.detect.testing import Outcome
from tests.content.yaml_files import DETECTION, MACRO, put
from tests.detection_tests import run_all_tests
from tests.findings.matches import detection


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    return put(tmp_path, "outside/secret.csv", "user,shell\nroot,/bin/sh\n")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    put(tmp_path, "checkout/detections/a.yml", DETECTION)
    put(tmp_path, "checkout/macros/m.yml", MACRO)
    (tmp_path / "checkout" / "lookups").mkdir()
    return tmp_path / "checkout"


@pytest.mark.parametrize(
    "named",
    [
        "../../outside/secret.csv",
        "../../../../../../../../etc/passwd",
        "/etc/passwd",
        "sub/../../../outside/secret.csv",
        '"a\\0b.csv"',
    ],
)
def test_a_lookup_whose_file_is_outside_is_refused(
    named: str, checkout: Path, secret: Path
) -> None:
    put(checkout, "lookups/stolen.yml", f"name: stolen\nfilename: {named}\n")
    layer = load_layer(checkout)
    assert [d.code for d in layer.diagnostics] == ["CON211"]
    assert layer.lookups == {}
    assert layer.failed_files == 1


def test_a_link_that_leads_out_is_not_read(checkout: Path, secret: Path) -> None:
    (checkout / "lookups" / "link.csv").symlink_to(secret)
    put(checkout, "lookups/link.yml", "name: link\nfilename: link.csv\n")
    (checkout / "macros" / "other.yml").symlink_to(secret)
    (checkout / "lookups" / "circle.csv").symlink_to(checkout / "lookups" / "circle.csv")
    loaded = content.load([checkout], builtin=False)
    assert {d.code for d in loaded.diagnostics} == {"CON211"}
    assert loaded.lookups == ()
    assert len(loaded.macros) == 1


def test_links_and_paths_that_stay_inside_are_read(checkout: Path, tmp_path: Path) -> None:
    put(checkout, "tables/real.csv", "a\n1\n")
    (checkout / "lookups" / "link.csv").symlink_to(checkout / "tables" / "real.csv")
    put(checkout, "lookups/one.yml", "name: one\nfilename: link.csv\n")
    put(checkout, "lookups/two.yml", "name: two\nfilename: ../tables/real.csv\n")
    (tmp_path / "by_link").symlink_to(checkout)
    for path in (checkout, tmp_path / "by_link"):
        loaded = content.load([path], builtin=False)
        assert loaded.diagnostics == ()
        assert {k.name for k in loaded.lookups if k.name in ("one", "two")} == {"one", "two"}


@pytest.mark.parametrize("given", ["", "detections", "detections/a.yml"])
def test_the_root_of_a_part_of_a_checkout_is_the_checkout(given: str, checkout: Path) -> None:
    assert find_root(checkout / given) == checkout


def test_a_folder_that_is_no_part_of_a_checkout_is_its_own_root(tmp_path: Path) -> None:
    file = put(tmp_path, "home/lookups/a.yml", MACRO)
    assert find_root(file.parent) == file.parent
    assert find_root(file) == file.parent
    assert not stays_inside(file, tmp_path / "other")


@pytest.mark.parametrize("named", ["../../outside/secret.csv", "/etc/passwd", "link.log"])
def test_a_tests_data_outside_is_an_error(named: str, checkout: Path, secret: Path) -> None:
    (checkout / "detections" / "link.log").symlink_to(secret)
    data = AttackData(named, "", "")
    own = detection()
    origin = replace(own.origin, file=str(checkout / "detections" / "a.yml"), root=str(checkout))
    own = replace(own, origin=origin, tests=(DetectionTest("t", (data,)),))
    with pytest.raises(EscudoError, match="CON211"):
        DataFinder().find(own, data)
    (result,) = run_all_tests([own], content.load())
    assert [p.code for p in result.problems] == ["CON211"]
    assert result.outcome is Outcome.FAILED


def test_a_copy_of_a_url_stays_in_its_folder(tmp_path: Path, secret: Path) -> None:
    copies = tmp_path / "copies"
    put(copies, "T1/a.log", "x")
    for url in (
        "https://h.example/../outside/secret.csv",
        "https://h.example/x/../../outside/secret.csv",
    ):
        assert find_copy(url, [copies]) is None
    assert find_copy("https://h.example/T1/a.log", [copies]) == copies / "T1/a.log"
