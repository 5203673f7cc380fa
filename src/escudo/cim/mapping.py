"""How the events of a source family become rows of datasets: the ``datasets:`` of its YAML.

Each entry names a ``model`` and a ``dataset``, says by ``events`` which events belong there (field
-> the values it may have, compared as text) and gives an SPL eval expression for each CIM field
that the source can fill. ``where`` is an eval condition on top of ``events``; ``absent`` gives the
reason for fields that the source cannot fill. An event may belong to several datasets; where
several entries of a family feed one dataset, it is a row for each entry that takes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from escudo.cim.models import Dataset, Models
from escudo.core.errors import EscudoError
from escudo.sources import Family

_REQUIRED = frozenset({"model", "dataset", "events", "fields"})
_OPTIONAL = frozenset({"where", "absent"})


@dataclass(frozen=True)
class DatasetMapping:
    """One entry: which events, and an expression for each field (``tag`` included)."""

    dataset: Dataset
    events: Mapping[str, Sequence[str]]
    fields: Mapping[str, str]
    where: str | None = None
    absent: Mapping[str, str] = field(default_factory=dict)


def mappings(family: Family, models: Models) -> Sequence[DatasetMapping]:
    """The entries of a family, checked against the data models.

    Errors: CIM010 no such dataset, CIM011 no such field there, CIM012 another mistake.
    """
    return tuple(_entry(family.name, e, models) for e in family.definition.get("datasets") or ())


def _entry(family: str, entry: Mapping[str, Any], models: Models) -> DatasetMapping:
    place = f"source {family!r}, {entry.get('model')}.{entry.get('dataset')}"
    unknown, missing = set(entry) - _REQUIRED - _OPTIONAL, _REQUIRED - set(entry)
    if unknown or missing:
        wrong = f"unknown key {min(unknown)!r}" if unknown else f"no key {min(missing)!r}"
        raise EscudoError("CIM012", f"{place}: {wrong}")
    dataset = models.find(entry["model"], entry["dataset"])
    if dataset is None or dataset.parent is not None or dataset.shares:
        raise EscudoError("CIM010", f"{place}: no root dataset of this name")
    fields = {name: str(expr) for name, expr in entry["fields"].items()}
    absent = dict(entry.get("absent") or {})
    for name in (*fields, *absent):
        if name not in dataset.by_name:
            raise EscudoError("CIM011", f"{place}: no field {name!r}")
    events = {name: tuple(map(str, values)) for name, values in entry["events"].items()}
    return DatasetMapping(dataset, events, fields, entry.get("where"), absent)
