from __future__ import annotations

from datetime import date

import pytest

from escudo.content import Detection, Schedule, Throttling
from escudo.content.elements.common import Origin
from escudo.content.elements.detection import read_detection
from escudo.content.reading import Section, read_document
from tests.content.yaml_files import DETECTION


def read(text: str) -> tuple[Detection, list[str]]:
    node, problems = read_document("f.yml", text)
    assert node is not None
    found = read_detection(Section(node, problems), Origin("f.yml", "t"), "ESCU")
    return found, [f"{d.severity} {d.code} {d.span}" for d in problems.found]


def test_every_field_is_there() -> None:
    found, problems = read(DETECTION)
    assert problems == []
    assert (found.name, found.version, found.type, found.status) == (
        "A Detection",
        3,
        "TTP",
        "production",
    )
    assert found.date == date(2024, 5, 1)
    assert found.data_source == ("Sysmon EventID 1",)
    assert found.tags.analytic_story == ("A Story",)
    assert (found.tags.impact, found.tags.confidence, found.tags.risk_score) == (60, 50, 30)
    assert found.search_name == "ESCU - A Detection - Rule"
    assert found.filter_macro == "a_detection_filter"
    assert found.data_models == ("Endpoint",)
    assert found.enabled
    assert found.schedule is None


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("name: A Detection\n", "", "error CON103 f.yml:1:1"),
        ("type: TTP", "type: TPP", "error CON104 f.yml:7:7"),
        ("search: '|", "serach: '|", "error CON103 f.yml:1:1"),
        ("date: '2024-05-01'", "date: 1 May", "warning CON102 f.yml:4:7"),
        ("- T1047", "- 1047", "warning CON104 f.yml:24:3"),
        ("impact: 60", "impact: much", "error CON102 f.yml:20:11"),
        ("id: 11111111-2222-3333-4444-555555555555\n", "", "warning CON103 f.yml:1:1"),
    ],
)
def test_problems_have_a_place(old: str, new: str, problem: str) -> None:
    assert problem in read(DETECTION.replace(old, new))[1]


def test_an_id_that_is_missing_depends_on_the_name_alone() -> None:
    text = DETECTION.replace("id: 11111111-2222-3333-4444-555555555555\n", "")
    assert read(text)[0].id == read(text.replace("version: 3", "version: 4"))[0].id
    assert read(text)[0].id != read(text.replace("A Detection", "Another"))[0].id


@pytest.mark.parametrize(
    ("period", "seconds"), [("30s", 30), ("5m", 300), ("24h", 86400), ("1d", None), ("h", None)]
)
def test_throttling(period: str, seconds: int | None) -> None:
    text = DETECTION + f"  throttling:\n    fields: [dest]\n    period: {period}\n"
    found, problems = read(text)
    expected = None if seconds is None else Throttling(("dest",), seconds)
    assert found.tags.throttling == expected
    assert bool(problems) == (seconds is None)


def test_a_schedule_of_its_own() -> None:
    text = DETECTION + (
        "deployment:\n  scheduling:\n    cron_schedule: 0 2 * * *\n    earliest_time: -1d\n"
        "    latest_time: now\n"
    )
    found, problems = read(text)
    assert problems == []
    assert found.schedule == Schedule("0 2 * * *", "-1d", "now", "auto")


def test_tests_of_a_detection() -> None:
    text = DETECTION + (
        "tests:\n- name: finds\n  attack_data:\n  - {data: a.xml, source: s, sourcetype: t}\n"
        "- name: does not find\n  negative: true\n  attack_data:\n  - {data: b.xml}\n"
    )
    found, problems = read(text)
    assert problems == []
    assert [(t.name, t.negative, t.attack_data[0].data) for t in found.tests] == [
        ("finds", False, "a.xml"),
        ("does not find", True, "b.xml"),
    ]


NEWEST = """\
name: A Detection
id: 11111111-2222-3333-4444-555555555555
version: 3
creation_date: '2023-02-01'
modification_date: '2026-05-13'
type: Anomaly
search: 'index=a'
category: web
baselines:
- A Baseline
custom_schedule: {cron_schedule: 0 2 * * 0, earliest_time: -90d@d, latest_time: -1d@d}
tests:
- name: One
  description: why it is here
  test_type: experimental
  attack_data:
  - {data: a.log, source: s, sourcetype: t}
- name: Two
  test_type: unit
"""


def test_the_keys_of_the_newest_format() -> None:
    found, problems = read(NEWEST)
    assert problems == []
    assert (found.created, found.date) == (date(2023, 2, 1), date(2026, 5, 13))
    assert (found.category, found.baselines) == ("web", ("A Baseline",))
    assert found.schedule == Schedule("0 2 * * 0", "-90d@d", "-1d@d")
    assert [(t.name, t.kind, t.description) for t in found.tests] == [
        ("One", "experimental", "why it is here"),
        ("Two", "unit", ""),
    ]
