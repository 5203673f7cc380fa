"""The main job: logs into a lake, detections over it, risk and findings out of what matched."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

import pyarrow as pa

from escudo import detect
from escudo.cli.output import plain, rows_of
from escudo.content import Content, Deployment, Detection, RiskConfig
from escudo.core.catalog import Catalog
from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.timerange import TimeRange, iso_utc
from escudo.detect import Match
from escudo.engines.execute import Engine
from escudo.findings import Judgement, Schemas, judge
from escudo.findings.risk import ignore, risk_objects
from escudo.findings.store import write
from escudo.findings.tokens import fill_messages
from escudo.lake import Lake
from escudo.lake.effects import Change, carry_out
from escudo.lake.knowledge import LakeKnowledge
from escudo.lake.report import IngestReport
from escudo.lake.tables import NOTABLE, RISK
from escudo.spl.timemod import parse_time

_TIME_FIELDS = ("_time", "lastTime", "firstTime")
_ISO = "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True)
class Hunt:
    """What a hunt found: a judgement for each detection that ran, in the order of their names.

    ``changes`` is what their searches themselves wrote into the lake.
    """

    judgements: tuple[Judgement, ...]
    matches: tuple[Match, ...]
    changes: tuple[Change, ...] = ()

    def hits(self) -> Iterator[tuple[Match, Judgement]]:
        return (
            (m, j) for m, j in zip(self.matches, self.judgements, strict=True) if m.rows.num_rows
        )

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """What was wrong with the detections themselves, errors first."""
        found = [d for m in self.matches for d in m.diagnostics]
        return sorted(found, key=lambda d: d.severity is not Severity.ERROR)

    @property
    def failed(self) -> int:
        return sum(m.failed for m in self.matches)


def chosen(content: Content, names: Sequence[str], stories: Sequence[str]) -> list[Detection]:
    """The detections by name or id and of the stories; all of the content without either.

    Raises:
        EscudoError: CON205 where there is no detection of a name, CLI001 no story of a name.
    """
    if not names and not stories:
        return list(content.detections)
    out = {d.id: d for d in map(content.detection, names)}
    for story in stories:
        wanted = story.lower()
        of_story = [
            d for d in content.detections if wanted in (s.lower() for s in d.tags.analytic_story)
        ]
        if not of_story:
            raise EscudoError("CLI001", f"no detection belongs to a story named {story!r}")
        out.update((d.id, d) for d in of_story)
    return sorted(out.values(), key=lambda d: d.name)


def schemas(catalog: Catalog) -> Schemas:
    """The tables that risk events and findings go to."""
    raw = {t.table: t for t in catalog.raw_tables()}
    return Schemas(risk=raw[RISK], notable=raw[NOTABLE])


def hunt(
    detections: Sequence[Detection],
    content: Content,
    lake: Lake,
    engine_of: Callable[[Catalog], Engine],
    *,
    within: TimeRange,
    now: float,
    follow: Callable[[Sequence[Detection]], Iterable[Detection]] = iter,
) -> Hunt:
    """Runs detections over what a lake holds now, and writes their risk events and findings.

    What a search writes itself (lookups, models, events of an index) is in the lake before the
    next one runs, although several may run at once; none may delete events. Correlations read the
    risk that the others wrote, so they run after them. Detections that are not enabled are left
    out. ``follow`` is given each list of detections and yields them one by one (a progress bar).
    """
    first = [d for d in detections if d.enabled and d.type != "Correlation"]
    then = [d for d in detections if d.enabled and d.type == "Correlation"]
    knowledge = LakeKnowledge(content.knowledge, lake.artifacts)
    matches: list[Match] = []
    judgements: list[Judgement] = []
    changes: list[Change] = []
    for group in (first, then):
        if not group:
            continue
        snapshot = lake.snapshot()
        places = schemas(snapshot)
        engine = engine_of(snapshot)
        matched = detect.run(group, snapshot, engine, knowledge, within=within, now=now)
        found = [
            _carried_out(match, lake, content, changes)
            for _, match in zip(follow(group), matched, strict=True)
        ]
        judged = [judge(m, _deployments(content, found), places) for m in found]
        write(lake, judged, places)
        matches += found
        judgements += judged
    return Hunt(tuple(judgements), tuple(matches), tuple(changes))


def _carried_out(match: Match, lake: Lake, content: Content, changes: list[Change]) -> Match:
    """The match once what its search asks to be written is written, and told in ``changes``; why
    it is not is among its diagnostics."""
    name = match.detection.search_name
    try:
        changes += carry_out(match.effects, lake, content.knowledge, search=name)
    except EscudoError as error:
        return replace(match, diagnostics=(*match.diagnostics, error.diagnostic))
    return match


def _deployments(content: Content, matches: Sequence[Match]) -> Mapping[str, Deployment]:
    missing = {m.detection.type for m in matches} - set(content.deployments)
    if missing:
        raise EscudoError("CLI002", f"no deployment for detections of type {', '.join(missing)}")
    return content.deployments


def result_rows(match: Match) -> Iterator[dict[str, Any]]:
    """One object a result row, as ``--format jsonl`` prints it. Field names are stable."""
    detection, rows = match.detection, match.rows
    objects = _objects(match, detection.risk)
    messages = _messages(match, detection.risk)
    score = detection.risk.score if detection.risk is not None else None
    for i, row in enumerate(rows_of(rows)):
        files = match.source_files[i].as_py()
        yield {
            "detection": detection.name,
            "detection_id": detection.id,
            "detection_type": detection.type,
            "detection_status": detection.status,
            "_time": row_time(row, match.now),
            "risk_objects": objects[i],
            "risk_score": score,
            "message": messages[i],
            "mitre_attack_id": list(detection.tags.mitre_attack_id),
            "analytic_story": list(detection.tags.analytic_story),
            "source_file": plain("source_file", sorted(files)) if files else None,
            "row": row,
        }


def row_time(row: Mapping[str, Any], now: float) -> str:
    """When a row's events were: its ``_time``, else ``lastTime`` or ``firstTime``, else the run's
    time. ISO-8601 UTC.

    >>> row_time({"firstTime": "2020-10-08T11:03:46"}, 0.0)
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


