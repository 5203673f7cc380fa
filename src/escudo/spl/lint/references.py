"""Command -> the fields that it reads, with their places; rules of lint ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from escudo.core.errors import Span
from escudo.spl.commands.eval import Eval
from escudo.spl.commands.fields import Fields
from escudo.spl.commands.fillnull import Fillnull
from escudo.spl.commands.foreach import Foreach
from escudo.spl.commands.lookup import Lookup
from escudo.spl.commands.rename import Rename
from escudo.spl.commands.sort import SortKey
from escudo.spl.commands.tojson import JsonField
from escudo.spl.commands.trendline import Trendline
from escudo.spl.syntax.aggregate_terms import Aggregate
from escudo.spl.syntax.ast import Call, CommandNode, Compare, FieldRef, InList, Node

TOLERANT = frozenset({"coalesce", "isnull", "isnotnull", "nullif", "ifnull", "mvappend"})
"""Functions that are there for fields that may be missing."""

_PLAIN_FIELDS = {
    "bin": ("field",),
    "chart": ("row", "column"),
    "convert": (),
    "dedup": ("fields",),
    "delta": ("field",),
    "accum": ("field",),
    "autoregress": ("field",),
    "eventstats": ("by",),
    "fromjson": ("field",),
    "iplocation": ("field",),
    "join": ("fields",),
    "makemv": ("field",),
    "mvcombine": ("field",),
    "mvexpand": ("field",),
    "nomv": ("field",),
    "rangemap": ("field",),
    "rare": ("fields", "by"),
    "regex": ("field",),
    "replace": ("fields",),
    "rex": ("field",),
    "spath": ("input",),
    "stats": ("by",),
    "streamstats": ("by",),
    "table": ("fields",),
    "timechart": ("by",),
    "top": ("fields", "by"),
    "transaction": ("fields",),
    "tstats": ("by",),
    "untable": ("x",),
    "xmlkv": ("field",),
    "xyseries": ("x", "y_name", "y_data"),
}
"""Command -> its attributes that name fields it reads."""


@dataclass(frozen=True)
class Reference:
    """A field that a command reads; ``span`` is the smallest place known."""

    name: str
    span: Span | None


def find_references(command: CommandNode) -> Iterator[Reference]:
    """The fields that a command reads from the rows before it, wildcards left out.

    >>> from escudo.spl.parse import parse
    >>> [r.name for r in find_references(parse("a | stats dc(user) BY host").commands[1])]
    ['host', 'user']
    """
    for name, span in _references(command):
        if "*" not in name and "<<" not in name and "$" not in name and "{" not in name[:1]:
            yield Reference(name, span)


def _references(command: CommandNode) -> Iterator[tuple[str, Span | None]]:
    if isinstance(command, Foreach):
        return
    for attribute in _PLAIN_FIELDS.get(command.name, ()):
        value = getattr(command, attribute)
        for name in (value,) if isinstance(value, str) else value or ():
            yield name, command.span
    match command:
        case Fields(names, False):
            yield from ((n, command.span) for n in names)
        case Rename(pairs):
            yield from ((old, command.span) for old, _ in pairs)
        case Lookup(_, inputs):
            yield from ((outer, command.span) for _, outer in inputs)
        case Eval(assignments):
            made: set[str] = set()
            for assignment in assignments:
                for name, span in _in(assignment.expr):
                    if name not in made and name != assignment.field:
                        yield name, span
                made.add(assignment.field)
            return
        case Fillnull():
            return
        case Trendline(trends):
            yield from ((t.field, t.span) for t in trends)
    yield from _in(command)


def _in(tree: Node) -> Iterator[tuple[str, Span | None]]:
    """Fields in the expressions of a tree, but not in its subsearches."""
    tolerated: set[int] = set()
    for node in tree.walk(into_subsearches=False):
        match node:
            case Call(name, args) if name in TOLERANT:
                tolerated.update(id(a) for a in args if isinstance(a, FieldRef))
            case FieldRef(name) if id(node) not in tolerated:
                yield name, node.span
            case Compare(name, _, _) | InList(name, _):
                yield name, node.span
            case Aggregate(field=str() as name):
                yield name, node.span
            case SortKey(name) | JsonField(name):
                yield name, node.span
