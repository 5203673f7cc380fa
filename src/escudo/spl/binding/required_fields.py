"""Commands -> the fields that they can ask of the rows before them; the binder asks it.

The commands after a place are read up to the first that closes the schema (``stats``, ``table``
...). Every text in them that could be a field's name counts, so the answer is a safe superset;
where a command may read any field, or names come from data, all fields are required.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from escudo.spl.binding.declaration import DeclaredCommand, Reads
from escudo.spl.syntax.ast import (
    Binary,
    Call,
    CommandNode,
    Literal,
    SubsearchTerm,
    SubsearchText,
    TimeModifier,
    Value,
)
from escudo.spl.syntax.wildcards import pattern

_ALWAYS = ("_time", "_raw", "_event_id", "source_file")
_READ_ANY = frozenset({"searchmatch", "getfields", "commands"})
"""Functions that can read fields which their arguments do not name."""
_NAME_FROM_VALUE = re.compile(r"\{[^{}]+\}")
"""``{field}`` in a field's name stands for the value of that field."""


@dataclass(frozen=True)
class RequiredFields:
    """Names and patterns with ``*`` of the fields that may be asked for."""

    names: frozenset[str]
    patterns: tuple[str, ...] = ()

    def __contains__(self, name: str) -> bool:
        return name in self.names or any(pattern(p).fullmatch(name) for p in self.patterns)


def required_fields(commands: Sequence[CommandNode]) -> RequiredFields | None:
    """What the commands may ask of the rows before them; None if that may be any field."""
    wanted: set[str] = set(_ALWAYS)
    for command in commands:
        if not isinstance(command, DeclaredCommand):
            return None
        declared = command.declaration()
        texts = None if declared.reads is Reads.ANY else _texts_of(command)
        if texts is None:
            return None
        wanted.update(texts, declared.reads_also)
        if declared.closes_schema:
            return RequiredFields(frozenset(wanted), tuple(t for t in wanted if "*" in t))
    return None


def _texts_of(command: CommandNode) -> set[str] | None:
    """Every text of a command that may name a field; None if names may come from elsewhere."""
    texts: set[str] = set()
    for node in command.walk():
        if isinstance(node, SubsearchTerm | SubsearchText):
            return None
        if isinstance(node, Call) and node.name in _READ_ANY:
            return None
        if isinstance(node, TimeModifier):
            texts.add("_indextime")
        if not isinstance(node, Value | Literal | Binary):
            texts.update(value for value in node.parts() if isinstance(value, str))
    return None if any(_NAME_FROM_VALUE.search(text) for text in texts) else texts
