"""Detections over the sources there are: which can fire, and why others cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo import content
from escudo.actions.engines import make_engines
from escudo.actions.ingest import ingest_logs
from escudo.actions.source_coverage import Unable, judge_content, judge_lake
from escudo.cim.models import load as load_models
from escudo.lake import Lake
from escudo.lake.tables import load_tables

DETECTION = """\
name: D
id: 00000000-0000-4000-8000-000000000001
version: 1
date: '2024-06-01'
author: us
status: {status}
type: Hunting
description: one
data_source: [{source}]
search: '{search}'
how_to_implement: so
known_false_positives: none
references: []
tags:
  analytic_story: []
  asset_type: Endpoint
  mitre_attack_id: []
  product: [Splunk Enterprise]
  security_domain: endpoint
"""


def judge(folder: Path, search: str, source: str = "", status: str = "production") -> list[Unable]:
    (folder / "detections").mkdir()
    text = DETECTION.format(search=search, source=source, status=status)
    (folder / "detections" / "d.yml").write_text(text)
    loaded = content.load([folder], builtin=False)
    tables = load_tables()
    engine_of = make_engines("duckdb")
    coverage = judge_content(loaded, tables, models=load_models(), engine_of=engine_of)
    assert coverage.can_fire + len(coverage.cannot) == coverage.detections
    return list(coverage.cannot)


@pytest.mark.parametrize(
    "search",
    [
        "sourcetype=aws:cloudtrail eventName=DeleteTrail errorCode=success | stats count by user",
        "sourcetype=aws:cloudtrail requestParameters.anything.at.all=x",
        "| tstats count from datamodel=Web where Web.url=*cmd* by Web.src Web.http_user_agent",
        "| tstats count from datamodel=Change where All_Changes.change_type=EC2 by _time",
        "| from datamodel Risk.All_Risk | stats count by risk_object",
    ],
)
def test_it_can_fire(tmp_path: Path, search: str) -> None:
    assert judge(tmp_path, search) == []


@pytest.mark.parametrize(
    ("search", "why"),
    [
        ("sourcetype=who:knows x=y", "no source has sourcetype=who:knows (data source: not named)"),
        ("sourcetype=aws:cloudtrail nosuch=x", "AWS CloudTrail: never nosuch"),
        ("sourcetype=aws:cloudtrail | stats count by nosuch", "AWS CloudTrail: never nosuch"),
        ("sourcetype=okta:log | search action=exploded nosuch=1", "Okta: never nosuch"),
        (
            "| tstats count from datamodel=JVM.Threading by Threading.cm_enabled",
            "nothing fills jvm_jvm",
        ),
    ],
)
def test_why_it_cannot(tmp_path: Path, search: str, why: str) -> None:
    assert judge(tmp_path, search) == [Unable("D", why)]


def test_what_is_deprecated_is_not_counted(tmp_path: Path) -> None:
    assert judge(tmp_path, "sourcetype=who:knows", status="deprecated") == []


TRAIL = (
    '{"eventVersion": "1.08", "eventTime": "2024-06-01T08:00:00Z", "eventSource":'
    ' "iam.amazonaws.com", "eventName": "DeleteGroup", "awsRegion": "us-east-1",'
    ' "userIdentity": {"type": "Root"}, "requestParameters": {"groupName": "g"}}'
)


@pytest.mark.parametrize(
    ("search", "why"),
    [
        ("sourcetype=aws:cloudtrail eventName=* | stats count by user", []),
        ("sourcetype=aws:cloudtrail requestParameters.groupName=*", []),
        ("sourcetype=aws:cloudtrail tlsDetails.tlsVersion=*", ["never tlsDetails.tlsVersion"]),
        ("sourcetype=aws:cloudtrail | stats count by src_ip", ["never src_ip"]),
        ("sourcetype=okta:log", ["no source has sourcetype=okta:log (data source: not named)"]),
        ("| tstats count from datamodel=Change where All_Changes.action=deleted by _time", []),
        ("| tstats count from datamodel=Change where All_Changes.src=a by _time", ["never src"]),
        ("| tstats count from datamodel=Web by Web.url", ["nothing fills web_web"]),
    ],
)
def test_on_a_lake(tmp_path: Path, search: str, why: list[str]) -> None:
    (tmp_path / "trail.json").write_text(TRAIL)
    (tmp_path / "detections").mkdir()
    text = DETECTION.format(search=search, source="", status="production")
    (tmp_path / "detections" / "d.yml").write_text(text)
    loaded = content.load([tmp_path], builtin=False)
    with Lake.create_temporary() as lake:
        ingest_logs([tmp_path / "trail.json"], lake)
        engine_of = make_engines("duckdb")
        coverage = judge_lake(loaded, lake.tables, snapshot=lake.snapshot(), engine_of=engine_of)
    assert [u.why.split(": ", 1)[-1] if "never" in u.why else u.why for u in coverage.cannot] == why