def _objects(match: Match, config: RiskConfig | None) -> list[list[dict[str, Any]]]:
    out: list[list[dict[str, Any]]] = [[] for _ in range(match.rows.num_rows)]
    if config is None:
        return out
    for found in risk_objects(match, config, ignore):
        for value, parent in zip(found.values.to_pylist(), found.parents.to_pylist(), strict=True):
            out[parent].append(
                {
                    "field": found.config.field,
                    "type": found.config.type,
                    "value": value,
                    "score": found.config.score,
                }
            )
    return out


def _messages(match: Match, config: RiskConfig | None) -> list[str | None]:
    count = match.rows.num_rows
    if config is None or not config.message or not count:
        return [None] * count
    filled: pa.Array = fill_messages(config.message, match.rows)
    return list(filled.to_pylist())


def report(ingested: IngestReport, found: Hunt | None, begun: float) -> dict[str, Any]:
    """The whole run in numbers, for ``--report``."""
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
            "datasets": dict(ingested.datasets),
            "families": dict(ingested.families),
        },
        "diagnostics": [
            {"code": d.code, "severity": d.severity.value, "message": d.message}
            for d in ingested.diagnostics
        ],
        "seconds": round(time.monotonic() - begun, 3),
    }
    if found is not None:
        rows = Counter({m.detection.name: m.rows.num_rows for m, _ in found.hits()})
        out["detections"] = {
            "run": len(found.matches),
            "failed": [
                {"name": m.detection.name, "code": d.code, "message": d.message}
                for m in found.matches
                for d in m.diagnostics
                if d.severity is Severity.ERROR
            ],
            "rows": dict(rows),
        }
    return out


def base_name(source_file: str) -> str:
    """The last part of a source file's path, archive members included.

    >>> base_name("logs/day.zip!host/a.json")
    'a.json'
    """
    return PurePath(source_file.rpartition("!")[2]).name
