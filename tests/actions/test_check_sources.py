"""Descriptions of data sources with an example each: what is read of them."""

from __future__ import annotations

from pathlib import Path

from escudo import content
from escudo.actions.check_sources import MissingField, check_sources
from escudo.actions.engines import make_engines
from escudo.lake.tables import load_tables

SOURCE = """\
name: {name}
id: 00000000-0000-4000-8000-00000000000{number}
version: 1
date: '2024-06-01'
author: us
description: one
source: {source}
sourcetype: {sourcetype}
supported_TA: []
fields: [{fields}]
"""
TRAIL = (
    '{"eventVersion": "1.08", "eventTime": "2024-06-01T08:00:00Z", "eventSource":'
    ' "iam.amazonaws.com", "eventName": "DeleteGroup", "awsRegion": "us-east-1",'
    ' "requestParameters": {"groupName": "g"}, "responseElements": null}'
)


def write(folder: Path, number: int, sourcetype: str, fields: str, example: str) -> None:
    text = SOURCE.format(
        name=f"Source {number}", number=number, source="s", sourcetype=sourcetype, fields=fields
    )
    if example:
        text += f"example_log: '{example}'\n"
    (folder / f"{number}.yml").write_text(text)


def test_check(tmp_path: Path) -> None:
    folder = tmp_path / "data_sources"
    folder.mkdir()
    write(
        folder,
        1,
        "aws:cloudtrail",
        "_time, action, requestParameters.groupName, responseElements, nosuch",
        TRAIL,
    )
    write(folder, 2, "aws:cloudtrail", "action", TRAIL[:60])
    write(folder, 3, "who:knows", "a", '{"a": "b"}')
    write(folder, 4, "aws:cloudtrail", "action", "")
    check = check_sources(content.load([tmp_path]), load_tables(), make_engines("duckdb"))
    assert check.recognised == ["Source 1"]
    assert check.families["Source 1"] == "aws_cloudtrail"
    assert check.to_dict() == {
        "sources": 4,
        "with_example": 3,
        "recognised": 1,
        "fields_listed": 3,  # _time is Splunk's own
        "fields_produced": 2,
        "fields_empty": 1,  # the response is null
        "missing": [{"source": "Source 1", "field": "nosuch"}],
        "unread": ["Source 3"],
        "cut_upstream": ["Source 2"],
    }
    assert check.missing == [MissingField("Source 1", "nosuch")]
