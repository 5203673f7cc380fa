"""One process gives one event, whatever shape it comes in."""

from __future__ import annotations

import pytest

from tests.sources.support import read_bytes
from tests.sources.windows_shapes import OWN, SHAPES, SHOWN, SYSTEM, shaped


@pytest.mark.parametrize("name", SHAPES)
def test_the_same_process_is_the_same_event(name: str) -> None:
    rows, rejected = read_bytes(shaped(name))
    assert rejected == []
    [row] = rows
    assert row["family"] == "sysmon"
    assert {field: row.get(field) for field in SHOWN} == {field: OWN[field] for field in SHOWN}
    assert row["EventID"] == "1"
    assert row["Computer"] == row["host"] == SYSTEM["Computer"]
    assert row["source"] == "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational"
    assert row["_time"].isoformat()[:19] == "2024-06-01T08:09:10"
