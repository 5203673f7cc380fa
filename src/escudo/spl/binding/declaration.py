"""What a command says of itself: which fields it reads, whether it works row by row.

The binder asks it (which fields must be kept for the commands to come), ``why`` does (how far a
row stays one row), ``batchwise`` (whether events can come bit by bit), and so does the reference of
commands. The default is the safe answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar

from escudo.spl.syntax.ast import Binary, Call, CommandNode, Literal, Node, Value
from escudo.spl.syntax.wildcards import pattern


class Reads(Enum):
    """Which fields of the rows before it a command can read."""

    ANY = auto()
    """Any field, named in it or not."""
    NAMED = auto()
    """Those that its own text names, with or without ``*``, and no others."""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """The facts that others rely on, each with its safe default.

    ``reads_also``: fields read besides the named ones (patterns with ``*`` as in ``fields``).
    ``row_by_row``: it makes one row of each row, and looks at no other row.
    ``closes_schema``: the fields after it are those that it names or makes, and no others.
    ``writes``: it asks for a change, of a lookup or an index, say.
    ``filters``: it keeps a row or drops it, and looks at no other row.
    ``looks_ahead``: it works on all fields at once, and can do with those that are asked for later.
    """

    reads: Reads = Reads.ANY
    reads_also: tuple[str, ...] = ()
    row_by_row: bool = False
    closes_schema: bool = False
    filters: bool = False
    looks_ahead: bool = False
    writes: bool = False


@dataclass(frozen=True, kw_only=True)
class DeclaredCommand(CommandNode):
    """A command with its declaration."""

    declares: ClassVar[Declaration] = Declaration()

    def declaration(self) -> Declaration:
        """The declaration of this very use; an option can make a difference."""
        return self.declares

    def delay(self) -> float | None:
        """Where its rows come in the order of their ``_time``, the oldest first: how many seconds
        after it the events of a row are at most. None where they come in another order."""
        return None

    def split_by_batches(self, partial: frozenset[str]) -> frozenset[str] | None:
        """What becomes of rows if events come batch by batch, and not all at once.

        Args:
            partial: the fields of the rows before that are of a batch only (a count, say); all
                others, and the rows themselves, are as they would be of all events.

        Returns:
            Those of its own rows; None where its rows would be others than of all events.
        """
        declared = self.declaration()
        if declared.writes or not (declared.row_by_row or declared.filters):
            return None
        touched = frozenset(list_names(self))
        if not any_in_common(touched, partial):
            return partial
        return None if declared.filters else partial | touched


_READ_ANY = frozenset({"searchmatch", "getfields", "commands"})
"""Functions that can read fields which their arguments do not name."""


def list_names(node: Node) -> Iterator[str]:
    """Every text of a command that may name a field, in any order; ``*`` where data names it."""
    for part in node.walk():
        if isinstance(part, Call) and part.name in _READ_ANY:
            yield "*"
        if not isinstance(part, Value | Literal | Binary):
            for text in part.parts():
                if isinstance(text, str):
                    yield "*" if "{" in text else text


def any_in_common(names: Iterable[str], others: Iterable[str]) -> bool:
    """Whether a name is among others; ``*`` in either stands for any text.

    >>> any_in_common({"first*"}, {"firstTime"}), any_in_common({"dest"}, {"count"})
    (True, False)
    """
    mine, theirs = list(names), list(others)
    return any(
        a == b
        or ("*" in a and pattern(a).fullmatch(b) is not None)
        or ("*" in b and pattern(b).fullmatch(a) is not None)
        for a in mine
        for b in theirs
    )
