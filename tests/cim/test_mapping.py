"""The mappings of the sources: what they must cover, and how one can be wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from escudo.cim.compile import compile_family
from escudo.cim.mapping import read_mappings
from escudo.cim.models import load
from escudo.core.errors import EscudoError
from escudo.sources.definition import read_definition
from tests.families import FAMILIES

PROCESS_SOURCES = ["sysmon", "sysmon_linux", "windows_security", "crowdstrike_fdr"]
_FROM_LISTS = ("bunit", "category", "priority", "is_expected", "requires_av")
_FROM_LISTS_TOO = ("should_timesync", "should_update", "entity_zone")


@pytest.mark.parametrize("source", PROCESS_SOURCES)
def test_every_field_of_a_process_is_mapped_or_has_a_reason(source: str) -> None:
    [entry] = [e for e in read_mappings(FAMILIES[source], load()) if e.dataset.name == "Processes"]
    by_source = {f for f in entry.dataset.by_name if not f.endswith(_FROM_LISTS + _FROM_LISTS_TOO)}
    assert set(entry.fields).isdisjoint(entry.absent)
    assert set(entry.fields) | set(entry.absent) | {"tag"} == by_source
    assert all(entry.absent.values())


@pytest.mark.parametrize(
    ("entry", "code", "message"),
    [
        ({"model": "Endpoint", "dataset": "Handles"}, "CIM010", "no root dataset"),
        (
            {"model": "Authentication", "dataset": "Failed_Authentication"},
            "CIM010",
            "no root dataset",
        ),
        ({"fields": {"proces": "Image"}}, "CIM011", "no field 'proces'"),
        ({"absent": {"proces": "because"}}, "CIM011", "no field 'proces'"),
        ({"when": "always"}, "CIM012", "unknown key 'when'"),
        ({"events": None}, "CIM012", "no key 'events'"),
        ({"events": {"Nothing": [1]}}, "CIM012", "no stored field 'Nothing'"),
        ({"fields": {"process": "lower(Image"}}, "CIM012", "field 'process'"),
        ({"fields": {"process": "lowest(Image)"}}, "CIM012", "unknown function 'lowest'"),
        ({"where": "EventID="}, "CIM012", "'where'"),
    ],
)
def test_a_wrong_mapping(entry: dict[str, Any], code: str, message: str) -> None:
    good = {"model": "Endpoint", "dataset": "Processes", "events": {"EventID": [1]}, "fields": {}}
    changed = {k: v for k, v in (good | entry).items() if v is not None}
    family = replace(
        FAMILIES["sysmon"],
        definition=read_definition(yaml.dump({"datasets": [changed]}), "own.yml"),
    )
    with pytest.raises(EscudoError, match=message) as caught:
        compile_family(family, read_mappings(family, load()), "batch")
    assert caught.value.code == code
