"""All searches of the upstream content run, but for a list of which each has its reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from escudo import content
from escudo.actions.content_searches import KINDS
from escudo.actions.engines import DuckDBEngines
from escudo.actions.validate import validate_content
from escudo.actions.validation_report import Validation
from escudo.actions.workspace import Workspace
from escudo.lake import Lake
from tests.cli.conftest import Run, escudo
from tests.real.conftest import LakeOf
from tests.shared_data import SHARED, needs_shared
from tests.yaml_file import read_yaml

pytestmark = [needs_shared, pytest.mark.slow]

__all__ = ["escudo"]

NOW = 1_795_000_000.0
TOTALS = {"detections": 1181, "baselines": 66, "investigations": 47, "drilldowns": 1814}

Failure = tuple[str, str, str]


def known() -> Iterator[Failure]:
    """(kind, name, code) of the searches that cannot be run."""
    entries = read_yaml(Path(__file__).parent / "not_runnable.yml")
    for entry in entries:
        assert set(entry) == {"kind", "code", "reason", "names"}
        assert entry["reason"]
        yield from ((entry["kind"], name, entry["code"]) for name in entry["names"])


def faults() -> dict[str, Any]:
    """What is wrong in the files of ESCU 4.42 (``upstream_faults.yml``)."""
    path = Path(__file__).parent / "upstream_faults.yml"
    found: dict[str, Any] = read_yaml(path)["security_content"]
    return found


def failures(validation: Validation) -> dict[Failure, str]:
    return {
        (kind, search.name, problem.code): problem.message
        for kind, verdicts in validation.verdicts.items()
        for search, problem in verdicts.failed
    }


def checked(upstream: content.Content, lake: Lake) -> Validation:
    engines = DuckDBEngines()
    return validate_content(Workspace(content=upstream, lake=lake, engine_of=engines, now=NOW))


@pytest.mark.parametrize("folder", ["evtx", "otrf"])
def test_over_a_filled_lake(folder: str, upstream: content.Content, lake_of: LakeOf) -> None:
    failed = failures(checked(upstream, lake_of(folder)))
    assert {f: failed[f] for f in failed.keys() - set(known())} == {}


def test_the_command_says_the_same(escudo: Run) -> None:
    assert SHARED is not None
    done = escudo("validate", SHARED / "security_content", "--format", "json", "--quiet")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["files"]["failed"] == []
    named = faults()["named"]
    errors = [p for p in report["problems"] if p["severity"] == "error"]
    told = {Path(p["file"]).stem: p["message"] for p in errors if p["code"] == "FND003"}
    assert told == {
        stem: f"the message names {field!r}, which the search does not return"
        for stem, field in named.items()
    }
    assert {p["code"] for p in errors} == {"FND003", *faults()["errors"]}
    failed = {(k, f["name"], f["code"]) for k in KINDS for f in report[k]["failed"]}
    assert failed == set(known())
    for kind in KINDS:
        assert report[kind]["total"] == TOTALS[kind]
        assert report[kind]["compiled"] == TOTALS[kind] - len(report[kind]["failed"])
        for failure in report[kind]["failed"]:
            assert {"name", "file", "line", "column", "code", "message"} == set(failure)
            assert failure["line"] > 1
