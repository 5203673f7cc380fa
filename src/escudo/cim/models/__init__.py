"""The ``*.yml`` here -> the data models of Splunk's CIM add-on: datasets, fields, defaults.

A file defines one model. Of a dataset it says the ``parent`` and the ``constraint`` that tells its
events from the parent's, and the ``fields`` with their CIM type and these flags:

- ``multivalue``: a list of texts;
- ``counter``, ``measure``: stored as a 64-bit integer or a double, because content sums it. Any
  other number is stored as the text that was logged (process ids may be hexadecimal);
- ``unknown``, ``zero``, ``sourcetype``: what the data model puts where a source has no value (the
  calculated fields of the add-on's data models, CIM 5).

``enriched: [dest]`` stands for ``dest_bunit``, ``dest_category`` (multivalue) and
``dest_priority``, which asset and identity lists fill. Every dataset of a CIM model has ``tag`` and
``cim_entity_zone``. ``calculated`` are eval expressions over the dataset's own fields. A root that
``shares`` another root's table reads its rows (Change_Analysis is the old name of Change).

The datasets below one root share the root's table (``endpoint_processes``), and all of them see
all of its fields: content names fields of children (``All_Changes.Instance_Changes.image_id``)
while it reads the root.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Protocol

import pyarrow as pa
import yaml

from escudo.core.errors import EscudoError, Span
from escudo.core.schema import (
    COMMON_COLUMNS,
    RAW_COLUMNS,
    RAW_REST,
    Column,
    FieldType,
    TableSchema,
    physical_names,
)
from escudo.core.yaml_depth import DEEPEST, find_deep_line

_KINDS = frozenset({"string", "number", "boolean", "timestamp"})
_STORED: Mapping[str, FieldType] = {
    "multivalue": FieldType.MULTIVALUE,
    "counter": FieldType.INTEGER,
    "measure": FieldType.NUMBER,
}
_FILLS: Mapping[str, str] = {"unknown": "unknown", "zero": "0", "sourcetype": "sourcetype"}
_ENRICHED = (("bunit", "string"), ("category", "string, multivalue"), ("priority", "string"))
_EVERYWHERE = {"tag": "string, multivalue", "cim_entity_zone": "string"}
_KEYS = frozenset(
    {
        *("name", "parent", "constraint", "where", "table", "shares", "tags"),
        *("enriched", "lower", "sort", "fields", "calculated", "computed"),
    }
)


@dataclass(frozen=True, slots=True)
class ModelField:
    """A field of a dataset: its type in the CIM manual, how it is stored, its default."""

    name: str
    kind: str
    type: FieldType
    fill: str | None = None


@dataclass(frozen=True)
class Dataset:
    """A dataset of a data model. ``root`` is the top of its tree (itself, for a root).

    ``fields`` are those of the whole tree; ``own`` are those that this dataset adds.
    ``calculated`` (field -> eval expression) and ``where`` (an eval condition) apply to the root's
    rows after a source's mapping; ``sort`` are the fields by which a lake clusters the table's rows
    within an hour.
    """

    model: str
    name: str
    root: str
    parent: str | None
    tags: tuple[str, ...]
    own: tuple[str, ...]
    fields: tuple[ModelField, ...]
    schema: TableSchema
    calculated: Mapping[str, str] = field(default_factory=dict)
    where: str | None = None
    sort: tuple[str, ...] = ()
    shares: bool = False

    @cached_property
    def by_name(self) -> Mapping[str, ModelField]:
        return {f.name: f for f in self.fields}


class RowFiller(Protocol):
    """What adds to rows of a dataset what is known of whom they name."""

    def fill(self, dataset: Dataset, rows: pa.Table) -> pa.Table: ...


class Models:
    """All data models; names are matched without regard to case.

    >>> models = load()
    >>> models.dataset("endpoint", "processes").table
    'endpoint_processes'
    >>> models.dataset("Authentication", None).table
    'authentication_authentication'
    >>> models.dataset("Change", "Accounts_Created").constraint
    '(tag=account) (action="created")'
    """

    def __init__(self, every: Sequence[Dataset], lists: RowFiller | None = None) -> None:
        self.lists = lists
        self._every = tuple(every)
        self._names = tuple((d.model, d.name) for d in every)
        self._by_name = {(d.model.lower(), d.name.lower()): d for d in every}
        self._first: dict[str, Dataset] = {}
        for d in every:
            self._first.setdefault(d.model.lower(), d)

    def with_lists(self, lists: RowFiller | None) -> Models:
        """These data models, whose rows are filled from a user's lists."""
        return Models(self._every, lists)

    def find(self, model: str, dataset: str | None = None) -> Dataset | None:
        """A dataset with all that is known of it; the first root where no name is given."""
        if dataset is None:
            return self._first.get(model.lower())
        return self._by_name.get((model.lower(), dataset.lower()))

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None:
        """The table of a dataset, with the constraint that selects its rows there."""
        known = self.find(model, dataset)
        return None if known is None else known.schema

    def datasets(self) -> Sequence[tuple[str, str]]:
        """All (model, dataset) names, in the order of the models' names."""
        return self._names

    def roots(self) -> Iterator[Dataset]:
        """The datasets that have a table of their own."""
        return (d for d in self._every if d.parent is None and not d.shares)


