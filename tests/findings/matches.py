"""Matches for tests: a detection and rows, without running a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from escudo import content
from escudo.cim import models
from escudo.content import Detection, RiskConfig, RiskObject, ThreatObject
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.detect import Match
from escudo.findings import Schemas

NOW = 1_712_650_500.0


def schemas() -> Schemas:
    loaded = models.load()
    risk = loaded.dataset("Risk", "All_Risk")
    notable = loaded.dataset("Incident_Management", "Notable_Events")
    assert risk is not None
    assert notable is not None
    return Schemas(risk, notable)


def detection(
    message: str = "on $dest$",
    risk: Sequence[tuple[str, str, int]] = (("dest", "system", 49),),
    threats: Sequence[tuple[str, str]] = (),
    **changes: Any,
) -> Detection:
    """The WMI detection with another risk."""
    config = RiskConfig(
        message,
        tuple(RiskObject(*r) for r in risk),
        tuple(ThreatObject(*t) for t in threats),
    )
    own = content.load().detection("Process Execution via WMI")
    return replace(own, risk=config, **changes)


def match(
    rows: Mapping[str, Sequence[Any]] | pa.Table,
    found_by: Detection | None = None,
    window: TimeRange = ALL_TIME,
    now: float = NOW,
) -> Match:
    table = rows if isinstance(rows, pa.Table) else pa.table(dict(rows))
    files = pa.array([["a.evtx"]] * table.num_rows, pa.list_(pa.string()))
    ids = pa.array([[i] for i in range(table.num_rows)], pa.list_(pa.int64()))
    return Match(
        found_by or detection(),
        table,
        pa.chunked_array([files]),
        pa.chunked_array([ids]),
        (),
        window,
        now,
        "sid",
    )


def column(table: pa.Table, name: str) -> list[Any]:
    values: list[Any] = table[name].to_pylist()
    return values
