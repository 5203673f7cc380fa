"""A matching row -> the fields that it has in an event of its own; called by ``risk`` and
``notable``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from escudo.core.timerange import TimeRange
from escudo.detect import Match
from escudo.detect.running import ROWS_AT_ONCE

RESERVED = ("host", "index", "source", "sourcetype", "_time", "_raw", "_indextime", "eventtype")
"""Fields of every event: those of the row are kept with the prefix ``orig_``, as ES does."""

_MILLISECOND = 0.001


def choose_event_time(window: TimeRange, now: float) -> float:
    """When risk events and findings of a run are dated: just before now or the window ends.

    So they lie in the window of the run and before now, which is what drilldowns look at, also
    where the run made up for a missed one.

    >>> choose_event_time(TimeRange(0, 3600), 4200), choose_event_time(TimeRange(), 4200)
    (3599.999, 4199.999)
    """
    end = now if window.latest is None else min(now, window.latest)
    time = end - _MILLISECOND
    return time if window.earliest is None else max(time, window.earliest)


def date_rows(match: Match) -> pa.Array:
    """When the risk events and findings of each row are dated: with its events where the match
    knows of them (``Match.times``, in a hunt), else with the run."""
    usual = choose_event_time(match.window, match.now)
    if match.times is None:
        return repeat_value(usual, match.rows.num_rows)
    return pc.fill_null(match.times.combine_chunks(), usual)


def split_window(window: TimeRange) -> tuple[float, float]:
    """``info_min_time`` and ``info_max_time``: 0 and infinity where the window is open."""
    return (
        window.earliest if window.earliest is not None else 0.0,
        window.latest if window.latest is not None else float("inf"),
    )


_write_row = json.JSONEncoder(sort_keys=True, default=str, ensure_ascii=False).encode


def hash_rows(identity: str, rows: pa.Table) -> pa.Array:
    """A hash for each row: the same detection and the same values give the same hash.

    >>> rows = pa.table({"dest": ["a", "b"], "n": [1, 1]})
    >>> len(set(hash_rows("x", rows).to_pylist()) & set(hash_rows("y", rows).to_pylist()))
    0
    """
    names = sorted(rows.column_names)
    parts = rows.select(names).to_batches(max_chunksize=ROWS_AT_ONCE)
    texts = (
        _write_row([identity, row])
        for row in chain.from_iterable(part.to_pylist() for part in parts)
    )
    digests = (hashlib.blake2b(t.encode("utf-8", "replace"), digest_size=16) for t in texts)
    return pa.array((d.hexdigest() for d in digests), pa.string())


def cut_hashed(match: Match, hashes: pa.Array | None = None) -> Iterator[tuple[Match, pa.Array]]:
    """The parts of a match (``Match.cut``), each with the hashes of its rows; ``hashes`` are those
    of all rows, where they are known."""
    start = 0
    for part in match.cut():
        count = part.rows.num_rows
        if hashes is None:
            yield part, hash_rows(match.detection.id, part.rows)
        else:
            yield part, hashes.slice(start, count)
        start += count


def rename_row_fields(rows: pa.Table, taken: Sequence[str]) -> dict[str, pa.ChunkedArray]:
    """The fields of the rows under the names that they have in an event of its own.

    Reserved names and names that the event sets itself (``taken``) get ``orig_``.
    """
    out = {}
    for name in rows.column_names:
        kept = f"orig_{name.lstrip('_')}" if name in RESERVED or name in taken else name
        if kept not in taken:
            out[kept] = rows[name]
    return out


def repeat_value(value: object, count: int, kind: pa.DataType | None = None) -> pa.Array:
    """One value for every row."""
    return pa.array([value] * count, kind)
