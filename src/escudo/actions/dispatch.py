"""What a detection's search found in one run that somebody asked for -> risk events and findings in
the lake, as Enterprise Security's adaptive response writes them; called by the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from escudo.content import Deployment, Detection
from escudo.core.timerange import TimeRange
from escudo.detect import Match
from escudo.findings import Schemas, judge_match
from escudo.findings.store import Written, write_judgements
from escudo.lake import Lake


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispatched:
    """A run of a detection's search: its rows as SPL names them, its id, when it ran (epoch
    seconds), and over what time."""

    detection: Detection
    rows: pa.Table
    window: TimeRange
    now: float
    sid: str


def write_actions(run: Dispatched, lake: Lake, deployments: Mapping[str, Deployment]) -> Written:
    """Writes what is new of a run's risk events and findings.

    Raises:
        EscudoError: FND102 where the detection's type has no deployment; what the lake says.
    """
    count = run.rows.num_rows
    match = Match(
        detection=run.detection,
        rows=run.rows,
        source_files=pa.chunked_array([pa.nulls(count, pa.list_(pa.string()))]),
        event_ids=pa.chunked_array([pa.nulls(count, pa.list_(pa.int64()))]),
        diagnostics=(),
        window=run.window,
        now=run.now,
        sid=run.sid,
    )
    schemas = Schemas.find(lake.snapshot())
    judged = judge_match(match, deployments, schemas)
    judged = replace(judged, risk_events=_name_search(judged.risk_events, run.detection))
    return write_judgements(lake, [judged], schemas)


_CONTRIBUTING = "contributing_events_search"


def _name_search(risk_events: pa.Table, detection: Detection) -> pa.Table:
    """Risk events whose search for what is behind them names the saved search, as those of
    Enterprise Security do, and does not repeat its text."""
    if _CONTRIBUTING not in risk_events.column_names:
        return risk_events
    named = f'| savedsearch "{detection.search_name}"'
    length = len(detection.search)
    searches = pc.utf8_replace_slice(risk_events[_CONTRIBUTING], 0, length, named)
    place = risk_events.column_names.index(_CONTRIBUTING)
    return risk_events.set_column(place, _CONTRIBUTING, searches)
