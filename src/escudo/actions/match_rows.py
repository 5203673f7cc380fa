"""Matches -> their rows as a hunt gives them, with stable names; called by who shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from escudo.actions.shown_rows import iterate_rows, show_value
from escudo.content import RiskConfig
from escudo.core.errors import EscudoError
from escudo.core.timerange import iso_utc
from escudo.detect import Match
from escudo.findings.risk import extract_risk_objects, ignore
from escudo.findings.tokens import fill_messages
from escudo.spl import parse_time

_TIME_FIELDS = ("_time", "lastTime", "firstTime")
_ISO = "%Y-%m-%dT%H:%M:%S"


def iterate_match(match: Match) -> Iterator[dict[str, Any]]:
    """One object a result row, as ``--format jsonl`` prints it. Field names are stable."""
    detection, rows = match.detection, match.rows
    objects = _list_objects(match, detection.risk)
    messages = _list_messages(match, detection.risk)
    score = detection.risk.score if detection.risk is not None else None
    for i, row in enumerate(iterate_rows(rows)):
        files = match.source_files[i].as_py()
        yield {
            "detection": detection.name,
            "detection_id": detection.id,
            "detection_type": detection.type,
            "detection_status": detection.status,
            "_time": find_row_time(row, match.now),
            "risk_objects": objects[i],
            "risk_score": score,
            "message": messages[i],
            "mitre_attack_id": list(detection.tags.mitre_attack_id),
            "analytic_story": list(detection.tags.analytic_story),
            "source_file": show_value("source_file", sorted(files)) if files else None,
            "row": row,
        }


def find_row_time(row: Mapping[str, Any], now: float) -> str:
    """When a row's events were: its ``_time``, else ``lastTime`` or ``firstTime``, else the run's
    time. ISO-8601 UTC.

    >>> find_row_time({"firstTime": "2020-10-08T11:03:46"}, 0.0)
    '2020-10-08T11:03:46.000Z'
    """
    for name in _TIME_FIELDS:
        value = row.get(name)
        if isinstance(value, str) and value.endswith("Z"):
            return value
        if isinstance(value, int | float):
            return iso_utc(float(value))
        if isinstance(value, str):
            try:
                epoch = parse_time(value, now, timeformat=_ISO)
            except EscudoError:
                continue
            if epoch is not None:
                return iso_utc(epoch)
    return iso_utc(now)


def _list_objects(match: Match, config: RiskConfig | None) -> list[list[dict[str, Any]]]:
    out: list[list[dict[str, Any]]] = [[] for _ in range(match.rows.num_rows)]
    if config is None:
        return out
    for scored in extract_risk_objects(match, config, ignore):
        for value, parent in zip(
            scored.values.to_pylist(), scored.parents.to_pylist(), strict=True
        ):
            out[parent].append(
                {
                    "field": scored.config.field,
                    "type": scored.config.type,
                    "value": value,
                    "score": scored.config.score,
                }
            )
    return out


def _list_messages(match: Match, config: RiskConfig | None) -> list[str | None]:
    count = match.rows.num_rows
    if config is None or not config.message or not count:
        return [None] * count
    filled: pa.Array = fill_messages(config.message, match.rows)
    return list(filled.to_pylist())
