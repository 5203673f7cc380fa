"""A data source's name, or its separator, tells which events it has; what it fills follows."""

from __future__ import annotations

import pytest

from escudo.actions.source_fields import Reads, SourceFields
from escudo.cim.models import load as load_models
from escudo.content import Origin
from escudo.content.elements.data_source import DataSource
from escudo.lake.tables import load_tables

SYSMON = "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational"
NO_EVENTS = ["none of the data sources gives events of Endpoint.Processes"]


def find_gaps(name: str, separator_value: str, *fields: str) -> list[str]:
    """What a search that reads fields of processes lacks where it names one data source."""
    source = DataSource(
        name=name,
        id="",
        description="",
        source=SYSMON,
        sourcetype="XmlWinEventLog",
        separator="EventID",
        separator_value=separator_value,
        fields=(),
        add_ons=(),
        example_log="",
        logsource={},
        origin=Origin("a.yml", "a"),
    )
    roots = load_models().roots()
    (table,) = (d.schema.table for d in roots if (d.model, d.name) == ("Endpoint", "Processes"))
    reads = Reads({table: frozenset(fields)}, frozenset())
    return list(SourceFields(load_tables(), [source]).find_gaps([name], reads))


@pytest.mark.parametrize(
    ("name", "separator_value", "gaps"),
    [
        ("Sysmon EventID 1", "", []),  # process creations
        ("Sysmon EventID 3", "", NO_EVENTS),  # network connections
        ("Sysmon EventID 77", "", NO_EVENTS),  # none that is known
        ("What started", "1", []),
        ("What started", "3", NO_EVENTS),
        ("What started", "", []),  # which of Sysmon's events they are is not said
    ],
)
def test_events_of_processes(name: str, separator_value: str, gaps: list[str]) -> None:
    assert find_gaps(name, separator_value, "process_name") == gaps
