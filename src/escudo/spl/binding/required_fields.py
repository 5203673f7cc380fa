"""Commands -> the fields that they can ask of the rows before them; the binder asks it.

The commands after a place are read up to the first that closes the schema (``stats``, ``table``
...). Every text in them that could be a field's name counts, so the answer is a safe superset;
where a command may read any field, or names come from data, all fields are required.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from escudo.spl.binding.declaration import DeclaredCommand, Reads
from escudo.spl.syntax.ast import Call, CommandNode, Literal, Node, SubsearchTerm, Term, Value
from escudo.spl.syntax.wildcards import pattern

_ALWAYS = ("_time", "_raw", "_event_id", "source_file")
_READ_ANY = frozenset({"searchmatch", "getfields", "commands"})
"""Functions that can read fields which their arguments do not name."""


@dataclass(frozen=True)
class RequiredFields:
    """Names and patterns with ``*`` of the fields that may be asked for."""

    names: frozenset[str]
    patterns: tuple[str, ...] = ()

    def __contains__(self, name: str) -> bool:
        return name in self.names or any(pattern(p).fullmatch(name) for p in self.patterns)


def required_fields(commands: Sequence[CommandNode]) -> RequiredFields | None:
    """What the commands may ask of the rows before them; None if that may be any field."""
    texts: set[str] = set(_ALWAYS)
    for command in commands:
        if not isinstance(command, DeclaredCommand):
            return None
        declared = command.declaration()
        if declared.reads is Reads.ANY or not _collect(command, texts):
            return None
        texts.update(declared.reads_also)
        if declared.closes_schema:
            return RequiredFields(frozenset(texts), tuple(t for t in texts if "*" in t))
    return None


def _collect(node: object, texts: set[str]) -> bool:
    """Adds every text of a tree that may name a field; False if names may come from elsewhere."""
    if isinstance(node, SubsearchTerm) or (isinstance(node, Call) and node.name in _READ_ANY):
        return False
    if isinstance(node, Value | Literal | Term):
        return True
    if isinstance(node, str):
        texts.add(node)
        return "{" not in node or "{}" in node
    if isinstance(node, tuple):
        return all(_collect(item, texts) for item in node)
    if isinstance(node, Node):
        return all(_collect(getattr(node, f.name), texts) for f in dataclasses.fields(node))
    return True
