"""Sources and data models -> what is told of each source; called by ``escudo source list``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from escudo.cim.mapping import read_mappings
from escudo.cim.models import Models
from escudo.sources import Families, Family


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source: its form in words, and the datasets that its events may be rows of."""

    name: str
    title: str
    sourcetype: str
    form: str
    models: tuple[str, ...]


def list_sources(families: Families, models: Models) -> Iterator[SourceRow]:
    """The sources, in the order of their names."""
    for name in sorted(families):
        family = families[name]
        datasets = {f"{m.dataset.model}.{m.dataset.name}" for m in read_mappings(family, models)}
        yield SourceRow(
            name, family.title, family.sourcetype, describe_form(family), tuple(sorted(datasets))
        )


def describe_form(family: Family) -> str:
    """How a source's events are written.

    >>> from escudo.sources import load_families
    >>> families = load_families()
    >>> describe_form(families["sysmon"]), describe_form(families["nginx_kv"])
    ('Windows events', 'key=value')
    """
    if family.text is not None:
        return family.text.description
    names = {name for rule in family.rules for name, _ in rule.conditions}
    return "Windows events" if names & {"Channel", "Name"} else "JSON"
