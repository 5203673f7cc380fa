"""Time modifiers: cases of the manual, and arithmetic against a reference that steps one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escudo.core.errors import EscudoError
from escudo.core.timerange import TimeRange
from escudo.spl.relation.time_modifiers import (
    index_time_range,
    parse_time,
    relative_time,
    time_range,
)
from escudo.spl.syntax.ast import TimeModifier
from escudo.spl.syntax.parse_search import TIME_MODIFIERS
from tests.yaml_file import read_yaml

NOW = "2020-10-08T11:03:46.617"
CASES = read_yaml(Path(__file__).with_name("time_modifiers.yml"))


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['text']} {case.get('now', '')}")
def test_times(case: dict[str, Any]) -> None:
    now = _epoch(case.get("now", NOW))
    if "error" in case:
        with pytest.raises(EscudoError) as caught:
            parse_time(case["text"], now)
        assert caught.value.diagnostic.message == case["error"]
        return
    found = parse_time(case["text"], now, timeformat=case.get("timeformat"))
    assert found == (None if case["at"] is None else pytest.approx(_epoch(case["at"]), abs=1e-6))


# --- laws -------------------------------------------------------------------------------------

_MOMENTS = st.datetimes(datetime(1975, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)).map(
    lambda d: d.replace(microsecond=0)
)
_SNAPS = ("s", "m", "h", "d", "w", "w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7", "mon", "q", "y")


def _is_boundary(moment: datetime, snap: str) -> bool:
    """Whether a moment is the beginning of a unit, told from its parts."""
    clock = (moment.hour, moment.minute, moment.second)
    if snap == "s":
        return True
    if snap in ("m", "h"):
        return clock[2] == 0 and (snap == "m" or clock[1] == 0)
    if clock != (0, 0, 0):
        return False
    sunday_first = (moment.weekday() + 1) % 7
    if snap.startswith("w"):
        return sunday_first == int(snap[1:] or 0) % 7
    months = {"d": range(1, 13), "mon": range(1, 13), "q": (1, 4, 7, 10), "y": (1,)}[snap]
    return snap == "d" or (moment.day == 1 and moment.month in months)


def _units_between(low: datetime, high: datetime, snap: str) -> bool:
    """Whether a boundary lies in (low, high], looked for in steps of the next smaller unit."""
    step = {"s": 1, "m": 1, "h": 60}.get(snap, 86400)
    midnight = low if step < 86400 else low.replace(hour=0, minute=0, second=0)
    moment = midnight + timedelta(seconds=step)
    while moment <= high:
        if _is_boundary(moment, snap):
            return True
        moment += timedelta(seconds=step)
    return False


@given(_MOMENTS, st.sampled_from(_SNAPS))
def test_a_snap_is_the_last_boundary_not_after_now(moment: datetime, snap: str) -> None:
    found = datetime.fromtimestamp(relative_time(f"@{snap}", moment.timestamp()), UTC)
    assert found <= moment
    assert _is_boundary(found, snap)
    if snap != "s":
        assert not _units_between(found, moment, snap)


@given(_MOMENTS, st.integers(-500, 500), st.sampled_from("smhdw"))
def test_exact_units_add_up(moment: datetime, count: int, unit: str) -> None:
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[unit]
    now = moment.timestamp()
    assert relative_time(f"{count:+d}{unit}", now) == now + count * seconds


def _months_one_by_one(moment: datetime, count: int) -> datetime:
    year, month = moment.year, moment.month
    for _ in range(abs(count)):
        month += 1 if count > 0 else -1
        if month in (0, 13):
            year, month = year + (1 if count > 0 else -1), 12 if month == 0 else 1
    day = moment.day
    while True:
        try:
            return moment.replace(year=year, month=month, day=day)
        except ValueError:
            day -= 1


@given(_MOMENTS, st.integers(-60, 60), st.sampled_from(["mon", "q", "y"]))
def test_months_step_through_the_calendar(moment: datetime, count: int, unit: str) -> None:
    found = datetime.fromtimestamp(relative_time(f"{count:+d}{unit}", moment.timestamp()), UTC)
    assert found == _months_one_by_one(moment, count * {"mon": 1, "q": 3, "y": 12}[unit])


_STEPS = st.one_of(
    st.builds("{:+d}{}".format, st.integers(-9, 9), st.sampled_from(["s", "h", "d", "mon", "y"])),
    st.sampled_from(_SNAPS).map("@{}".format),
)


@given(_MOMENTS, st.lists(_STEPS, min_size=2, max_size=4))
def test_steps_apply_from_left_to_right(moment: datetime, steps: list[str]) -> None:
    one_by_one = moment.timestamp()
    for step in steps:
        one_by_one = relative_time(step, one_by_one)
    assert relative_time("".join(steps), moment.timestamp()) == one_by_one


def test_days_follow_the_calendar_of_the_time_zone() -> None:
    zone = ZoneInfo("Europe/Berlin")
    noon = datetime(2020, 10, 25, 12, tzinfo=zone).timestamp()  # the clock went back that night
    assert relative_time("-1d", noon, zone) == noon - 25 * 3600
    assert relative_time("-24h", noon, zone) == noon - 24 * 3600
    assert relative_time("@d", noon, zone) == noon - 13 * 3600
    assert parse_time("10/25/2020:12:00:00", 0.0, zone) == noon


# --- ranges -----------------------------------------------------------------------------------

_NOW = 1_000_000_000.0  # 2001-09-09T01:46:40Z
_H, _D = 3600.0, 86400.0
RANGES: list[tuple[str, TimeRange]] = [
    ("", TimeRange()),
    ("earliest=-1d latest=-1h", TimeRange(_NOW - _D, _NOW - _H)),
    ("earliest=-1d", TimeRange(_NOW - _D, _NOW)),
    ("latest=-1h", TimeRange(None, _NOW - _H)),
    ("earliest=0", TimeRange()),
    ("earliest=1 latest=now", TimeRange(1.0, _NOW)),
    ("earliest=-1d earliest=-2d", TimeRange(_NOW - 2 * _D, _NOW)),
    ("starthoursago=168 endhoursago=1", TimeRange(_NOW - 168 * _H, _NOW - _H)),
    ("startminutesago=5", TimeRange(_NOW - 300, _NOW)),
    ("startdaysago=2 enddaysago=1", TimeRange(_NOW - 2 * _D, _NOW - _D)),
    ("startmonthsago=1", TimeRange(_NOW - 31 * _D, _NOW)),
    ("hoursago=3", TimeRange(_NOW - 3 * _H, _NOW)),
    ("daysago=1", TimeRange(_NOW - _D, _NOW)),
    ("minutesago=10", TimeRange(_NOW - 600, _NOW)),
    ("starttimeu=100 endtimeu=200", TimeRange(100.0, 200.0)),
    ("starttime=09/08/2001:00:00:00", TimeRange(_NOW - 25 * _H - 2800, _NOW)),
    ("timeformat=%Y endtime=1971", TimeRange(None, 365 * _D)),
    ("searchtimespanhours=2", TimeRange(_NOW - 2 * _H, _NOW)),
    ("startdaysago=2 searchtimespanhours=3", TimeRange(_NOW - 2 * _D, _NOW - 45 * _H)),
    ("enddaysago=1 searchtimespandays=1", TimeRange(_NOW - 2 * _D, _NOW - _D)),
]


def _modifiers(text: str) -> list[TimeModifier]:
    return [TimeModifier(*part.split("=", 1)) for part in text.split()]


@pytest.mark.parametrize(("text", "expected"), RANGES, ids=[text for text, _ in RANGES])
def test_ranges(text: str, expected: TimeRange) -> None:
    assert time_range(_modifiers(text), _NOW) == expected


def test_index_times_are_apart() -> None:
    modifiers = _modifiers("_index_earliest=-1h _index_latest=now earliest=-1d")
    assert index_time_range(modifiers, _NOW) == TimeRange(_NOW - _H, _NOW)
    assert time_range(modifiers, _NOW) == TimeRange(_NOW - _D, _NOW)


@pytest.mark.parametrize("name", sorted(TIME_MODIFIERS - {"timeformat"}))
def test_every_modifier_has_an_effect(name: str) -> None:
    modifiers = [TimeModifier(name, "5")]
    assert TimeRange() != time_range(modifiers, _NOW) or (
        "index" in name and TimeRange() != index_time_range(modifiers, _NOW)
    )


def test_an_error_stands_at_its_modifier() -> None:
    with pytest.raises(EscudoError, match="whole number"):
        time_range(_modifiers("starthoursago=x"), _NOW)
