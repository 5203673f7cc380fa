"""``escudo demo``: a generated Windows day with a WMI attack in it, hunted before your eyes."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from escudo import content as contents
from escudo.cli.hunt_view import (
    show_hits,
    show_ingest,
    show_risk,
    show_techniques,
    summary,
    table_of,
)
from escudo.cli.hunting import Hunt, hunt, result_rows
from escudo.cli.options import duckdb_engine
from escudo.cli.output import console, plain
from escudo.cli.progress import IngestProgress, counted, following
from escudo.content import Content
from escudo.core.timerange import ALL_TIME
from escudo.detect import Match
from escudo.engines.execute import Engine
from escudo.findings import drilldown, tree
from escudo.generate.answers import Answers
from escudo.generate.generate import generate
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from escudo.lake.knowledge import LakeKnowledge

_EVENTS = 50_000
_LINE = 180


@click.command()
@click.option("--events", default=_EVENTS, show_default=True, help="How long the day is.")
@click.option("--seed", default=1, show_default=True, help="Another seed, another day.")
def command(events: int, seed: int) -> None:
    """Generate a Windows day with attacks hidden in it, hunt it, and show what an analyst sees:
    findings, risk, ATT&CK, the process tree around a hit, and its drilldowns."""
    out = console()
    now = time.time()
    content = contents.load()
    with tempfile.TemporaryDirectory(prefix="escudo-demo-") as folder:
        log = Path(folder) / "sysmon.xml"
        with counted(events, "generating a day of Sysmon events") as progress:
            planted = generate(events, seed, "xml", log, progress=progress)
        out.print(
            f"Generated {events:,} Sysmon events of {planted.hosts} hosts, "
            f"{log.stat().st_size / 1e6:,.0f} MB of event XML.\n"
        )
        with Lake.create_temporary() as lake:
            with IngestProgress() as reading:
                ingested = ingest([log], lake, progress=reading)
            engines = duckdb_engine(None)
            found = hunt(
                content.detections,
                content,
                lake,
                engines,
                within=ALL_TIME,
                now=now,
                follow=following("running detections", False),
            )
            show_ingest(ingested, out)
            show_hits(found, out)
            show_risk(found, lake, out)
            show_techniques(found, out)
            _show_context(found, content, lake, engines(lake.snapshot()), out)
            out.print()
            out.print(summary(found))
            _show_answers(found, planted, out)


def _show_context(found: Hunt, content: Content, lake: Lake, engine: Engine, out: Console) -> None:
    """The process tree and the drilldowns of the row whose host and user have the most risk."""
    match, row = _riskiest(found)
    if match is None:
        return
    snapshot = lake.snapshot()
    knowledge = LakeKnowledge(content.knowledge, lake.artifacts)
    events = match.event_ids[row].as_py() or []
    for grown in tree.around(events, engine, snapshot, within=ALL_TIME):
        out.print()
        out.print("[italic]Processes around the riskiest hit (marked *)[/]")
        for line in grown.root.lines():
            out.print(Text("  " + (line if len(line) <= _LINE else line[: _LINE - 1] + "…")))
    for filled in drilldown.fill(match, row):
        result = drilldown.run(filled, engine, snapshot, knowledge, now=match.now)
        rows = [
            [_text(name, value) for name, value in found_row.items()]
            for found_row in result.table.to_pylist()
        ]
        out.print()
        out.print(table_of(result.table.column_names, rows, f"Drilldown: {filled.name}"))


def _riskiest(found: Hunt) -> tuple[Match | None, int]:
    """The match and row whose risk objects have the most risk together; the earliest of equals."""
    risk: Counter[str] = Counter()
    rows = [
        (match, i, row) for match, _ in found.hits() for i, row in enumerate(result_rows(match))
    ]
    for _, _, row in rows:
        for item in row["risk_objects"]:
            risk[item["value"].lower()] += item["score"]
    best: tuple[Match | None, int] = (None, 0)
    most: tuple[int, str] = (0, "")
    for match, i, row in rows:
        total = sum(risk[item["value"].lower()] for item in row["risk_objects"])
        if best[0] is None or total > most[0] or (total == most[0] and row["_time"] < most[1]):
            best, most = (match, i), (total, row["_time"])
    return best


def _text(name: str, value: object) -> str:
    shown = plain(name, value)
    if shown is None:
        return ""
    return "\n".join(map(str, shown)) if isinstance(shown, list) else str(shown)


def _show_answers(found: Hunt, answers: Answers, out: Console) -> None:
    """Whether each detection found what was planted for it, and nothing else.

    A rule over the risk index has no process of its own planted, and is not asked.
    A process may be recorded twice, by Sysmon and by Security auditing (ids in hex there).
    """
    for match in found.matches:
        name = match.detection.name
        planted = {(a.host.lower(), a.process_id) for a in answers.rows if name in a.expect}
        if not planted:
            continue
        rows = match.rows.select(["dest", "process_id"]).to_pylist()
        hit = {(row["dest"].lower(), int(row["process_id"], 0)) for row in rows}
        out.print(
            f"{name}: {len(hit & planted)} of {len(planted)} planted processes found, "
            f"{len(hit - planted)} others reported."
        )
