"""Parts of a time, the newest first: all of it, once."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa

from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.lake import Lake
from escudo.lake.stretches import Stretches
from escudo.lake.table_rows import lay_out


def _fill(lake: Lake, times: list[float]) -> None:
    schema = next(s for s in lake.tables.raw if s.table == "raw_stash")
    rows = {"_time": pa.array(times), "_raw": pa.array(["x"] * len(times))}
    with lake.writer() as writer:
        writer.append_rows("raw_stash", lay_out(rows, schema))
        writer.commit()


def _take_all(lake: Lake, within: TimeRange, rows: float) -> list[TimeRange]:
    stretches = Stretches(lake.snapshot(), ["raw_stash", "raw_stash"], within)
    taken = []
    while (part := stretches.take(rows)) is not None:
        taken.append(part)
    assert stretches.done == 1.0
    return taken


def test_parts_join_and_the_newest_comes_first() -> None:
    with Lake.create_temporary() as lake:
        _fill(lake, [float(t) for t in range(1_000)])
        _fill(lake, [5_000.0])
        parts = _take_all(lake, ALL_TIME, 100)
        assert parts[0].latest is None
        assert parts[-1].earliest is None
        assert all(a.earliest == b.latest for a, b in pairwise(parts))
        assert len(parts) == 11
        counts = [
            sum(p.overlaps(t, t) for t in [*map(float, range(1_000)), 5_000.0]) for p in parts
        ]
        assert sum(counts) == 1_001
        assert all(80 <= count <= 120 for count in counts[:-1])


def test_a_bounded_time_is_kept_to() -> None:
    with Lake.create_temporary() as lake:
        _fill(lake, [float(t) for t in range(1_000)])
        parts = _take_all(lake, TimeRange(100.0, 300.0), 50)
        assert parts[0].latest == 300.0
        assert parts[-1].earliest == 100.0
        assert len(parts) in (4, 5)  # the estimate ends a hair before or after


def test_an_empty_lake_is_one_part() -> None:
    with Lake.create_temporary() as lake:
        assert _take_all(lake, TimeRange(1.0, 2.0), 10) == [TimeRange(1.0, 2.0)]
