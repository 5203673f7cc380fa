"""A correlation over risk of many years -> what it would have found, window by window.

A rule like "more than 100 in 24 hours" runs every hour over the last 24. A hunt lets its window
slide over the times of the risk events, hour by hour, as the schedule would have; the clock of each
run is the end of its window. Windows whose events another one has, too, are left out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from sqlglot import exp

from escudo.content import Detection
from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.event_log import log_event
from escudo.core.timerange import TimeRange
from escudo.detect.attempt import attempt
from escudo.detect.row_times import find_own_times
from escudo.detect.running import Match, make_match, run_detection
from escudo.engines.execute import Engine
from escudo.engines.scans import pick_columns
from escudo.engines.windows import run_in_windows
from escudo.spl import Runner, alias, column, parse_time, prelude_call, select, table, within_range
from escudo.spl.compile import Compiled, compile_search

STEP = 3600.0
"""Seconds between two runs."""

FEWEST_TOGETHER = 3
"""Windows that are worth compiling the search twice, to run it once."""

_CLOCK = 1_000_000_000.0
_TIME = "_time"


def find_span(detection: Detection) -> float | None:
    """The seconds that each run of a correlation looks back; None unless its own schedule says so.

    >>> from escudo import content
    >>> name = "Risk Threshold Exceeded For Object Over 24 Hour Period"
    >>> find_span(content.load().detection(name))
    86400.0
    """
    schedule = detection.schedule
    if detection.type != "Correlation" or schedule is None:
        return None
    try:
        start, end = (parse_time(t, _CLOCK) for t in (schedule.earliest, schedule.latest or "now"))
    except EscudoError:
        return None
    if start is None or end is None or end <= start:
        return None
    return end - start


def run_sliding(
    detection: Detection,
    *,
    catalog: Catalog,
    engine: Engine,
    knowledge: Knowledge,
    table_name: str,
    within: TimeRange,
    now: float,
) -> Match:
    """One match of all windows: the first row of each object, then no other until its throttling
    is over.

    Args:
        table_name: the table whose events the windows slide over.
    """
    span = find_span(detection)
    times = list_times(table_name, catalog, engine, within)
    if span is None or not len(times):
        return run_detection(detection, catalog, engine, knowledge, within=within, now=now)
    windows: dict[TimeRange, float] = {}
    for end in choose_ends(times, span):
        windows.setdefault(TimeRange(end - span, end) & within, min(end, now))
    parts = _run_together(detection, windows, catalog, engine, knowledge)
    return _join(
        parts or _run_each(detection, windows, catalog, engine, knowledge),
        detection,
        within=within,
        now=now,
    )


Clocks: TypeAlias = Mapping[TimeRange, float]
"""Windows in order, and the time of the search in each."""


def _run_each(
    detection: Detection,
    windows: Clocks,
    catalog: Catalog,
    engine: Engine,
    knowledge: Knowledge,
) -> list[Match]:
    """The match in each window, up to the first that fails."""
    parts: list[Match] = []
    for window, now in windows.items():
        parts.append(run_detection(detection, catalog, engine, knowledge, within=window, now=now))
        if parts[-1].failed:
            break
    return parts


def _run_together(
    detection: Detection,
    windows: Clocks,
    catalog: Catalog,
    engine: Engine,
    knowledge: Knowledge,
) -> list[Match] | None:
    """The match in each window, by one query; None where they have to be run one by one."""
    if len(windows) < FEWEST_TOGETHER:
        return None

    def compile_in(window: TimeRange, held: Catalog, runner: Runner) -> Compiled:
        return compile_search(
            detection.search,
            held,
            knowledge,
            now=windows[window],
            within=window,
            runner=runner,
            provenance=True,
            file=detection.origin.file,
        )

    run = partial(run_in_windows, compile_in, list(windows), catalog, engine)
    begun = time.monotonic()
    results = attempt(run, name=detection.name)
    if results is None or isinstance(results, Diagnostic):
        return None
    rows = sum(result.table.num_rows for result in results)
    seconds = round(time.monotonic() - begun, 3)
    log_event("detection", name=detection.name, rows=rows, seconds=seconds, windows=len(windows))
    return [
        make_match(detection, result.table, result.diagnostics, within=window, now=now)
        for (window, now), result in zip(windows.items(), results, strict=True)
    ]


def choose_ends(times: np.ndarray, span: float) -> list[float]:
    """The ends of the windows, on the full hour, that no later window makes needless.

    ``times``: epoch seconds, sorted.

    >>> choose_ends(np.array([10.0, 4000.0, 200_000.0]), 86400.0)
    [7200.0, 201600.0]
    """
    ends = np.unique((np.floor(times / STEP) + 1) * STEP)
    first = times[np.searchsorted(times, ends - span)]  # the oldest event of each window
    needed = [i for i, end in enumerate(ends[:-1]) if first[i] < ends[i + 1] - span]
    return [float(ends[i]) for i in needed] + [float(e) for e in ends[-1:]]


def list_times(name: str, catalog: Catalog, engine: Engine, within: TimeRange) -> np.ndarray:
    """The times of a table's events, sorted, in epoch seconds."""
    schema = next(t for t in catalog.raw_tables() if t.table == name)
    if not catalog.files(name, within):
        return np.array([])
    scan = pick_columns(schema, (_TIME,), within)
    query = select([alias(prelude_call("spl_epoch", column(_TIME)), "t")], table(scan.name))
    inside = within_range(column(_TIME), within)
    if inside is not None:
        query = query.where(inside)
    query.set("distinct", exp.Distinct())
    return np.sort(engine.run(query, [scan], {})["t"].drop_null().to_numpy())


def _join(parts: Sequence[Match], detection: Detection, *, within: TimeRange, now: float) -> Match:
    """The rows of all windows in one match. An object that was found is quiet for a while, as
    throttling has it; without throttling a row that was found is not found again."""
    throttling = detection.tags.throttling
    pause = math.inf if throttling is None else throttling.seconds
    quiet: dict[tuple[str, ...], float] = {}
    kept: list[Match] = []
    for part in parts:
        fields = part.rows.column_names if throttling is None else throttling.fields
        assert part.window.latest is not None
        chosen = []
        rows = zip(find_own_times(part), part.rows.to_pylist(), strict=True)
        for i, (own, row) in enumerate(rows):
            key = tuple(str(row.get(f)) for f in fields)
            at = part.window.latest if own is None else own
            if at >= quiet.get(key, -math.inf):
                quiet[key] = at + pause
                chosen.append(i)
        kept.append(part.take(pa.array(chosen, pa.int64())))
    found = [k for k in kept if k.rows.num_rows] or kept[:1]
    return replace(
        next((p for p in parts if p.failed), found[0]),
        rows=pa.concat_tables([k.rows for k in found], promote_options="permissive"),
        source_files=pa.chunked_array([c for k in found for c in k.source_files.chunks]),
        event_ids=pa.chunked_array([c for k in found for c in k.event_ids.chunks]),
        diagnostics=tuple(dict.fromkeys(d for p in parts for d in p.diagnostics)),
        effects=tuple(e for p in parts for e in p.effects),
        asked=None,
        window=within,
        now=now,
    )
