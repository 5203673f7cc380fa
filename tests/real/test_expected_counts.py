"""Process detections over all real logs against the row counts of a separate evaluator."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from escudo import content
from escudo.core.timerange import ALL_TIME
from escudo.detect import Match, run_detections
from tests.real.conftest import LakeOf
from tests.shared_data import SHARED, needs_shared
from tests.shared_engine import engine_over
from tests.yaml_file import read_yaml

pytestmark = [needs_shared, pytest.mark.slow]

NOW = 1_795_000_000.0
FOLDERS = ("evtx", "otrf")
DIFFERENCES = read_yaml(Path(__file__).parent / "expected_differences.yml")

PLAIN_TAIL = re.compile(
    r'`(drop_dm_object_name\("?Processes"?\)|security_content_ctime\(\w+\)|\w+_filter)`'
)


def is_plain(search: str) -> bool:
    """Whether a search is one `tstats` over processes, a rename, times as text and a filter."""
    before, first, *tail = (part.strip() for part in search.split("|"))
    over_processes = re.search(r"datamodel\s*=\s*Endpoint\.Processes\b", first)
    return (
        not before
        and first.startswith("tstats")
        and over_processes is not None
        and all(PLAIN_TAIL.fullmatch(part) for part in tail)
    )


@cache
def expected(folder: str) -> Mapping[str, tuple[int, int]]:
    """Detection -> (result rows, events that they count), as the evaluator has them."""
    assert SHARED is not None
    path = SHARED / "expected" / f"process_detections_{folder}.tsv"
    with path.open(encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {r["detection"]: (int(r["result_rows"]), int(r["events_selected"])) for r in rows}


def different(folder: str) -> Mapping[str, dict[str, Any]]:
    return {d["detection"]: d for d in DIFFERENCES if d["folder"] == folder}


@pytest.mark.parametrize("folder", FOLDERS)
def test_rows_agree_or_the_difference_is_explained(
    folder: str, lake_of: LakeOf, upstream: content.Content
) -> None:
    snapshot = lake_of(folder).snapshot()
    wanted, known = expected(folder), different(folder)
    chosen = [d for d in upstream.detections if d.name in wanted or is_plain(d.search)]
    assert wanted.keys() <= {d.name for d in chosen}
    assert len(chosen) > 300
    found = {
        match.detection.name: match
        for match in run_detections(
            chosen,
            snapshot,
            engine_over(snapshot),
            upstream.knowledge,
            within=ALL_TIME,
            now=NOW,
        )
    }
    assert [m.detection.name for m in found.values() if m.failed] == []
    ours = {name: match.rows.num_rows for name, match in found.items()}
    theirs = {name: wanted.get(name, (0, 0))[0] for name in found}
    explained = {name: d["expected"] for name, d in known.items()}
    assert {n: theirs[n] for n in ours if ours[n] != theirs[n]} == explained
    assert {n: ours[n] for n in known} == {n: d["ours"] for n, d in known.items()}
    for name, (_, events) in wanted.items():
        counted = events_counted(found[name])
        if counted is not None and name not in known:
            assert counted == events, name


def events_counted(match: Match) -> int | None:
    """The events behind the rows, where the search counts them."""
    if "count" not in match.rows.column_names:
        return None
    return sum(int(n) for n in match.rows["count"].to_pylist())


def test_explanations_have_evidence() -> None:
    for difference in DIFFERENCES:
        assert set(difference) == {
            "detection", "folder", "expected", "ours", "reason", "event", "source",
        }  # fmt: skip
