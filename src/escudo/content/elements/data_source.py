"""YAML -> a data source: what a detection names, and where Splunk finds its events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from escudo.content.elements.common import Origin
from escudo.content.reading import Section

_AND = re.compile(r"\s+AND\s+")


def split_names(text: str) -> list[str]:
    """The data sources that one entry of a detection names: all of several are needed.

    >>> split_names("Sysmon EventID 1 AND Sysmon EventID 3")
    ['Sysmon EventID 1', 'Sysmon EventID 3']
    """
    return [name for part in _AND.split(text) if (name := part.strip())]


@dataclass(frozen=True, kw_only=True)
class AddOn:
    """The Splunk add-on that makes the fields of a source."""

    name: str
    version: str
    url: str


@dataclass(frozen=True, kw_only=True)
class DataSource:
    name: str
    id: str
    description: str
    source: str
    sourcetype: str
    separator: str
    """The field that tells its events from others of its source."""
    fields: tuple[str, ...]
    add_ons: tuple[AddOn, ...]
    example_log: str
    logsource: Mapping[str, str]
    """The Sigma log source (``category``, ``product``, ``service``) that it answers to (ESCU 6)."""
    origin: Origin
    separator_value: str = ""
    """What that field has (ESCU 6); before, the name of the data source ends with it."""


def read_data_source(section: Section, origin: Origin) -> DataSource:
    add_ons = []
    for item in section.sections("supported_TA"):
        add_ons.append(
            AddOn(
                name=item.text("name", ""),
                version=item.text("version", ""),
                url=item.text("url", ""),
            )
        )
        item.finish()
    data_source = DataSource(
        name=section.text("name").strip(),
        id=section.text("id", ""),
        description=section.text("description", "").strip(),
        source=section.text("source", ""),
        sourcetype=section.text("sourcetype", ""),
        separator=section.text("separator", ""),
        fields=section.texts("fields"),
        add_ons=tuple(add_ons),
        example_log=section.text("example_log", ""),
        logsource=section.mapping("logsource"),
        origin=origin,
        separator_value=section.text("separator_value", ""),
    )
    section.ignore("version", "date", "author", "configuration", "mitre_components")
    section.ignore("creation_date", "modification_date")
    section.ignore("convert_to_log_source", "field_mappings", "output_fields", "type", "status")
    section.finish()
    return data_source
