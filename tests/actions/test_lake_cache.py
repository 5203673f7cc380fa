"""Lakes of test data: made once for the same bytes and labels, and anew for any other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from escudo.actions import lake_cache
from escudo.actions.lake_cache import LabelledFile, LakeCache
from escudo.core.timerange import ALL_TIME
from escudo.lake.labels import Labels
from escudo.lake.tables import load_tables
from tests.tested_content import DATA

SYSMON = Labels(source="s", sourcetype="t")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return Path(shutil.copy(DATA / "attack.xml", tmp_path / "attack.xml"))


def test_a_lake_is_made_once(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "lakes"
    first = LakeCache(folder, load_tables())
    held = first.hold([LabelledFile(file, SYSMON)])
    assert held.reading.events == 2
    assert held.reading.families == {"sysmon": 2}
    assert first.hold([LabelledFile(file, SYSMON)]) is held
    first.close()
    monkeypatch.setattr(lake_cache, "ingest", None)  # nothing is read again
    again = LakeCache(folder, load_tables())
    found = again.hold([LabelledFile(file, SYSMON)])
    assert found.reading == held.reading
    assert len(found.catalog.files("endpoint_processes", ALL_TIME)) == 1
    again.close()


def test_other_bytes_or_labels_are_another_lake(file: Path, tmp_path: Path) -> None:
    cache = LakeCache(tmp_path / "lakes", load_tables())
    names = {cache.name([LabelledFile(file, labels)]) for labels in (SYSMON, Labels(source="s"))}
    copy = Path(shutil.copy(file, tmp_path / "other name.xml"))
    names.add(cache.name([LabelledFile(copy, SYSMON)]))
    assert len(names) == 2
    with copy.open("a") as more:
        more.write("\n")
    names.add(cache.name([LabelledFile(copy, SYSMON)]))
    names.add(cache.name([LabelledFile(file, SYSMON), LabelledFile(file, SYSMON)]))
    assert len(names) == 4


def test_a_damaged_lake_is_made_anew(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lakes"
    cache = LakeCache(folder, load_tables())
    held = cache.hold([LabelledFile(file, SYSMON)])
    cache.close()
    (path,) = folder.iterdir()
    (path / "escudo-test-data.json").write_text("{")
    again = LakeCache(folder, load_tables())
    assert again.hold([LabelledFile(file, SYSMON)]).reading == held.reading
    again.close()
    assert [p.name for p in folder.iterdir()] == [path.name]
    assert (path / "escudo-test-data.json").read_text() != "{"


def test_the_oldest_go(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_cache, "MOST_LAKES", 1)
    cache = LakeCache(tmp_path / "lakes", load_tables())
    for name in ("a", "b"):
        cache.hold([LabelledFile(file, Labels(source=name))])
    cache.close()
    assert len(list((tmp_path / "lakes").iterdir())) == 1


def test_without_a_folder_lakes_last_as_long_as_they_are_open(file: Path) -> None:
    cache = LakeCache(None, load_tables())
    path = cache.hold([LabelledFile(file, SYSMON)]).lake.path
    assert path.is_dir()
    cache.close()
    assert not path.exists()
