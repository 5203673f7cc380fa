"""What a command says of itself: which fields it reads, whether it works row by row.

The binder asks it (which fields must be kept for the commands to come), ``why`` does (how far a
row stays one row), and so does the reference of commands. The default is the safe answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar

from escudo.spl.syntax.ast import CommandNode


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
    ``looks_ahead``: it works on all fields at once, and can do with those that are asked for later.
    """

    reads: Reads = Reads.ANY
    reads_also: tuple[str, ...] = ()
    row_by_row: bool = False
    closes_schema: bool = False
    looks_ahead: bool = False
    writes: bool = False


@dataclass(frozen=True, kw_only=True)
class DeclaredCommand(CommandNode):
    """A command with its declaration."""

    declares: ClassVar[Declaration] = Declaration()

    def declaration(self) -> Declaration:
        """The declaration of this very use; an option can make a difference."""
        return self.declares
