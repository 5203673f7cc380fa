"""A run -> its numbers, as ``--report`` writes them; called by ``escudo hunt`` and ``ingest``."""

from __future__ import annotations

from collections import Counter
from typing import Any

from escudo.actions.hunt import Hunt
from escudo.core.errors import Severity
from escudo.lake.report import IngestReport
from escudo.sources.notes import Kind


def count_run(ingested: IngestReport, hunt: Hunt | None, *, seconds: float) -> dict[str, Any]:
    """The whole run in numbers: files, events, diagnostics, and the detections of a hunt."""
    failed = {d.span.file for d in ingested.diagnostics if d.severity is Severity.ERROR and d.span}
    out: dict[str, Any] = {
        "files": {
            "read": sum(1 for _ in ingested.ingested()),
            "known": sum(1 for _ in ingested.known()),
            "failed": len(failed),
        },
        "events": {
            "read": ingested.read,
            "normalised": ingested.normalised,
            "kept_raw": ingested.kept_raw,
            "rejected": ingested.rejected,
            "not_understood": ingested.blind,
            "with_the_files_time": ingested.count_notes(Kind.FILE_TIME),
            "other_lines": ingested.count_notes(Kind.OTHER_LINES),
            "datasets": dict(ingested.datasets),
            "families": dict(ingested.families),
        },
        "diagnostics": [
            {"code": d.code, "severity": d.severity.value, "message": d.message}
            for d in ingested.diagnostics
        ],
        "seconds": round(seconds, 3),
    }
    if hunt is not None:
        rows = Counter({m.detection.name: m.rows.num_rows for m, _ in hunt.hits()})
        out["detections"] = {
            "run": len(hunt.matches),
            "failed": [
                {"name": m.detection.name, "code": d.code, "message": d.message}
                for m in hunt.matches
                for d in m.diagnostics
                if d.severity is Severity.ERROR
            ],
            "rows": dict(rows),
        }
    return out
