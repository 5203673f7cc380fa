"""Values -> the YAML text of a content file, and a YAML file -> its values as text; scaffold
writes, apps and differences read what typed elements leave out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from escudo.content.loading import read_text
from escudo.content.reading import read_document

_WIDTH = 100
_MOST_NODES = 200_000
"""Values of one file; aliases within aliases can make many of few."""


class _Writer(yaml.SafeDumper):
    """Texts of several lines as blocks, long ones folded; lists indented as ESCU has them."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    blank_ends = any(line != line.rstrip() for line in text.split("\n"))
    if "\n" in text and not blank_ends:
        style = "|"
    elif len(text) > _WIDTH - 20 and not blank_ends and "  " not in text:
        style = ">"
    else:
        style = None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _write_text)


def write_yaml(values: Mapping[str, Any]) -> str:
    """The text of a file with these keys in their order.

    >>> print(write_yaml({"name": "a", "tests": [], "search": "index=a\\n| head 1"}), end="")
    name: a
    tests: []
    search: |-
      index=a
      | head 1
    """
    return yaml.dump(
        dict(values), Dumper=_Writer, sort_keys=False, allow_unicode=True, width=_WIDTH
    )


def read_values(file: Path) -> dict[str, Any]:
    """The values of a YAML file, scalars as text, null as None; empty where it cannot be read."""
    source, unreadable = read_text(file)
    if unreadable is not None:
        return {}
    node, problems = read_document(str(file), source)
    if node is None or problems.failed:
        return {}
    value = _Values().take(node)
    return value if isinstance(value, dict) else {}


class _Values:
    """Counts what it has taken, so that no file grows without end."""

    def __init__(self) -> None:
        self._left = _MOST_NODES

    def take(self, node: yaml.Node) -> Any:
        self._left -= 1
        if self._left < 0:
            return None
        if isinstance(node, yaml.MappingNode):
            return {
                key.value: self.take(value)
                for key, value in node.value
                if isinstance(key, yaml.ScalarNode)
            }
        if isinstance(node, yaml.SequenceNode):
            return [self.take(member) for member in node.value]
        return None if node.tag == "tag:yaml.org,2002:null" else node.value
