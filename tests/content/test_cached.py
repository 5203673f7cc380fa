"""Content from the cache is what loading gives, and never that of other files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from escudo import content
from escudo.content.cached import load_cached
from escudo.core.disk_cache import DiskCache

MACRO = "name: {name}\ndefinition: index={index}\ndescription: A macro.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    macros = tmp_path / "content" / "macros"
    macros.mkdir(parents=True)
    (macros / "a.yml").write_text(MACRO.format(name="mine", index="one"))
    return tmp_path / "content"


def definition(folder: Path, cache: DiskCache, overlay: Path | None = None) -> str | None:
    loaded = load_cached([folder], overlay=overlay, cache=cache)
    macro = loaded.content.knowledge.macro("mine", 0)
    return None if macro is None else macro.definition


def test_it_is_what_loading_gives(folder: Path, tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache")
    first, second = (load_cached([folder], cache=cache) for _ in range(2))
    fresh = content.load([folder])
    assert first.key == second.key is not None
    assert first.content is not second.content
    assert first.content == second.content == fresh


def test_a_change_of_the_same_size_and_time_is_seen(folder: Path, tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache")
    path = folder / "macros" / "a.yml"
    assert definition(folder, cache) == "index=one"
    told = path.stat()
    path.write_text(MACRO.format(name="mine", index="two"))
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))
    assert path.stat().st_size == told.st_size
    assert definition(folder, cache) == "index=two"


def test_a_file_that_comes_or_goes_is_seen(folder: Path, tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache")
    assert definition(folder, cache) == "index=one"
    later = folder / "macros" / "b.yml"
    later.write_text(MACRO.format(name="mine", index="two"))
    assert definition(folder, cache) == content.load([folder]).knowledge.macro("mine", 0).definition  # type: ignore[union-attr]
    (folder / "macros" / "a.yml").unlink()
    assert definition(folder, cache) == "index=two"


def test_an_overlay_is_part_of_it(folder: Path, tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache")
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "m.yml").write_text(MACRO.format(name="mine", index="over"))
    assert definition(folder, cache) == "index=one"
    assert definition(folder, cache, overlay) == "index=over"
    assert definition(folder, cache) == "index=one"


def test_a_single_file_is_loaded_each_time(folder: Path, tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache")
    assert load_cached([folder / "macros" / "a.yml"], cache=cache).key is None
    assert cache.folder is not None
    assert list(cache.folder.iterdir()) == []


def test_the_settings_of_an_app_are_part_of_it(tmp_path: Path) -> None:
    """Beside its lookups, which alone are read in a checkout."""
    app = tmp_path / "app"
    (app / "default").mkdir(parents=True)
    (app / "lookups").mkdir()
    props = app / "default" / "props.conf"
    cache = DiskCache(tmp_path / "cache")
    for value in ("1", "2"):
        props.write_text(f"[web]\nEVAL-a = {value}\n")
        loaded = [load_cached([app], cache=cache).content for _ in range(2)]
        for found in loaded:
            assert found.field_rules == content.load([app]).field_rules
            assert [getattr(r.what, "expression", "") for r in found.field_rules.rules] == [value]
