"""The ``datasets:`` of a source's YAML -> checked entries: which events become which rows.

Each entry names a ``model`` and a ``dataset``, says by ``events`` which events belong there (field
-> the values it may have, compared as text) and gives an SPL eval expression for each CIM field
that the source can fill. ``where`` is an eval condition on top of ``events``; ``absent`` gives the
reason for fields that the source cannot fill. An event may belong to several datasets; where
several entries of a family feed one dataset, it is a row for each entry that takes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from escudo.cim.models import Dataset, Models
from escudo.sources import Family
from escudo.sources.definition import Definition

_REQUIRED = frozenset({"model", "dataset", "events", "fields"})
_OPTIONAL = frozenset({"where", "absent"})


@dataclass(frozen=True)
class DatasetMapping:
    """One entry: which events, and an expression for each field (``tag`` included).

    ``number`` is its place in the list ``datasets`` of the source's definition.
    """

    dataset: Dataset
    events: Mapping[str, Sequence[str]]
    fields: Mapping[str, str]
    where: str | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    number: int = 0


def read_mappings(family: Family, models: Models) -> Sequence[DatasetMapping]:
    """The entries of a family, checked against the data models.

    Raises:
        EscudoError: CIM010 no such dataset, CIM011 no such field there, CIM012 another mistake;
            with its place in the source's file.
    """
    definition = family.definition
    entries = definition.values.get("datasets") or []
    if not isinstance(entries, list):
        raise definition.error("CIM012", "'datasets' needs a list", "datasets")
    return tuple(_read_entry(definition, n, models) for n in range(len(entries)))


def _read_entry(definition: Definition, number: int, models: Models) -> DatasetMapping:
    place = ("datasets", number)
    entry = definition.values["datasets"][number]
    if not isinstance(entry, dict):
        raise definition.error("CIM012", "an entry of 'datasets' needs keys", *place)
    for key in entry:
        if key not in _REQUIRED | _OPTIONAL:
            raise definition.error("CIM012", f"unknown key {key!r}", *place, key)
    for key in sorted(_REQUIRED - set(entry)):
        raise definition.error("CIM012", f"no key {key!r}", *place)
    model, name = str(entry["model"]), str(entry["dataset"])
    dataset = models.find(model, name)
    if dataset is None or dataset.parent is not None or dataset.shares:
        message = f"{model}.{name}: no root dataset of this name"
        raise definition.error("CIM010", message, *place, "dataset")
    for key in ("events", "fields", "absent"):
        if not isinstance(entry.get(key) or {}, dict):
            raise definition.error("CIM012", f"{key!r} needs a mapping", *place, key)
        if key == "events":
            continue
        for field_name in entry.get(key) or {}:
            if field_name not in dataset.by_name:
                message = f"{model}.{name} has no field {field_name!r}"
                raise definition.error("CIM011", message, *place, key, field_name)
    events = {n: _read_values(v) for n, v in (entry["events"] or {}).items()}
    where = entry.get("where")
    return DatasetMapping(
        dataset=dataset,
        events=events,
        fields={n: str(expr) for n, expr in (entry["fields"] or {}).items()},
        where=None if where is None else str(where),
        absent=dict(entry.get("absent") or {}),
        number=number,
    )


def _read_values(wanted: object) -> tuple[str, ...]:
    """The values that a field of an event may have: a list of them, or one."""
    return tuple(map(str, wanted if isinstance(wanted, list) else [wanted]))
