"""A node of a YAML file -> its values with their places; the checks read elements through it.

Unlike ``reading.Section`` it says nothing of its own: a check says what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import yaml

from escudo.content.reading import node_span
from escudo.core.errors import Span

_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True)
class Value:
    """A value of a file; where there is none, the place is that of what should hold it.

    >>> node = yaml.compose("name: x\\ntags:\\n  story: [a, b]\\n", Loader=yaml.CSafeLoader)
    >>> root = Value("a.yml", node, node_span("a.yml", node))
    >>> [f"{v.text} {v.span}" for v in root.get("tags").get("story").members]
    ['a a.yml:3:11', 'b a.yml:3:14']
    >>> missing = root.get("tags").get("product")
    >>> missing.present, missing.text, str(missing.span)
    (False, '', 'a.yml:3:3')
    """

    file: str
    node: yaml.Node | None = field(repr=False)
    span: Span

    @property
    def present(self) -> bool:
        """Whether there is a value other than null."""
        return self.node is not None and self.node.tag != _NULL

    @property
    def text(self) -> str:
        """A scalar without the blanks around it; empty for anything else."""
        if isinstance(self.node, yaml.ScalarNode) and self.present:
            return str(self.node.value).strip()
        return ""

    @property
    def raw(self) -> str:
        """A scalar as YAML has it; empty for anything else."""
        return str(self.node.value) if isinstance(self.node, yaml.ScalarNode) else ""

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    @property
    def members(self) -> tuple[Value, ...]:
        """The members of a list, null left out; anything else that is there is a list of one."""
        if not self.present or self.node is None:
            return ()
        nodes = self.node.value if isinstance(self.node, yaml.SequenceNode) else [self.node]
        return tuple(self._of(n) for n in nodes if n.tag != _NULL)

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of ``members``, without empty ones."""
        return tuple(m.text for m in self.members if m.text)

    def get(self, key: str) -> Value:
        """The value of a key; of the first, where it is there twice."""
        node = self._nodes.get(key)
        return Value(self.file, None, self.span) if node is None else self._of(node)

    def has(self, key: str) -> bool:
        return self.get(key).present

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self._nodes)

    def _of(self, node: yaml.Node) -> Value:
        return Value(self.file, node, node_span(self.file, node))

    @cached_property
    def _nodes(self) -> dict[str, yaml.Node]:
        """The nodes of a mapping by key; the first of each."""
        nodes: dict[str, yaml.Node] = {}
        if isinstance(self.node, yaml.MappingNode):
            for key, node in self.node.value:
                if isinstance(key, yaml.ScalarNode):
                    nodes.setdefault(str(key.value), node)
        return nodes


def read_value(file: str, node: yaml.Node) -> Value:
    """The value of a whole file."""
    return Value(file, node, node_span(file, node))
