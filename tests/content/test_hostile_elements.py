"""Whatever stands in the files, each fault has a code and a place, and hides no file beside it."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from escudo import content
from escudo.actions.validate import shipped_attack_ids
from escudo.content.checks import build_known, check_elements
from escudo.content.element_files import ElementFile
from escudo.core.errors import Diagnostic

GOOD = Path(__file__).parent / "broken" / "_good"
FILES = sorted(
    str(p.relative_to(GOOD)) for p in GOOD.rglob("*.yml") if p.parent.name != "deployments"
)

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.text(max_size=30),
    st.sampled_from(
        [
            [],
            {},
            [[]],
            [{}],
            {"a": {"b": ["c"]}},
            [None, 1],
            "x" * 20_000,
            9**500,
            "$",
            "$a$$b",
            "`",
            "```",
            "| |",
            "\N{BOM}",
            "é" * 300,
        ]
    ),
)


def check(folder: Path) -> tuple[content.Content, list[Diagnostic]]:
    files: list[ElementFile] = []
    loaded = content.load([folder], keep=files.append)
    attack = shipped_attack_ids()
    known = build_known(files, loaded, today=date(2026, 11, 24), attack=attack)
    return loaded, [*loaded.diagnostics, *check_elements(known)]


def places(tree: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of each value in a tree of YAML."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree)
    out = []
    for key, value in inner:
        out.append((*at, key))
        if isinstance(value, dict | list):
            out += places(value, (*at, key))
    return out


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), name=st.sampled_from(FILES), value=VALUES)
def test_any_value_at_any_place_is_told_with_its_place(
    data: st.DataObject, name: str, value: object
) -> None:
    tree = yaml.safe_load((GOOD / name).read_text("utf-8"))
    *way, key = data.draw(st.sampled_from(places(tree)))
    holder = tree
    for step in way:
        holder = holder[step]
    holder[key] = value
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "content"
        shutil.copytree(GOOD, folder)
        (folder / name).write_text(yaml.safe_dump(tree, allow_unicode=True), "utf-8")
        loaded, told = check(folder)
        for diagnostic in told:
            assert diagnostic.code[:3] == "CON"
            assert diagnostic.span is not None
            assert diagnostic.span.file is not None
            lines = Path(diagnostic.span.file).read_text("utf-8").split("\n")
            assert 1 <= diagnostic.span.line <= len(lines) + 1
        others = {"Shell Started By WMI", "Many Shells On One Host", "Old Shell Search"}
        loaded_names = {d.name for d in loaded.detections}
        assert len(others - loaded_names) <= (1 if name.startswith("detections/") else 0)


BAD = {
    "empty.yml": (b"", "CON107", 1),
    "blank.yml": (b"\n\n   \n", "CON107", 1),
    "tab.yml": (b"name: x\ntags:\n\tcategory: y\n", "CON101", 3),
    "utf16.yml": ("name: x".encode("utf-16"), "CON002", 1),
    "latin1.yml": (b"name: caf\xe9\n", "CON002", 1),
    "nul.yml": (b"name: a\0b\n", "CON101", 1),
    "list.yml": (b"- name: x\n", "CON102", 1),
    "text.yml": (b"just text\n", "CON102", 1),
    "twice.yml": (b"name: x\nnarrative: y\nname: z\n", "CON106", 3),
    "deep.yml": (b"name: " + b"[" * 5000 + b"\n", "CON108", 1),
    "quote.yml": (b"name: 'never closed\nnarrative: x\n", "CON101", 3),
    "alias.yml": (b"name: *nothing\nnarrative: x\n", "CON101", 1),
    "huge.yml": (b"name: x\nnarrative: y\nversion: " + b"9" * 1_000_000 + b"\n", "CON102", 3),
    "two.yml": (b"name: x\nnarrative: y\n---\nname: z\nnarrative: y\n", "CON101", 3),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_none_hides_no_other(name: str, tmp_path: Path) -> None:
    shutil.copytree(GOOD, tmp_path, dirs_exist_ok=True)
    text, code, line = BAD[name]
    (tmp_path / "stories" / name).write_bytes(text)
    loaded, told = check(tmp_path)
    of_file = [d for d in told if d.span is not None and str(d.span.file).endswith(name)]
    assert (code, line) in {(d.code, d.span.line) for d in of_file if d.span is not None}
    assert len(loaded.detections) - len(content.load().detections) == 3
    assert loaded.story("Remote Hands") is not None
    assert {d.span.file for d in told if d.span is not None} == {str(tmp_path / "stories" / name)}
