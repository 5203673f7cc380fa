"""A lake as a catalog: which files a time range reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.lake import Lake
from tests.lake.handmade import DAY, MODEL, RAW, TABLES, append, count, raw_rows


def test_datasets_and_raw_tables_come_from_the_definitions(lake: Lake) -> None:
    assert lake.dataset("demo", None) is MODEL
    assert lake.dataset("Endpoint", None) is None
    assert lake.datasets() == (("Demo", "Processes"),)
    assert lake.raw_tables() == (RAW,)


def test_a_table_without_rows_has_no_files(lake: Lake) -> None:
    assert lake.files("demo_processes", ALL_TIME) == ()
    assert lake.files("no_such_table", ALL_TIME) == ()


@pytest.mark.parametrize(
    ("within", "days"),
    [
        (ALL_TIME, [0, 1, 2]),
        (TimeRange(None, DAY), [0]),
        (TimeRange(DAY, 2 * DAY), [1]),
        (TimeRange(DAY - 1, DAY + 1), [1]),
        (TimeRange(10.0, DAY + 1), [0, 1]),
        (TimeRange(2 * DAY + 10, None), [2]),
        (TimeRange(2 * DAY + 10.000001, None), [2]),
        (TimeRange(2 * DAY + 10.01, None), []),
        (TimeRange(None, 0.0), []),
    ],
)
def test_a_window_reads_only_its_files(lake: Lake, within: TimeRange, days: list[int]) -> None:
    for day in range(3):
        append(lake, "raw_demo", raw_rows([day * DAY, day * DAY + 10.000001]))
    every = lake.files("raw_demo", ALL_TIME)
    assert lake.files("raw_demo", within) == tuple(every[day] for day in days)


def test_a_snapshot_stays_as_it_was(lake: Lake) -> None:
    append(lake, "raw_demo", raw_rows([1.0]))
    before = lake.snapshot()
    append(lake, "raw_demo", raw_rows([2.0]))
    assert (count(before, "raw_demo"), count(lake, "raw_demo")) == (1, 2)
    assert lake.snapshot() is lake.snapshot()


@pytest.fixture(scope="module")
def scattered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    folder: Path = tmp_path_factory.mktemp("scattered")
    with Lake.open(folder / "lake", tables=TABLES) as lake:
        with lake.writer() as writer:
            for n in range(20):
                times = [n * DAY / 3 + k * 999.7 for k in range(30)]
                writer.append_rows("raw_demo", raw_rows(times))
                writer.commit()
        yield lake


@pytest.mark.slow
@given(st.floats(-DAY, 8 * DAY), st.floats(0, 3 * DAY))
def test_pruning_loses_no_row(scattered: Lake, start: float, length: float) -> None:
    within = TimeRange(start, start + length)
    times = [n * DAY / 3 + k * 999.7 for n in range(20) for k in range(30)]
    bounds = {f.path: (f.low, f.high) for f in scattered.snapshot().data_files("raw_demo")}
    chosen = [bounds[Path(p).name] for p in scattered.files("raw_demo", within)]
    for time in times:
        if within.overlaps(time, time):
            assert any(
                low is not None and high is not None and low <= time * 1e6 <= high
                for low, high in chosen
            )
