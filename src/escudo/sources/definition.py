"""The YAML text of a source -> its values, each with its place in the file.

Called by whoever loads or checks a source (``family``, ``cim.mapping``, ``cim.compile``). The text
is parsed a second time when a place is asked for, which is only when something is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from escudo.core.errors import EscudoError, Span
from escudo.core.yaml_depth import DEEPEST, find_deep_line


@dataclass(frozen=True)
class Definition:
    """What a source's file says: ``values`` as YAML has them, of a text that is a mapping.

    >>> definition = read_definition("name: x\\nfields:\\n  - a\\n  - b\\n", "x.yml")
    >>> definition.values["fields"], str(definition.span("fields", 1))
    (['a', 'b'], 'x.yml:4:5')
    """

    file: str
    text: str = field(repr=False)
    values: Mapping[str, Any]

    def span(self, *path: str | int) -> Span:
        """Where a value stands, by the keys and list numbers that lead to it.

        Where there is no such value, it is the place of the innermost one on the way.
        """
        node = yaml.compose(self.text, yaml.CSafeLoader)
        assert node is not None  # the text is a mapping
        for step in path:
            inner = _child(node, step)
            if inner is None:
                break
            node = inner
        start, end = node.start_mark, node.end_mark
        line, column = start.line + 1, start.column + 1
        end_column = end.column + 1 if end.line == start.line else column + 1
        return Span(self.file, line, column, line, end_column)

    def error(
        self, code: str, message: str, *path: str | int, hint: str | None = None
    ) -> EscudoError:
        """An error at a value of the definition."""
        return EscudoError(code, message, span=self.span(*path), hint=hint, source=self.text)


def read_definition(text: str, file: str) -> Definition:
    """The definition that a YAML text holds; SRC050 with its place where it is no mapping.

    >>> read_definition("name: [x", "x.yml")
    Traceback (most recent call last):
    escudo.core.errors.EscudoError: error[SRC050] x.yml:2:1: did not find expected ',' or ']'
    """
    if (deep := find_deep_line(text)) is not None:
        message = f"nested more than {DEEPEST} levels deep"
        raise EscudoError("SRC050", message, span=Span(file, deep, 1, deep, 2))
    try:
        values = yaml.load(text, yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise EscudoError(
            "SRC050",
            error.problem or "not valid YAML",
            span=Span(file, line, column, line, column + 1),
            source=text,
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        message = " ".join(str(error).split())
        raise EscudoError("SRC050", message, span=Span(file, 1, 1, 1, 2)) from error
    if not isinstance(values, dict):
        span = Span(file, 1, 1, 1, 2)
        raise EscudoError("SRC050", "a mapping of keys is expected", span=span, source=text)
    return Definition(file, text, values)


def _child(node: yaml.Node, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        return node.value[step] if step < len(node.value) else None
    return None
