"""A YAML text -> where it is nested too deep to be composed; readers of content and sources ask."""

from __future__ import annotations

import re

import yaml

DEEPEST = 100
"""Levels of mappings and sequences in each other; content has six."""
_DEEP_START = re.compile(rf"(?m)^[ \t?:-]{{{DEEPEST},}}")
"""How a line begins that is so deep without brackets."""


def find_deep_line(source: str) -> int | None:
    """The line where a YAML text is nested deeper than ``DEEPEST``, if it is.

    libyaml's composer calls itself for each level and ends the process where the stack ends; its
    parser does not. Only a text that can be so deep is parsed for this.

    >>> find_deep_line("a: " + "[" * 200), find_deep_line("a: [1, [2]]")
    (1, None)
    """
    if source.count("[") + source.count("{") <= DEEPEST and not _DEEP_START.search(source):
        return None
    depth = 0
    try:
        for event in yaml.parse(source, Loader=yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                return int(event.start_mark.line) + 1 if event.start_mark is not None else 1
    except (yaml.YAMLError, ValueError):
        return None  # the composer finds it, too, and no deeper
    return None
