"""A hunt -> what a terminal shows of it; called by ``escudo hunt``, ``demo`` and ``ingest``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import PurePath
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from escudo.actions.hunt import Hunt
from escudo.actions.match_rows import iterate_match
from escudo.cli.terminal import escape_line, plain
from escudo.core.timerange import iso_zoned
from escudo.findings.attack import find_techniques
from escudo.findings.notable import rate_severity
from escudo.lake.report import IngestReport
from escudo.sources.notes import Kind

COLOURS: Mapping[str, str] = {
    "informational": "dim",
    "low": "cyan",
    "medium": "yellow",
    "high": "red",
    "critical": "bold red",
}
_COMMAND_WIDTH = 160


def show_run(
    hunt: Hunt,
    report: IngestReport | None,
    console: Console,
    *,
    most_rows: int | None = None,
    zone: tzinfo = UTC,
) -> None:
    """All of a hunt, through logs if there is a report of them, or ``most_rows`` a detection."""
    if report is not None:
        show_ingest(report, console)
    show_hits(hunt, console, most_rows=most_rows, zone=zone)
    show_risk(hunt, console)
    show_techniques(hunt, console)


def show_ingest(report: IngestReport, console: Console) -> None:
    """One paragraph: files, and where every event went."""
    read, known = sum(1 for _ in report.ingested()), sum(1 for _ in report.known())
    skipped = f", {known:,} known already" if known else ""
    line = Text("Read ")
    line.append(f"{report.read:,}", style="bold")
    line.append(
        f" events of {read:,} files{skipped}: "
        f"{report.normalised:,} normalised, {report.kept_raw:,} kept raw only, "
        f"{report.rejected:,} rejected."
    )
    console.print(line)
    parts = [
        (report.blind, "events were not understood: no detection sees them"),
        (report.count_notes(Kind.FILE_TIME), "events have the time of their file"),
        (report.count_notes(Kind.OTHER_LINES), "other lines were passed over"),
    ]
    for count, text in parts:
        if count:
            console.print(f"  {count:,} {text}")
    if report.datasets:
        datasets = ", ".join(f"{name} {n:,}" for name, n in report.datasets.most_common())
        console.print(f"  {datasets}", style="dim")


def show_hits(
    hunt: Hunt, console: Console, *, most_rows: int | None = None, zone: tzinfo = UTC
) -> None:
    """The rows of each detection that found something, the most severe first."""
    hits = sorted(
        hunt.hits(),
        key=lambda hit: (-(hit[0].detection.risk.score if hit[0].detection.risk else 0),),
    )
    for match, _ in hits:
        detection = match.detection
        level = rate_severity(detection)
        head = Text()
        head.append(f"{level.upper():<14}", style=COLOURS[level])
        head.append(escape_line(detection.name), style="bold")
        head.append(f"  {escape_line(detection.type)}", style="dim")
        techniques, _ = find_techniques(detection.tags.mitre_attack_id)
        console.print()
        console.print(head)
        for technique in techniques:
            tactics = ", ".join(t.name for t in technique.tactics)
            console.print(f"{'':14}ATT&CK {technique.id} {technique.name} ({tactics})", style="dim")
        rows = sorted(iterate_match(match), key=lambda row: str(row["_time"]))
        for row in rows[:most_rows]:
            _show_row(row, console, zone)
        if most_rows is not None and len(rows) > most_rows:
            more = len(rows) - most_rows
            console.print(f"{'':14}... and {more:,} more rows", style="dim")


def _show_row(row: Mapping[str, Any], console: Console, zone: tzinfo) -> None:
    files = row["source_file"]
    names = [files] if isinstance(files, str) else files or []
    objects, score = _risk(row)
    moment = datetime.fromisoformat(row["_time"]).timestamp()
    line = Text(f"{'':14}{iso_zoned(moment, zone)}  ")
    for kind, value in objects:
        line.append(f"{escape_line(kind)} ", style="dim")
        line.append(f"{escape_line(value)}  ", style="cyan")
    if score:
        line.append(f"risk {score}  ")
    line.append(", ".join(escape_line(_base_name(n)) for n in names), style="dim")
    console.print(line)
    fields = row["row"]
    processes = [n for n in ("parent_process", "process") if isinstance(fields.get(n), str)]
    for name in processes:
        console.print(f"{'':16}{name}: {_cut(escape_line(fields[name]))}")
    if not processes and row["message"]:
        console.print(f"{'':16}{_cut(escape_line(row['message']))}")


def _risk(row: Mapping[str, Any]) -> tuple[list[tuple[str, str]], object]:
    """The objects of a row with their types, and the score: what it adds to their risk, or what a
    correlation has summed up for the object that the row is about."""
    fields = row["row"]
    summed = fields.get("risk_object") or fields.get("normalized_risk_object")
    if row["risk_objects"] or not summed:
        return [(o["type"], o["value"]) for o in row["risk_objects"]], row["risk_score"]
    kind = _listed(fields.get("risk_object_type") or "object")
    return [(kind, _listed(summed))], fields.get("risk_score")


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _cut(text: str) -> str:
    return text if len(text) <= _COMMAND_WIDTH else text[: _COMMAND_WIDTH - 1] + "…"


def _base_name(source_file: str) -> str:
    """The last part of a source file's path, archive members included.

    >>> _base_name("logs/day.zip!host/a.json")
    'a.json'
    """
    return PurePath(source_file.rpartition("!")[2]).name


def show_risk(hunt: Hunt, console: Console) -> None:
    """Risk per object, from the risk events of this hunt."""
    summed = hunt.sum_risk()
    if summed is None:
        return
    table = Table(title="Risk per object", title_justify="left", pad_edge=False)
    for name in ("risk", "type", "object", "events", "from"):
        table.add_column(name, justify="right" if name in ("risk", "events") else "left")
    for row in summed.to_pylist()[:20]:
        table.add_row(
            f"{row['risk_score']:g}",
            plain(row["risk_object_type"]),
            plain(row["risk_object"]),
            str(row["risk_event_count"]),
            plain(", ".join(sorted(row["sources"]))),
        )
    console.print()
    console.print(table)
    if summed.num_rows > 20:
        console.print(f"... and {summed.num_rows - 20:,} more objects", style="dim")


def show_techniques(hunt: Hunt, console: Console) -> None:
    """ATT&CK techniques seen, with the detections that saw them."""
    seen: dict[str, list[str]] = defaultdict(list)
    for match, _ in hunt.hits():
        for technique in match.detection.tags.mitre_attack_id:
            seen[technique].append(match.detection.name)
    if not seen:
        return
    names = {t.id: t.name for t in find_techniques(tuple(seen))[0]}
    table = Table(title="ATT&CK techniques", title_justify="left", pad_edge=False)
    for name in ("technique", "name", "detections"):
        table.add_column(name)
    for technique in sorted(seen):
        table.add_row(plain(technique), names.get(technique, ""), plain(", ".join(seen[technique])))
    console.print()
    console.print(table)


def summarize_hunt(hunt: Hunt) -> str:
    """One line at the end."""
    hits = list(hunt.hits())
    rows = sum(m.rows.num_rows for m, _ in hits)
    findings = sum(j.findings.num_rows for j in hunt.judgements)
    risk = sum(j.risk_events.num_rows for j in hunt.judgements)
    failed = f", {hunt.failed:,} failed" if hunt.failed else ""
    return (
        f"{len(hunt.matches):,} detections ran{failed}; {len(hits):,} found {rows:,} rows: "
        f"{findings:,} findings, {risk:,} risk events."
    )
