"""YAML -> a data source: what a detection names, and where Splunk finds its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from escudo.content.elements.common import Origin
from escudo.content.reading import Section


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
    fields: tuple[str, ...]
    add_ons: tuple[AddOn, ...]
    example_log: str
    logsource: Mapping[str, str]
    """The Sigma log source (``category``, ``product``, ``service``) that it answers to (ESCU 6)."""
    origin: Origin


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
    )
    section.ignore(
        "version", "date", "author", "configuration", "separator_value", "mitre_components"
    )
    section.ignore("creation_date", "modification_date")
    section.ignore("convert_to_log_source", "field_mappings", "output_fields", "type", "status")
    section.finish()
    return data_source
