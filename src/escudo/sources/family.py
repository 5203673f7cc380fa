"""Source families: how events are recognised, timed, named and laid out in columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import yaml

from escudo.core.errors import EscudoError
from escudo.core.schema import (
    RAW_COLUMNS,
    RAW_REST,
    Column,
    FieldType,
    TableSchema,
    physical_names,
)
from escudo.spl.syntax.possible_values import possible_values_of

ANY = "*"
_DEFAULT = "_default.yml"
_NOTHING: Mapping[str, str] = MappingProxyType({})
_KEYS = frozenset(
    (
        "name", "title", "priority", "recognise", "time", "host", "source", "sourcetype", "index",
        "fields", "calculated", "absent", "datasets",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to recognise a family: every field has one of its values (lower case, or any)."""

    conditions: tuple[tuple[str, frozenset[str]], ...]

    def holds(self, event: Mapping[str, str | None]) -> bool:
        return all(rule_holds(event.get(name), wanted) for name, wanted in self.conditions)


def rule_holds(value: str | None, wanted: frozenset[str]) -> bool:
    """Whether a field's value is one of those wanted; a field that is absent never is."""
    return value is not None and (ANY in wanted or value.lower() in wanted)


@dataclass(frozen=True)
class Family:
    """A source family, as its YAML in ``sources/catalog`` defines it.

    ``schema`` is the raw table; ``definition`` is the whole YAML, for the part that belongs to
    the data models (``datasets``).

    >>> sysmon = families()["sysmon"]
    >>> sysmon.schema.table, sysmon.schema.by_name["Image"].physical
    ('raw_sysmon', 'Image')
    >>> sysmon.schema.by_name["EventCode"].expr
    'EventID'
    """

    name: str
    title: str
    priority: int
    rules: tuple[Rule, ...]
    time: tuple[str, ...]
    host: tuple[str, ...]
    source: str
    sourcetype: str
    index: str
    schema: TableSchema
    definition: Mapping[str, Any] = field(repr=False, compare=False)

    @cached_property
    def arrow(self) -> pa.Schema:
        """``schema.arrow()``, made once."""
        return self.schema.arrow()

    @cached_property
    def declared(self) -> Mapping[str, Column]:
        """The family's own stored columns by field name, without those of every raw table."""
        common = {c.name for c in RAW_COLUMNS}
        return {
            c.name: c
            for c in self.schema.columns
            if c.physical is not None and c.name not in common
        }


@cache
def families() -> Mapping[str, Family]:
    """All source families by name, in the order in which they are tried.

    >>> list(families())[0]
    'sysmon'
    """
    texts = {
        file.name: file.read_text("utf-8")
        for file in files("escudo.sources.catalog").iterdir()
        if file.name.endswith(".yml")
    }
    default = yaml.load(texts.pop(_DEFAULT), yaml.CSafeLoader)["calculated"]
    found = [parse_family(text, name, default) for name, text in texts.items()]
    found.sort(key=lambda f: (f.priority, f.name))
    return MappingProxyType({f.name: f for f in found})


def parse_family(text: str, file: str, default: Mapping[str, str] = _NOTHING) -> Family:
    """The family that a YAML text defines; SRC050 where the text does not fit.

    ``default`` are the search-time fields that it has unless it defines them otherwise.
    """
    data = yaml.load(text, yaml.CSafeLoader)
    if not isinstance(data, dict):
        raise EscudoError("SRC050", f"{file}: a mapping is expected")
    unknown = sorted(set(data) - _KEYS)
    if unknown:
        raise EscudoError("SRC050", f"{file}: unknown key {unknown[0]!r}")
    try:
        return Family(
            name=data["name"],
            title=data["title"],
            priority=int(data["priority"]),
            rules=tuple(_rule(r) for r in data["recognise"]),
            time=tuple(data["time"]),
            host=tuple(data["host"]),
            source=data["source"],
            sourcetype=data["sourcetype"],
            index=data["index"],
            schema=_schema(data, default),
            definition=MappingProxyType(data),
        )
    except KeyError as missing:
        raise EscudoError("SRC050", f"{file}: key {missing} is missing") from None
    except (ValueError, TypeError) as wrong:
        raise EscudoError("SRC050", f"{file}: {wrong}") from None


def _rule(data: Mapping[str, Any]) -> Rule:
    return Rule(
        tuple(
            (
                name,
                frozenset(
                    str(v).lower() for v in (wanted if isinstance(wanted, list) else [wanted])
                ),
            )
            for name, wanted in data.items()
        )
    )


def _schema(data: Mapping[str, Any], default: Mapping[str, str]) -> TableSchema:
    declared: list[tuple[str, FieldType]] = []
    for item in data["fields"]:
        if isinstance(item, dict):
            declared.append((item["name"], FieldType(item.get("type", "string"))))
        else:
            declared.append((item, FieldType.STRING))
    calculated = {**default, **(data.get("calculated") or {})}
    for name, _ in declared:
        if name in default:
            calculated.pop(name, None)
    stored = [c.name for c in RAW_COLUMNS]
    physical = physical_names([*stored, RAW_REST, *(name for name, _ in declared)])
    columns = list(RAW_COLUMNS)
    for name, kind in declared:
        if name in stored:
            raise ValueError(f"field {name!r} is a column of every raw table")
        columns.append(Column(name, kind, physical=physical[name]))
    columns += [Column(name, expr=str(expr).strip()) for name, expr in calculated.items()]
    names = [c.name for c in columns]
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        raise ValueError(f"field {min(twice)!r} is defined twice")
    values = _Values(data, calculated)
    return TableSchema(f"raw_{data['name']}", tuple(columns), rest=RAW_REST, values=values)


class _Values(Mapping[str, frozenset[str]]):
    """The fields whose texts are known before any event is read, found when they are asked for."""

    def __init__(self, data: Mapping[str, Any], calculated: Mapping[str, str]) -> None:
        self._calculated = calculated
        self._known: dict[str, frozenset[str] | None] = {
            name: frozenset({str(data[name])})
            for name in ("source", "sourcetype", "index")
            if not template_fields(str(data[name]))
        }

    def __getitem__(self, name: str) -> frozenset[str]:
        if name not in self._known:
            self._known[name] = possible_values_of(str(self._calculated[name]))
        known = self._known[name]
        if known is None:
            raise KeyError(name)
        return known

    def __iter__(self) -> Iterator[str]:
        return (name for name in {**self._known, **self._calculated} if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def template_fields(template: str) -> Sequence[str]:
    """The field names in a template.

    >>> template_fields("XmlWinEventLog:{Channel}")
    ['Channel']
    """
    return re.findall(r"\{([^{}]+)\}", template)
