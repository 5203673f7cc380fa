"""A side -> its elements by kind, each with its values, version, search; ``comparing`` calls it."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from escudo.authoring.differences.sides import Side
from escudo.authoring.yaml_text import read_values
from escudo.content import Baseline, Content, Detection, Investigation
from escudo.content.reading import read_whole
from escudo.core.catalog import Lookup, Macro
from escudo.core.errors import Span

KINDS = (
    *("detection", "baseline", "investigation", "macro", "lookup", "story"),
    *("data source", "deployment"),
)
_LOGIC = frozenset({"search", "definition"})
"""Keys that are compared as SPL."""
_PLACES = frozenset({"origin", "span", "path", "writer", "saved_search", "label"})
"""Attributes that say where an element is, not what."""
_YAML = (".yml", ".yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An element of a side.

    ``key`` tells it from others of its kind; ``values`` are those of its YAML, else ``typed``, its
    attributes; ``search`` is its SPL. ``table`` has the rows of a lookup's file.
    """

    kind: str
    key: str
    name: str
    id: str
    version: int | None
    file: str
    values: Mapping[str, Any] | None
    typed: Mapping[str, Any]
    search: str | None = None
    detection: Detection | None = None
    table: tuple[str, ...] | None = None


def list_elements(side: Side) -> dict[str, list[Element]]:
    """The elements of a side's scope, by kind."""
    out: dict[str, list[Element]] = {kind: [] for kind in KINDS}
    for kind, item in list_items(side.content):
        file = find_file(item)
        if side.covers(file) and file is not None:
            out[kind].append(_describe(kind, item, file))
    return out


def list_items(content: Content) -> Iterator[tuple[str, Any]]:
    """All elements of some content, each with its kind."""
    yield from (("detection", d) for d in content.detections)
    yield from (("baseline", b) for b in content.baselines)
    yield from (("investigation", i) for i in content.investigations)
    yield from (("macro", m) for m in content.macros)
    yield from (("lookup", k) for k in content.lookups)
    yield from (("story", s) for s in content.stories)
    yield from (("data source", s) for s in content.data_sources)
    yield from (("deployment", d) for d in content.deployments.values())


def find_file(item: Any) -> str | None:
    """The file of an element; of a table without a definition the table's own."""
    if isinstance(item, Macro | Lookup):
        span: Span | None = item.span
        path = item.path if isinstance(item, Lookup) else None
        return (span.file if span is not None else None) or path
    return str(item.origin.file)


def _describe(kind: str, item: Any, file: str) -> Element:
    values = None
    if file.lower().endswith(_YAML):
        values = {k: v for k, v in read_values(Path(file)).items() if k not in _LOGIC}
    search = None
    if isinstance(item, Detection | Baseline | Investigation):
        search = item.search
    elif isinstance(item, Macro):
        search = item.definition
    arity = f"({len(item.arguments)})" if isinstance(item, Macro) and item.arguments else ""
    version = getattr(item, "version", None)
    if version is None and values is not None:
        version = read_whole(str(values.get("version", "")))
    return Element(
        kind=kind,
        key=f"{item.name}{arity}".lower(),
        name=f"{item.name}{arity}",
        id=str(getattr(item, "id", "") or ""),
        version=version,
        file=file,
        values=values,
        typed=_plain(item),
        search=search,
        detection=item if isinstance(item, Detection) else None,
        table=read_rows(item) if isinstance(item, Lookup) else None,
    )


def _plain(item: Any) -> dict[str, Any]:
    """The attributes of an element that say what it is, as plain values."""
    kept = {
        field.name: _plain_value(getattr(item, field.name))
        for field in dataclasses.fields(item)
        if field.name not in _PLACES and field.name not in _LOGIC
    }
    return {name: value for name, value in kept.items() if value is not None}


def _plain_value(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return None if isinstance(value, Span) else _plain(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [_plain_value(member) for member in value]
    if isinstance(value, Mapping):
        return {str(key): _plain_value(member) for key, member in value.items()}
    return value


def read_rows(lookup: Lookup) -> tuple[str, ...] | None:
    """The rows of a lookup's CSV file as texts; a digest of another file; None without one."""
    if lookup.path is None or not Path(lookup.path).is_file():
        return None
    data = Path(lookup.path).read_bytes()
    if not lookup.path.lower().endswith(".csv"):
        return (hashlib.sha256(data).hexdigest(),)
    try:
        table = csv.reader(io.StringIO(data.decode("utf-8-sig", "replace"), newline=""))
        return tuple("\x1f".join(row) for row in table if row)
    except csv.Error:
        return (hashlib.sha256(data).hexdigest(),)
