from __future__ import annotations

from pathlib import Path

import pytest

from escudo.content.elements.lookup import read_lookup
from escudo.content.reading import Section, read_document
from escudo.core.catalog import Lookup


def read(text: str, folder: Path) -> tuple[Lookup, list[str]]:
    node, problems = read_document("f.yml", text)
    assert node is not None
    found = read_lookup(Section(node, problems), folder / "f.yml", folder)
    return found, [f"{d.severity} {d.code} {d.span}" for d in problems.found]


def test_csv_lookup(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n")
    found, problems = read(
        "name: a\nfilename: a.csv\ndefault_match: 'false'\nmin_matches: 1\n"
        "match_type: WILDCARD(x),CIDR(y)\ncase_sensitive_match: 'false'\n",
        tmp_path,
    )
    assert problems == []
    assert found.path == str(tmp_path / "a.csv")
    assert found.match_types == {"x": "WILDCARD", "y": "CIDR"}
    assert (found.case_sensitive, found.min_matches, found.max_matches) == (False, 1, 1000)
    assert found.default_match == "false"


def test_collection(tmp_path: Path) -> None:
    found, problems = read("name: c\ncollection: c\nfields_list: a, b,c\n", tmp_path)
    assert problems == []
    assert (found.path, found.collection, found.fields) == (None, "c", ("a", "b", "c"))


def test_lookup_type(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n")
    assert read("name: a\nlookup_type: csv\n", tmp_path)[0].path == str(tmp_path / "a.csv")
    assert read("name: a\nlookup_type: kvstore\n", tmp_path)[0].collection == "a"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: a\nfilename: b.csv\n", "warning CON202 f.yml:2:11"),
        ("name: a\ncollection: a\nmatch_type: LIKE(x)\n", "error CON104 f.yml:3:13"),
    ],
)
def test_problems(text: str, problem: str, tmp_path: Path) -> None:
    assert read(text, tmp_path)[1] == [problem]


def test_match_type_of_a_column_that_the_file_has_not(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text('"agent", net\nx*,10.0.0.0/8\n')
    text = "name: a\nfilename: b.csv\nmatch_type: WILDCARD(agents), CIDR(net), CIDR(gone)\n"
    found, problems = read(text, tmp_path)
    assert problems == ["warning CON206 f.yml:3:13"] * 2
    assert found.match_types == {"agents": "WILDCARD", "net": "CIDR", "gone": "CIDR"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("WILDCARD(a)", {"a": "WILDCARD"}),
        ("wildcard( a ), WILDCARD(b)", {"a": "WILDCARD", "b": "WILDCARD"}),
        ("WILDCARD(a, b)", {"a": "WILDCARD", "b": "WILDCARD"}),
    ],
)
def test_match_types(text: str, expected: dict[str, str], tmp_path: Path) -> None:
    found, problems = read(f"name: a\ncollection: a\nmatch_type: {text}\n", tmp_path)
    assert problems == []
    assert found.match_types == expected


def test_a_csv_lookups_file_has_the_name_of_its_yaml(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("x\n")
    (tmp_path / "a.csv").write_text("x\n")
    found, problems = read("name: a\nlookup_type: csv\n", tmp_path)
    assert problems == []
    assert found.path == str(tmp_path / "f.csv")
