"""One broken content repository for each check: found by the command line, at its place, alone.

``broken/_good`` is a repository without a fault. Each other folder has what is different in it:
``input/`` with files that are put over those, and ``expected.yml`` with what must be said then, and
nothing else.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from escudo.content.checks.run import CHECKS
from tests.cli.conftest import Run, escudo

__all__ = ["escudo"]

pytestmark = pytest.mark.slow

BROKEN = Path(__file__).parent / "broken"
CASES = sorted(p.name for p in BROKEN.iterdir() if p.name != "_good")

CHECKED_CODES = {check.code for checks in CHECKS.values() for check in checks}

Told = tuple[str, str, str, int, int]


def lay_out(case: str, folder: Path) -> dict[str, Any]:
    """The repository of a case in a folder; what its ``expected.yml`` says."""
    shutil.copytree(BROKEN / "_good", folder, dirs_exist_ok=True)
    expected: dict[str, Any] = yaml.safe_load((BROKEN / case / "expected.yml").read_text("utf-8"))
    for name in expected.get("removed", ()):
        (folder / name).unlink()
    if (BROKEN / case / "input").is_dir():
        shutil.copytree(BROKEN / case / "input", folder, dirs_exist_ok=True)
    return expected


def read_problems(report: dict[str, Any], folder: Path) -> list[Told]:
    return [
        (
            p["severity"],
            p["code"],
            str(Path(p["file"]).relative_to(folder)),
            p["line"],
            p["column"],
        )
        for p in report["problems"]
    ]


def test_a_good_repository(escudo: Run) -> None:
    done = escudo("validate", BROKEN / "_good", "--format", "json", "--quiet", "--strict")
    report = json.loads(done.stdout)
    assert report["problems"] == []
    assert report["detections"]["total"] == report["detections"]["compiled"] == 3
    assert done.returncode == 0


@pytest.mark.parametrize("case", CASES)
def test_a_fault_is_found_at_its_place(case: str, escudo: Run, tmp_path: Path) -> None:
    expected = lay_out(case, tmp_path)
    wanted = [
        (e.get("severity", "error"), e["code"], e["file"], e["line"], e["column"])
        for e in expected["expected"]
    ]
    assert expected["why"]
    done = escudo("validate", tmp_path, "--format", "json", "--quiet")
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert sorted(read_problems(report, tmp_path)) == sorted(wanted)
    assert all(p["message"] for p in report["problems"])
    assert done.returncode == (1 if any(w[0] == "error" for w in wanted) else 0)


def test_there_is_a_case_for_each_check() -> None:
    codes = {
        e["code"]
        for case in CASES
        for e in yaml.safe_load((BROKEN / case / "expected.yml").read_text("utf-8"))["expected"]
    }
    assert len(CASES) >= 41
    assert {c for c in codes if c.startswith("CON4")} >= CHECKED_CODES
