"""Windows slide over the times of events so that none is missed and few are run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escudo import content
from escudo.actions.engines import DuckDBEngines
from escudo.actions.hunt import hunt_lake
from escudo.actions.match_rows import iterate_match
from escudo.actions.workspace import Workspace
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.detect.sliding import STEP, choose_ends, find_span
from escudo.findings import judge_match
from escudo.findings.store import write_judgements
from escudo.lake import Lake
from tests.findings.matches import NOW, detection, match, schemas

OWN = content.load()
DAY = 86_400.0
SUM = OWN.detection("Risk Threshold Exceeded For Object Over 24 Hour Period")
TACTICS = OWN.detection("Attack Tactic Threshold Exceeded For Object Over Previous 7 Days")
HOURS = st.lists(st.floats(0, 2000, allow_nan=False), min_size=1, max_size=40)


@given(HOURS, st.sampled_from([1.0, 5.0, 24.0]))
def test_each_hourly_run_has_a_window_with_all_its_events(hours: list[float], span: float) -> None:
    times = np.sort(np.array(hours) * 3600)
    chosen = choose_ends(times, span * 3600)
    windows = [set(times[(times >= e - span * 3600) & (times < e)]) for e in chosen]
    assert all(windows)
    for end in np.arange(times[0] // STEP, times[-1] // STEP + 2) * STEP:
        seen = set(times[(times >= end - span * 3600) & (times < end)])
        assert any(seen <= window for window in windows)


def test_a_window_is_not_run_for_events_that_another_one_has() -> None:
    burst = np.arange(0, 20 * 3600, 600.0)
    assert choose_ends(burst, DAY) == [20 * 3600.0]
    assert len(choose_ends(np.arange(0, 100 * 3600, 600.0), DAY)) == 77


@pytest.mark.parametrize(("rule", "days"), [(SUM, 1), (TACTICS, 7)])
def test_the_span_is_that_of_the_schedule(rule: content.Detection, days: int) -> None:
    assert find_span(rule) == days * DAY
    assert find_span(replace(rule, schedule=None)) is None
    assert find_span(replace(rule, type="TTP")) is None


Risk = tuple[str, int, float]
"""Object, score, age in days."""


def found(*risk: Risk, within: TimeRange = ALL_TIME) -> list[tuple[str, str]]:
    """The objects of the sum rule's findings and their times, oldest first."""
    tables = schemas()
    with Lake.create_temporary() as lake:
        judged = []
        for i, (value, score, age) in enumerate(risk):
            by = detection(risk=[("dest", "system", score)], name=f"D{i}", id=f"id{i}")
            of_row = match({"dest": [value], "n": [i]}, by, now=NOW - age * DAY)
            judged.append(judge_match(of_row, OWN.deployments, tables))
        write_judgements(lake, judged, tables)
        workspace = Workspace(
            content=OWN, lake=lake, engine_of=DuckDBEngines(), now=NOW, within=within
        )
        (hit,) = hunt_lake([SUM], workspace).matches
    assert hit.diagnostics == ()
    rows = [(r["row"]["normalized_risk_object"], r["_time"]) for r in iterate_match(hit)]
    return sorted(rows, key=lambda row: row[1])


@pytest.mark.slow
def test_risk_of_years_is_not_summed_into_a_day() -> None:
    assert found(("a", 60, 800), ("a", 60, 400), ("a", 60, 1)) == []


def test_what_passed_the_threshold_years_ago_is_found_at_its_time() -> None:
    ((name, time),) = found(("a", 60, 800), ("a", 60, 799.9), ("b", 60, 3))
    assert name == "a"
    assert "2020" < time < "2024"


@pytest.mark.slow
def test_an_object_is_found_again_once_its_throttling_is_over() -> None:
    twice = found(("a", 60, 800), ("a", 60, 799.9), ("a", 60, 10), ("a", 60, 9.9))
    assert [name for name, _ in twice] == ["a", "a"]
    once = found(*(("a", 60, 10 - i / 24) for i in range(20)))
    assert [name for name, _ in once] == ["a"]


def test_the_time_range_of_the_hunt_holds() -> None:
    recent = TimeRange(NOW - 5 * DAY, None)
    assert found(("a", 60, 800), ("a", 60, 799.9), within=recent) == []
