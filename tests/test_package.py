"""The wheel: what is in it, and what it asks for."""

from __future__ import annotations

import email
import subprocess
import sys
import zipfile
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = {"scikit-learn", "skops", "pyspark", "pandas", "py7zr", "pyzipper"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (file,) = folder.glob("*.whl")
    return zipfile.ZipFile(file)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


@pytest.mark.slow
def test_the_package_is_whole(wheel: zipfile.ZipFile) -> None:
    source = ROOT / "src"
    there = {
        str(path.relative_to(source))
        for path in source.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == there
    assert "escudo/py.typed" in packed
    assert {Path(name).parts[0] for name in packed} == {"escudo"}


@pytest.mark.slow
def test_what_is_heavy_is_an_extra(metadata: Message) -> None:
    required = [r for r in metadata.get_all("Requires-Dist") or [] if "extra ==" not in r]
    names = {r.split("[")[0].split("<")[0].split(">")[0].strip() for r in required}
    assert names & HEAVY == set()
    assert set(metadata.get_all("Provides-Extra") or []) >= {"all", "archives", "ml", "spark"}
    of_all = [r for r in metadata.get_all("Requires-Dist") or [] if "extra == 'all'" in r]
    assert {r.split("<")[0].split(">")[0] for r in of_all} >= HEAVY


@pytest.mark.slow
def test_what_it_says_of_itself(metadata: Message) -> None:
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    classifiers = metadata.get_all("Classifier") or []
    for minor in (11, 12, 13):
        assert f"Programming Language :: Python :: 3.{minor}" in classifiers
