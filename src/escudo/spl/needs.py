"""Which fields the rest of a pipeline can name, so that a batch function gets no others.

The commands after a place are read up to the first that keeps only what it names (``stats``,
``table`` ...). Every text in them that could be a field's name counts, so the answer is a safe
superset; where names come from data, all fields are needed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from escudo.spl.ast import Call, Command, Literal, Node, SubsearchTerm, Term, Value
from escudo.spl.wildcards import pattern

_CLOSING = frozenset({"stats", "table", "chart", "timechart", "top", "rare", "xyseries"})
_OPAQUE = frozenset(
    {"foreach", "map", "join", "append", "appendpipe", "appendcols", "union", "fillnull"}
    | {"outputlookup", "collect", "fieldsummary", "transpose", "untable", "mvcombine", "tojson"}
    | {"addtotals", "addcoltotals", "filldown", "replace", "delete", "format", "return", "set"}
    | {"fit", "apply", "multikv", "anomalydetection", "outlier", "lookup", "foreign", "spath"}
)
"""Commands that may use fields which they do not name."""
_BY_TEXT = frozenset({"searchmatch", "getfields", "commands"})


@dataclass(frozen=True)
class Needs:
    """Names and patterns with ``*`` of the fields that may be asked for."""

    names: frozenset[str]
    patterns: tuple[str, ...] = ()

    def __contains__(self, name: str) -> bool:
        return name in self.names or any(pattern(p).fullmatch(name) for p in self.patterns)


def needs_of(commands: Sequence[Command]) -> Needs | None:
    """What the commands may ask of the rows before them; None if that may be any field."""
    found: set[str] = {"_time", "_raw", "_event_id", "source_file"}
    for command in commands:
        if command.name in _OPAQUE or not _collect(command, found):
            return None
        closes = command.name in _CLOSING or (
            command.name == "fields" and not getattr(command, "remove", True)
        )
        if closes:
            patterns = tuple(n for n in found if "*" in n)
            return Needs(frozenset(found), patterns)
    return None


def _collect(node: object, found: set[str]) -> bool:
    """Adds every text of a tree that may name a field; False if names may come from elsewhere."""
    if isinstance(node, SubsearchTerm) or (isinstance(node, Call) and node.name in _BY_TEXT):
        return False
    if isinstance(node, Value | Literal | Term):
        return True
    if isinstance(node, str):
        found.add(node)
        return "{" not in node or "{}" in node
    if isinstance(node, tuple):
        return all(_collect(item, found) for item in node)
    if isinstance(node, Node):
        return all(_collect(getattr(node, f.name), found) for f in dataclasses.fields(node))
    return True
