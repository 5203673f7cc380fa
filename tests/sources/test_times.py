from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escudo.sources.date_order import DateOrder
from escudo.sources.times import parse_times


def micros(text: str | None) -> str | None:
    [value] = parse_times(pa.array([text], pa.string())).to_pylist()
    return None if value is None else f"{value:%Y-%m-%dT%H:%M:%S.%f}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Windows event XML, 100 ns and microseconds
        ("2020-10-08T11:03:46.617920300Z", "2020-10-08T11:03:46.617920"),
        ("2019-07-29T21:32:55.583667Z", "2019-07-29T21:32:55.583667"),
        ("2020-10-23T02:36:40.671Z", "2020-10-23T02:36:40.671000"),
        ("2022-05-11T18:10:20Z", "2022-05-11T18:10:20.000000"),
        # Sysmon's UtcTime, exports without a zone
        ("2020-10-08 11:03:46.615", "2020-10-08T11:03:46.615000"),
        ("2020-10-08 11:03:46", "2020-10-08T11:03:46.000000"),
        ("2020-10-08T11:03:46,5", "2020-10-08T11:03:46.500000"),
        # offsets
        ("2020-10-08T11:03:46.5+02:00", "2020-10-08T09:03:46.500000"),
        ("2020-10-08T11:03:46-0330", "2020-10-08T14:33:46.000000"),
        ("2020-10-08 11:03:46 UTC", "2020-10-08T11:03:46.000000"),
        # epochs: seconds, fractions, milliseconds, microseconds, nanoseconds, FILETIME
        ("1713805173", "2024-04-22T16:59:33.000000"),
        ("1713805173.321", "2024-04-22T16:59:33.321000"),
        ("1713805173418", "2024-04-22T16:59:33.418000"),
        ("1713805173418123", "2024-04-22T16:59:33.418123"),
        ("1713805173418123456", "2024-04-22T16:59:33.418123"),
        ("133582787734180000", "2024-04-22T16:59:33.418000"),
        # no times
        ("", None),
        ("-", None),
        ("2020-13-08T11:03:46Z", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_forms(text: str | None, expected: str | None) -> None:
    assert micros(text) == expected


def test_one_odd_value_does_not_change_the_others() -> None:
    texts = ["2020-10-08T11:03:46.617920300Z", "x", None, "1713805173418"]
    alone = [parse_times(pa.array([t], pa.string()))[0] for t in texts]
    assert parse_times(pa.array(texts)).to_pylist() == [t.as_py() for t in alone]


@given(
    moment=st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)),
    minutes=st.integers(-14 * 60, 14 * 60),
)
def test_iso_with_any_offset_is_the_same_moment(moment: datetime, minutes: int) -> None:
    local = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=minutes)))
    [parsed] = parse_times(pa.array([local.isoformat()])).to_pylist()
    assert parsed == moment.replace(tzinfo=UTC)


@given(st.lists(st.integers(10**12, 3 * 10**12), min_size=1))
def test_milliseconds(values: list[int]) -> None:
    parsed = parse_times(pa.array([str(v) for v in values])).cast(pa.int64()).to_pylist()
    assert parsed == [v * 1000 for v in values]


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        (r"/Date(1709634030123)/", None, "2024-03-05 10:20:30.123000+00:00"),
        (r"\/Date(1709634030123)\/", None, "2024-03-05 10:20:30.123000+00:00"),
        ("25/03/2024 10:20:30", None, "2024-03-25 10:20:30+00:00"),
        ("3/25/2024 1:20:30 PM", None, "2024-03-25 13:20:30+00:00"),
        ("12/12/2024 12:00:00 AM", None, "2024-12-12 00:00:00+00:00"),
        ("03/05/2024 10:20:30", None, "None"),
        ("03/05/2024 10:20:30", DateOrder.DMY, "2024-05-03 10:20:30+00:00"),
        ("03/05/2024 10:20:30", DateOrder.MDY, "2024-03-05 10:20:30+00:00"),
        ("05.03.2024 10:20", DateOrder.DMY, "2024-03-05 10:20:00+00:00"),
        ("13/13/2024 10:20:30", DateOrder.DMY, "None"),
    ],
)
def test_dates_of_numbers(text: str, order: DateOrder | None, expected: str) -> None:
    assert [str(t) for t in parse_times(pa.array([text]), order).to_pylist()] == [expected]
