"""Detections over all real logs give the rows that were worked out by hand, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import pytest

from escudo import content
from escudo.core.timerange import ALL_TIME
from escudo.detect import run_detection
from tests.conformance.cases import spl_value
from tests.real.conftest import LakeOf
from tests.shared_data import needs_shared
from tests.shared_engine import engine_over
from tests.yaml_file import read_yaml

pytestmark = [needs_shared, pytest.mark.slow]

NOW = 1_795_000_000.0
CASES = read_yaml(Path(__file__).parent / "hand_checked.yml")


def name(case: Mapping[str, Any]) -> str:
    return f"{case['detection']} ({case['folder']})"


@pytest.mark.parametrize("case", CASES, ids=name)
def test_case(case: Mapping[str, Any], upstream: content.Content, lake_of: LakeOf) -> None:
    assert case["why"]
    snapshot = lake_of(case["folder"]).snapshot()
    found = run_detection(
        upstream.detection(case["detection"]),
        snapshot,
        engine_over(snapshot),
        upstream.knowledge,
        within=ALL_TIME,
        now=NOW,
    )
    assert not found.failed, found.diagnostics
    ours = [
        {**row, "files": sorted({log(f) for f in files})}
        for row, files in zip(found.rows.to_pylist(), found.source_files.to_pylist(), strict=True)
    ]
    shown = sorted({field for row in case["rows"] for field in row})
    assert sorted(told(row, shown) for row in ours) == sorted(
        told(row, shown) for row in case["rows"]
    )


def log(source_file: str) -> str:
    """The name of the log or archive that a row's event came from."""
    return PurePath(source_file.partition("!")[0]).name


def told(row: Mapping[str, Any], fields: list[str]) -> str:
    """The telling fields of a row, as SPL's values."""
    return str([(field, spl_value(row.get(field))) for field in fields])
