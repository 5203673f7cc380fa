"""A match -> findings (notables): what a person is to look at, one for each row, once; called by
``judging``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

import pyarrow as pa

from escudo.content import Deployment, Detection, Notable
from escudo.core.schema import TableSchema
from escudo.core.spooled import spool_parts
from escudo.detect import Match
from escudo.findings.annotations import annotate
from escudo.findings.drilldown import (
    MOST_FILLED,
    FilledDrilldown,
    fill_all_drilldowns,
    report_unknown_tokens,
)
from escudo.findings.risk import Report, ignore
from escudo.findings.rows import (
    cut_hashed,
    date_rows,
    rename_row_fields,
    repeat_value,
    split_window,
)
from escudo.findings.tokens import fill_messages
from escudo.lake.table_rows import lay_out

INDEX = "notable"
SOURCETYPE = "stash"
NEW, UNASSIGNED, UNDETERMINED = "new", "unassigned", "undetermined"

_SEVERITIES = ((20, "informational"), (40, "low"), (60, "medium"), (80, "high"), (100, "critical"))
SEVERITIES = tuple(name for _, name in _SEVERITIES)
"""The severities of findings, the least first."""

_UNSCORED = "high"

URGENCY: Mapping[str, str] = {
    "informational": "informational",
    "low": "low",
    "medium": "low",
    "high": "medium",
    "critical": "high",
}
"""Urgency by severity where no asset list gives a priority (ES manual, How urgency is assigned)."""


def rate_severity(detection: Detection) -> str:
    """The severity of a detection's findings, from its highest risk score.

    >>> from escudo import content
    >>> rate_severity(content.load().detection("Process Execution via WMI"))
    'medium'
    """
    return rate_score(detection.risk.score if detection.risk is not None else 0)


def rate_score(score: float) -> str:
    """The severity of a risk score from 0 to 100; what has no score is as severe as ES makes it.

    >>> rate_score(49), rate_score(0)
    ('medium', 'high')
    """
    if not score:
        return _UNSCORED
    return next((name for limit, name in _SEVERITIES if score <= limit), "critical")


def build_findings(
    match: Match,
    deployment: Deployment,
    schema: TableSchema,
    *,
    hashes: pa.Array | None = None,
    report: Report = ignore,
) -> pa.Table:
    """The findings of a match, as rows of the ``raw_notable`` table; none without a deployment
    that makes them.

    ``event_hash`` is the same for the same row of the same detection, whichever run found it;
    ``hashes`` are these, where they are known. Many findings are in a file (``core.spooled``).
    """
    notable, empty = deployment.notable, schema.arrow().empty_table()
    if notable is None or not match.rows.num_rows:
        return empty
    report_unknown_tokens(match, report)
    parts = (_build_part(part, notable, known, schema) for part, known in cut_hashed(match, hashes))
    return spool_parts(parts, empty)


def _build_part(match: Match, notable: Notable, hashes: pa.Array, schema: TableSchema) -> pa.Table:
    detection, count = match.detection, match.rows.num_rows
    low, high = split_window(match.window)
    level = rate_severity(detection)
    lists = pa.list_(pa.string())
    own: dict[str, pa.Array | pa.ChunkedArray] = {
        "_time": date_rows(match),
        "_indextime": repeat_value(match.now, count),
        "index": repeat_value(INDEX, count),
        "host": repeat_value("escudo", count),
        "source": repeat_value(detection.search_name, count),
        "sourcetype": repeat_value(SOURCETYPE, count),
        "search_name": repeat_value(detection.search_name, count),
        "orig_sid": repeat_value(match.sid, count),
        "rule_name": repeat_value(detection.name, count),
        "rule_title": fill_messages(build_title(detection, notable.rule_title), match.rows),
        "rule_description": repeat_value(_expand(notable.rule_description, detection), count),
        "security_domain": repeat_value(detection.tags.security_domain, count),
        "severity": repeat_value(level, count),
        "urgency": repeat_value(URGENCY[level], count),
        "status": repeat_value(NEW, count),
        "owner": repeat_value(UNASSIGNED, count),
        "disposition": repeat_value(UNDETERMINED, count),
        "drilldown_searches": _drilldowns(match),
        "event_hash": hashes,
        "info_min_time": repeat_value(low, count),
        "info_max_time": repeat_value(high, count),
        "analyticstories": repeat_value(list(detection.tags.analytic_story), count, lists),
    }
    for name, values in annotate(detection).fields.items():
        own[name] = repeat_value(list(values), count, lists)
    return lay_out({**rename_row_fields(match.rows, tuple(own)), **own}, schema)


def build_title(detection: Detection, template: str) -> str:
    """The title of a detection's findings: its own where it has one, else the deployment's.

    A correlation's title starts with ``RBA: ``.
    """
    own = detection.risk.finding_title if detection.risk is not None else None
    text = own or _expand(template, detection)
    return f"RBA: {text}" if detection.type == "Correlation" else text


def _expand(template: str, detection: Detection) -> str:
    return template.replace("%name%", detection.name).replace(
        "%description%", detection.description
    )


def _drilldowns(match: Match) -> pa.Array:
    """The filled drilldowns of each row, as JSON text."""

    @lru_cache(maxsize=MOST_FILLED)
    def write(drilldowns: tuple[FilledDrilldown, ...]) -> str:
        return json.dumps([d.as_dict() for d in drilldowns])

    return pa.array(map(write, fill_all_drilldowns(match)), pa.string())
