"""Content files for tests, as text."""

from __future__ import annotations

from pathlib import Path

DETECTION = """\
name: A Detection
id: 11111111-2222-3333-4444-555555555555
version: 3
date: '2024-05-01'
author: someone
status: production
type: TTP
description: what it finds
data_source:
- Sysmon EventID 1
search: '| tstats count from datamodel=Endpoint.Processes by Processes.dest | `a_detection_filter`'
how_to_implement: with events
known_false_positives: none
references: []
tags:
  analytic_story:
  - A Story
  asset_type: Endpoint
  confidence: 50
  impact: 60
  risk_score: 30
  message: seen on $dest$
  mitre_attack_id:
  - T1047
  observable:
  - name: dest
    type: Hostname
    role:
    - Victim
  - name: process
    type: Process
    role:
    - Attacker
  security_domain: endpoint
"""

MACRO = "name: a_macro\narguments:\n- field\ndefinition: eval $field$=1\n"

STORY = "name: A Story\nid: x\nversion: 1\ndescription: d\nnarrative: n\ntags:\n  usecase: u\n"


def put(folder: Path, name: str, text: str) -> Path:
    """A file in a folder (which is made), with a text."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
