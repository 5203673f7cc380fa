"""When searches are due, and what their windows look at.

Expected times are worked out by hand from the cron line, Splunk's relative times, and the changes
to and from summer time of 2024 in Berlin (31 March, 27 October).
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escudo.content import Schedule
from escudo.core.errors import EscudoError
from escudo.core.timerange import TimeRange
from escudo.schedule.timetable import Timetable, read_timetable

BERLIN = ZoneInfo("Europe/Berlin")
CRONS = ("0 * * * *", "*/5 * * * *", "10 0 * * *", "55 * * * *", "0 2 * * 0", "0 0 1 * *")
SOME_DAY = 1_700_006_400.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("cron", "earliest", "latest", "due", "window"),
    [
        ("0 * * * *", "-70m@m", "-10m@m", "01:00", ("2024-05-13T23:50", "2024-05-14T00:50")),
        ("10 0 * * *", "-1450m@m", "-10m@m", "00:10", ("2024-05-13T00:00", "2024-05-14T00:00")),
        ("*/5 * * * *", "-15m@m", "now", "00:05", ("2024-05-13T23:50", "2024-05-14T00:05")),
        ("0 * * * *", "-24h@h", "@h", "01:00", ("2024-05-13T01:00", "2024-05-14T01:00")),
    ],
)
def test_windows_are_those_of_the_type(
    cron: str, earliest: str, latest: str, due: str, window: tuple[str, str]
) -> None:
    timetable = read_timetable(Schedule(cron, earliest, latest), identity="x")
    first = timetable.find_next(at("2024-05-14T00:00"))
    assert first == at(f"2024-05-14T{due}")
    assert timetable.find_window(first) == TimeRange(at(window[0]), at(window[1]))


def test_a_window_without_ends() -> None:
    timetable = read_timetable(Schedule("0 * * * *", "", ""), identity="x")
    assert timetable.find_window(3600.0) == TimeRange()


def test_summer_time_leaves_out_and_repeats_no_hourly_run() -> None:
    hourly = Timetable("0 * * * *", "", "", zone=BERLIN)
    for day in ("2024-03-31", "2024-10-27"):
        dues = hourly.list_due(at(f"{day}T00:00") - 1, at(f"{day}T05:00"))
        assert dues == [at(f"{day}T{hour:02}:00") for hour in range(6)]


def test_a_daily_run_follows_its_zone() -> None:
    """At 02:00 in Berlin: 01:00 UTC in winter, midnight UTC in summer."""
    daily = Timetable("0 3 * * *", "", "", zone=BERLIN)
    dues = daily.list_due(at("2024-03-29T12:00"), at("2024-04-01T12:00"))
    assert dues == [at("2024-03-30T02:00"), at("2024-03-31T01:00"), at("2024-04-01T01:00")]


@given(
    cron=st.sampled_from(CRONS),
    skew=st.floats(0, 1),
    begin=st.floats(SOME_DAY, SOME_DAY + 4e7),
    cut=st.floats(0, 1),
    zone=st.sampled_from([UTC, BERLIN]),
)
def test_no_due_time_is_lost_between_two_plans(
    cron: str, skew: float, begin: float, cut: float, zone: ZoneInfo
) -> None:
    """Planned at once or in two parts, wherever the cut: the same times, each once, in order."""
    schedule = Schedule(cron, "-70m@m", "-10m@m")
    timetable = read_timetable(schedule, identity="some search", skew=skew, zone=zone)
    end = begin + 3 * 86_400
    middle = begin + cut * (end - begin)
    whole = timetable.list_due(begin, end)
    assert timetable.list_due(begin, middle) + timetable.list_due(middle, end) == whole
    assert whole == sorted(set(whole))
    if whole:
        assert timetable.find_last(end) == whole[-1]
        assert timetable.find_next(begin) == whole[0]


@given(st.text(min_size=1, max_size=20))
def test_skew_moves_a_search_by_less_than_its_period_and_always_alike(identity: str) -> None:
    schedule = Schedule("0 * * * *", "-70m@m", "-10m@m")
    skewed = read_timetable(schedule, identity=identity, skew=0.5)
    assert 0 <= skewed.offset < 1800
    assert skewed == read_timetable(schedule, identity=identity, skew=0.5)


def test_skew_spreads_searches() -> None:
    schedule = Schedule("0 * * * *", "-70m@m", "-10m@m")
    offsets = [read_timetable(schedule, identity=str(n), skew=1.0).offset for n in range(1_000)]
    quarters = [sum(900 * q <= o < 900 * (q + 1) for o in offsets) for q in range(4)]
    assert min(quarters) > 200


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule("0 * * *", "-70m@m", "-10m@m"),
        Schedule("61 * * * *", "-70m@m", "-10m@m"),
        Schedule("", "-70m@m", "-10m@m"),
        Schedule("0 0 30 2 *", "-70m@m", "-10m@m"),
        Schedule("0 * * * *", "yesterday-ish", "-10m@m"),
        Schedule("0 * * * *", "-10m@m", "-70m@m"),
    ],
)
def test_what_cannot_be_read_is_told(schedule: Schedule) -> None:
    with pytest.raises(EscudoError) as caught:
        read_timetable(schedule, identity="x")
    assert caught.value.code == "SCH004"
