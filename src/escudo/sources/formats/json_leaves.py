"""Parsed JSON objects -> their values by path, an object at a time.

``json_columns`` calls it for the lines that it cannot read in columns, and to learn what there is;
the readers of rarer shapes for theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import orjson
import pyarrow as pa

Path: TypeAlias = tuple[str, ...]
"""Where a value stands: ``("winlog", "channel")``; an array's key ends in ``{}``."""

Paths: TypeAlias = Mapping[Path, pa.Array]
"""A string or list<string> array for each path, of equal lengths; null where a line lacks it."""

TEXTS = pa.list_(pa.string())


def walk_leaves(event: Mapping[str, Any]) -> Iterator[tuple[Path, str | list[str]]]:
    """The values of an object by path. Null and empty objects are no values.

    >>> event = {"a": {"b": 1.50}, "c": [1, None], "d": [{"e": "x"}, {"e": "y"}], "f": None}
    >>> list(walk_leaves(event))
    [(('a', 'b'), '1.5'), (('c{}',), ['1']), (('d{}', 'e'), ['x', 'y'])]
    """
    for key, value in event.items():
        if isinstance(value, dict):
            for path, below in walk_leaves(value):
                yield (key, *path), below
        elif isinstance(value, list):
            yield from _array(f"{key}{{}}", value)
        elif value is not None:
            yield (key,), _text(value)


def _array(key: str, members: Sequence[Any]) -> Iterator[tuple[Path, list[str]]]:
    gathered: dict[Path, list[str]] = {(key,): []} if not members else {}
    for member in members:
        if isinstance(member, dict):
            for path, value in walk_leaves(member):
                texts = [value] if isinstance(value, str) else value
                gathered.setdefault((key, *path), []).extend(texts)
        elif member is not None:
            gathered.setdefault((key,), []).append(_text(member))
    yield from gathered.items()


def _text(value: Any) -> str:
    """A scalar as DuckDB gives it, so that both ways agree; an array within an array is JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return repr(value)
    return orjson.dumps(value).decode()


def read_by_line(events: Sequence[Mapping[str, Any]]) -> dict[Path, pa.Array]:
    """The values of parsed objects by path; a path with arrays and scalars holds arrays."""
    if not all(isinstance(event, dict) for event in events):
        raise ValueError("a line that is not a JSON object")
    rows = [dict(walk_leaves(event)) for event in events]
    paths: dict[Path, bool] = {}
    for row in rows:
        for path, value in row.items():
            paths[path] = paths.get(path, False) or isinstance(value, list)
    out = {}
    for path, listed in paths.items():
        values = [row.get(path) for row in rows]
        out[path] = pa.array(values, TEXTS if listed else pa.string())
    return out
