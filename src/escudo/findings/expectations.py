"""A match, a detection's test -> which of the exact risk events that it asks for are missing; given
to ``detect.testing`` as a check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from escudo.content import DetectionTest
from escudo.core.errors import Diagnostic
from escudo.core.schema import TableSchema
from escudo.detect import Match
from escudo.findings.risk import build_risk_events

_FIELDS = ("risk_object", "risk_object_type", "risk_score", "risk_message")


def check_risk_events(
    match: Match, test: DetectionTest, schema: TableSchema
) -> Iterator[Diagnostic]:
    """FND201 for every risk event that is missing, superfluous or different.

    A test without ``risk_events`` says nothing about them.
    """
    if not test.risk_events:
        return
    events = build_risk_events(match, schema)
    columns = [events[schema.by_name[f].physical].to_pylist() for f in _FIELDS]
    counted = Counter(zip(*columns, strict=True))
    wanted: Counter[tuple[object, ...]] = Counter()
    for expected in test.risk_events:
        wanted[tuple(getattr(expected, f) for f in _FIELDS)] += expected.count
    for event in wanted.keys() | counted.keys():
        if wanted[event] != counted[event]:
            text = ", ".join(f"{f}={v!r}" for f, v in zip(_FIELDS, event, strict=True))
            yield Diagnostic(
                "FND201",
                f"{match.detection.name}: {counted[event]} risk events with {text},"
                f" {wanted[event]} expected",
            )