@cache
def load() -> Models:
    """The data models that come with Escudo (read once)."""
    every: list[Dataset] = []
    definitions = (f for f in files(__name__).iterdir() if f.name.endswith(".yml"))
    for file in sorted(definitions, key=lambda f: f.name):
        every += parse_model(file.read_text("utf-8"), file.name)
    return Models(every)


def parse_model(text: str, file: str) -> list[Dataset]:
    """The datasets that a YAML text defines; CIM001 where it does not fit."""
    if (deep := find_deep_line(text)) is not None:
        message = f"nested more than {DEEPEST} levels deep"
        raise EscudoError("CIM001", message, span=Span(file, deep, 1, deep, 2))
    data = yaml.load(text, yaml.CSafeLoader)
    try:
        model = str(data["model"])
        entries: dict[str, Mapping[str, Any]] = {}
        for entry in data["datasets"]:
            unknown = set(entry) - _KEYS
            if unknown:
                raise ValueError(f"unknown key {min(unknown)!r} of a dataset")
            entries[entry["name"]] = entry
        roots = [n for n, e in entries.items() if e.get("parent") is None]
        layers = {n: _layers(model, n, entries) for n in roots}
        return [_dataset(model, name, entries, layers) for name in entries]
    except KeyError as missing:
        raise EscudoError("CIM001", f"{file}: {missing} is missing") from None
    except (ValueError, TypeError) as wrong:
        raise EscudoError("CIM001", f"{file}: {wrong}") from None


def _layers(
    model: str, root: str, entries: Mapping[str, Mapping[str, Any]]
) -> tuple[tuple[ModelField, ...], TableSchema]:
    """The fields of a root and of all datasets below it, and the table that holds them."""
    specs: dict[str, str] = {}
    for member, entry in entries.items():
        if _lineage(member, entries)[0] == root:
            specs |= _own_specs(entry)
    if "table" not in entries[root]:
        specs = {**_EVERYWHERE, **specs}
    fields = tuple(_field(n, specs[n]) for n in sorted(specs))
    return fields, _schema(model, entries[root], fields)


def _dataset(
    model: str,
    name: str,
    entries: Mapping[str, Mapping[str, Any]],
    layers: Mapping[str, tuple[tuple[ModelField, ...], TableSchema]],
) -> Dataset:
    lineage = _lineage(name, entries)
    root = entries[lineage[0]]
    fields, schema = layers[lineage[0]]
    conditions = " ".join(f"({entries[n]['constraint']})" for n in lineage[1:])
    return Dataset(
        model=model,
        name=name,
        root=lineage[0],
        parent=entries[name].get("parent"),
        tags=tuple(root.get("tags", ())),
        own=tuple(sorted(_own_specs(entries[name]))),
        fields=fields,
        schema=replace(schema, constraint=conditions or None),
        calculated=dict(root.get("calculated", {})),
        where=root.get("where"),
        sort=tuple(root.get("sort", ())),
        shares="shares" in root,
    )


def _lineage(name: str, entries: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The names from the root down to a dataset."""
    up = [name]
    while (parent := entries[up[-1]].get("parent")) is not None:
        if parent in up or parent not in entries:
            raise ValueError(f"dataset {name!r}: no parent {parent!r}")
        up.append(parent)
    return up[::-1]


def _own_specs(entry: Mapping[str, Any]) -> dict[str, str]:
    specs = dict(entry.get("fields", {}))
    for name in entry.get("enriched", ()):
        specs |= {f"{name}_{suffix}": spec for suffix, spec in _ENRICHED}
    return specs


def _field(name: str, spec: str) -> ModelField:
    kind, *flags = spec.split(", ")
    stored, fill = FieldType.STRING, None
    if kind not in _KINDS:
        raise ValueError(f"field {name!r}: no type {kind!r}")
    for flag in flags:
        if flag in _STORED:
            stored = _STORED[flag]
        elif flag in _FILLS:
            fill = _FILLS[flag]
        else:
            raise ValueError(f"field {name!r}: no flag {flag!r}")
    return ModelField(name, kind, stored, fill)


def _schema(model: str, root: Mapping[str, Any], fields: Sequence[ModelField]) -> TableSchema:
    raw = "table" in root
    common = RAW_COLUMNS if raw else COMMON_COLUMNS
    lowered = set(root.get("lower", ()))
    taken = [c.name for c in common] + ([RAW_REST] if raw else [])
    physical = physical_names([*taken, *(f.name for f in fields)])
    columns = list(common)
    for f in fields:
        copy = f"{physical[f.name]}_lc" if f.name in lowered else None
        columns.append(Column(f.name, f.type, physical=physical[f.name], lower=copy))
        lowered.discard(f.name)
    if lowered:
        raise ValueError(f"dataset {root['name']!r}: no field {min(lowered)!r} to lower")
    for name, expr in root.get("computed", {}).items():
        columns.append(Column(name, FieldType.INTEGER, expr=str(expr)))
    own = root.get("shares", f"{model}_{root['name']}".lower())
    return TableSchema(
        table=root["table"] if raw else own,
        columns=tuple(columns),
        rest=RAW_REST if raw else None,
    )
