"""The values of an element before and after -> its fields that differ; ``comparing`` calls it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """What became of an element, or of a field of it."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field by its path (``tags.mitre_attack_id``), and its values."""

    path: str
    state: State
    before: Any = None
    after: Any = None


def compare_values(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """The fields that differ, in the order of the second mapping. Lists count as wholes; empty
    ones, empty texts and null are nothing.

    >>> [str(c.path) for c in compare_values({"a": {"b": "1"}, "c": ""}, {"a": {"b": "2"}})]
    ['a.b']
    """
    return tuple(_walk(before, after, ""))


def _walk(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[FieldChange]:
    for key in dict.fromkeys((*after, *before)):
        old, new, at = before.get(key), after.get(key), f"{path}{key}"
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _walk(old, new, f"{at}.")
        elif _is_nothing(old) and _is_nothing(new):
            continue
        elif _is_nothing(old):
            yield FieldChange(at, State.ADDED, None, new)
        elif _is_nothing(new):
            yield FieldChange(at, State.REMOVED, old, None)
        elif _settle(old) != _settle(new):
            yield FieldChange(at, State.CHANGED, old, new)


def _is_nothing(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _settle(value: Any) -> Any:
    """A value as it is compared: white space of a text does not count, YAML folds it."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, list):
        return [_settle(member) for member in value]
    if isinstance(value, dict):
        return {key: _settle(member) for key, member in value.items()}
    return value
