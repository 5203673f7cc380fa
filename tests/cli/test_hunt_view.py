"""What a hunt shows on a terminal of a row: its evidence, or else what its author says of it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.lake.logs import sysmon

DETECTION = """
name: {name}
id: 33333333-2222-3333-4444-00000000000{number}
version: 1
date: '2024-01-01'
author: me
status: production
type: {kind}
description: For the test.
data_source: [Sysmon EventID 1]
search: |-
  {search}
how_to_implement: none
known_false_positives: none
{rba}
tags: {{analytic_story: [], asset_type: Endpoint, security_domain: endpoint, product: [x]}}
"""

RBA = """rba:
  message: $count$ processes on $dest$
  risk_objects: [{field: dest, type: system, score: 10}]
  threat_objects: []
"""

COUNTED = (
    "| tstats count from datamodel=Endpoint.Processes by Processes.{by} | rename Processes.* as *"
)


def test_a_row_without_a_process_shows_its_message(escudo: Run, tmp_path: Path) -> None:
    folder = tmp_path / "content" / "detections"
    folder.mkdir(parents=True)
    summed = COUNTED.format(by="dest") + (
        ' | eval risk_object=mvappend(dest, "other"), risk_object_type="system", risk_score=70'
    )
    of = DETECTION.format
    for number, name, kind, search, rba in (
        (1, "Counts Processes", "Anomaly", COUNTED.format(by="dest"), RBA),
        (2, "Names Processes", "Hunting", COUNTED.format(by="process"), ""),
        (3, "Sums Risk", "Correlation", summed, ""),
    ):
        text = of(name=name, number=number, kind=kind, search=search, rba=rba)
        (folder / f"{number}.yml").write_text(text)
    logs = tmp_path / "day.xml"
    logs.write_text(sysmon(3, tag="abc"))
    done = escudo(
        "hunt", logs, "--content", folder.parent, "--format", "table", "--details", "--quiet"
    )
    assert done.returncode == 0, done.stderr
    shown = [line.strip() for line in done.stdout.splitlines()]
    assert "3 processes on pc1" in shown
    assert sum(line.startswith("process: ") for line in shown) == 3
    assert any("system pc1, other  risk 70" in line for line in shown)
