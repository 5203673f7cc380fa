"""Without the libraries of an extra: what needs them says how to get them, the rest runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run, json_lines, run_by
from tests.cli.test_wrong_input import DETECTION, GOOD
from tests.program import Server

pytestmark = pytest.mark.slow

KMEANS = "| makeresults count=6 | streamstats count as a | fit KMeans a k=2 into groups"
NEEDS = "needs the extra 'ml', which is not installed"
HELP = "help: pip install 'escudo[ml]'"


@pytest.fixture
def without_ml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs of a program that finds no library of machine learning."""
    folder = tmp_path / "site"
    folder.mkdir()
    hidden = "import sys\nsys.modules['sklearn'] = sys.modules['skops'] = None\n"
    (folder / "sitecustomize.py").write_text(hidden)
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")
    with Server() as server:
        yield run_by(server, folder)


@pytest.mark.parametrize(
    ("search", "needs"),
    [(KMEANS, True), (KMEANS.replace("KMeans a k=2", "DensityFunction a"), False)],
    ids=["scikit-learn's", "Escudo's own"],
)
def test_fit(search: str, needs: bool, without_ml: Run, tmp_path: Path) -> None:
    lake = _make_lake(without_ml, tmp_path)
    done = without_ml("search", search, "--lake", lake, "--format", "jsonl")
    if needs:
        assert (done.returncode, done.stdout) == (1, "")
        assert "error[SPL327] 1:50: fit KMeans " + NEEDS in done.stderr
        assert HELP in done.stderr
    else:
        assert (done.returncode, len(json_lines(done.stdout))) == (0, 6)


def test_a_kept_model_is_not_applied(escudo: Run, without_ml: Run, tmp_path: Path) -> None:
    lake = _make_lake(escudo, tmp_path)
    assert escudo("search", KMEANS, "--lake", lake).returncode == 0
    apply = KMEANS.replace("fit KMeans a k=2 into groups", "apply groups")
    assert escudo("search", apply, "--lake", lake).returncode == 0
    done = without_ml("search", apply, "--lake", lake)
    assert done.returncode == 1
    assert "error[SPL327] 1:50: a model of scikit-learn " + NEEDS in done.stderr


def test_other_detections_run(without_ml: Run, tmp_path: Path) -> None:
    log = tmp_path / "good.xml"
    log.write_text(GOOD)
    content = tmp_path / "content"
    content.mkdir()
    search = "| tstats count from datamodel=Endpoint.Processes by Processes.dest | fit KMeans count"
    (content / "learns.yml").write_text(DETECTION.format(name="Learns", number=1, search=search))
    done = without_ml("hunt", log, "--content", content, "--format", "jsonl", "--quiet")
    assert [row["detection"] for row in json_lines(done.stdout)] == ["Process Execution via WMI"]
    assert done.returncode == 1
    assert f"error[SPL327] {content / 'learns.yml'}:10:" in done.stderr
    assert HELP in done.stderr


def _make_lake(escudo: Run, folder: Path) -> Path:
    log = folder / "good.xml"
    log.write_text(GOOD)
    assert escudo("ingest", log, "--lake", folder / "lake").returncode == 0
    return folder / "lake"
