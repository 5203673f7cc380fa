"""The syntax tree of SPL: eval expressions, search expressions, commands, pipelines.

SPL has two expression languages. *Eval expressions* (``eval``, ``where``) have operators,
functions and typed literals. *Search expressions* (``search``, the WHERE of ``tstats``) have
``field=value`` comparisons with wildcards, bare terms and time modifiers. They differ in
precedence, case and quoting (Search Manual, Boolean expressions), so they are two sets of nodes.

Every node has a ``span`` into the text as the user wrote it (for text that came out of a macro:
the place of the macro's use). Spans take no part in equality.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import ClassVar

from escudo.core.errors import Span


@dataclass(frozen=True, kw_only=True)
class Node:
    """A piece of a search; ``span`` is its place in the text."""

    span: Span | None = field(default=None, compare=False, repr=False)

    def parts(self) -> Iterator[object]:
        """What its fields hold but for ``span``, items of tuples one by one.

        >>> list(Compare("a", "=", Value("b")).parts())
        ['a', '=', Value(text='b', quoted=False, exact_case=False, exact_term=False)]
        """
        kind: type = type(self)
        for name in _field_names(kind):
            value = getattr(self, name)
            if isinstance(value, tuple):
                yield from _items(value)
            else:
                yield value

    def children(self) -> Iterator[Node]:
        """The nodes directly in it, in the order of the text."""
        return (value for value in self.parts() if isinstance(value, Node))

    def walk(self, *, into_subsearches: bool = True) -> Iterator[Node]:
        """Itself and all nodes in it, depth first, in the order of the text.

        Without ``into_subsearches`` the pipelines in it are given, but nothing that is in them.

        >>> [type(n).__name__ for n in Unary("NOT", Call("f", (FieldRef("a"),))).walk()]
        ['Unary', 'Call', 'FieldRef']
        """
        yield self
        for child in self.children():
            if into_subsearches or not isinstance(child, Pipeline):
                yield from child.walk(into_subsearches=into_subsearches)
            else:
                yield child


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(kind) if f.name != "span")


def _items(values: tuple[object, ...]) -> Iterator[object]:
    """The items of a tuple and of the tuples in it."""
    for value in values:
        if isinstance(value, tuple):
            yield from _items(value)
        else:
            yield value


# --- eval expressions -------------------------------------------------------------------------


@dataclass(frozen=True)
class Literal(Node):
    """A string or a number as written in the text (numbers keep int and float apart)."""

    value: str | int | float


@dataclass(frozen=True)
class FieldRef(Node):
    """``name`` or ``'odd name'``."""

    name: str


@dataclass(frozen=True)
class Call(Node):
    """``function(arguments)``; also ``x IN (a, b)``, which is ``in(x, a, b)``. Lower-case name."""

    name: str
    args: tuple[EvalExpr, ...]


@dataclass(frozen=True)
class Unary(Node):
    """``NOT x`` or ``-x`` or ``+x``; op is ``NOT``, ``-`` or ``+``."""

    op: str
    operand: EvalExpr


@dataclass(frozen=True)
class Binary(Node):
    """op: ``+ - * / %``, ``.``, ``< > <= >= = == !=``, ``LIKE``, ``AND``, ``OR``, ``XOR``."""

    op: str
    left: EvalExpr
    right: EvalExpr


@dataclass(frozen=True)
class SubsearchText(Node):
    """``[ search ... | return $x ]`` inside an eval expression: its result is text of it."""

    pipeline: Pipeline


EvalExpr = Literal | FieldRef | Call | Unary | Binary | SubsearchText


def fields_in(expr: EvalExpr) -> Iterator[str]:
    """The fields that an eval expression names, in the order of the text, repeats included.

    Those in a subsearch are fields of other rows, and left out.

    >>> list(fields_in(Binary("+", FieldRef("a"), Call("f", (FieldRef("b"),)))))
    ['a', 'b']
    """
    nodes = expr.walk(into_subsearches=False)
    return (node.name for node in nodes if isinstance(node, FieldRef))


# --- search expressions -----------------------------------------------------------------------


@dataclass(frozen=True)
class Value(Node):
    """The right side of a comparison or a term, backslash escapes already resolved by the rule of
    the Search Manual (``\\\\`` is one backslash; a lone one stands for itself; ``\\"`` a quote).

    ``*`` in ``text`` is the wildcard (there is no way to escape it). ``quoted`` tells a phrase
    from a bare term; ``exact_case`` is ``CASE(...)``; ``exact_term`` is ``TERM(...)``.
    """

    text: str
    quoted: bool = False
    exact_case: bool = False
    exact_term: bool = False


@dataclass(frozen=True)
class Compare(Node):
    """``field op value``; op is one of ``= != < <= > >=``. ``field==value`` becomes ``=``."""

    field_name: str
    op: str
    value: Value


@dataclass(frozen=True)
class InList(Node):
    """``field IN (v1, v2, ...)``, wildcards allowed in the values."""

    field_name: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Term(Node):
    """A bare word or quoted phrase: a match in ``_raw``."""

    value: Value


@dataclass(frozen=True)
class TimeModifier(Node):
    """``earliest=-7d@d``, ``latest=now``, ``starthoursago=168``, ``timeformat=...`` and kin."""

    name: str
    value: str


@dataclass(frozen=True)
class SubsearchTerm(Node):
    """``[ search ... ]`` inside a search expression: its rows become conditions.

    ``before`` is text that its result is put right behind (``earliest=[ ... | return $x ]``).
    """

    pipeline: Pipeline
    before: str = ""


@dataclass(frozen=True)
class Not(Node):
    operand: SearchExpr


@dataclass(frozen=True)
class And(Node):
    """Two or more operands; an implicit AND is one, too. No operand: matches everything (``*``
    alone stays a Term)."""

    operands: tuple[SearchExpr, ...]


@dataclass(frozen=True)
class Or(Node):
    operands: tuple[SearchExpr, ...]


SearchExpr = Compare | InList | Term | TimeModifier | SubsearchTerm | Not | And | Or


# --- pipelines --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CommandNode(Node, ABC):
    """One command of a pipeline, as text sees it: its name and its arguments.

    What it does with rows is said by ``binding.binder.Command``, which each command extends.
    """

    name: ClassVar[str]

    @abstractmethod
    def format(self) -> str:
        """The command in canonical SPL; ``parse(c.format()) == c``."""


@dataclass(frozen=True)
class Pipeline(Node):
    commands: tuple[CommandNode, ...]

    def format(self, *, nested: bool = False) -> str:
        """``| a | b``; a leading ``search`` is written without its name, as in Splunk.

        ``nested`` gives the form inside ``[ ]``, where every command has its name.
        """
        texts = [c.format() for c in self.commands]
        if nested or self.commands[0].name != "search":
            return ("" if nested else "| ") + " | ".join(texts)
        terms = texts[0].removeprefix("search ")
        return " | ".join([texts[0] if terms.lower().startswith("search") else terms, *texts[1:]])
