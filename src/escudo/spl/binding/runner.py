"""A query over scans and tables -> its rows, also worked on by groups where they are: what the
binder asks of an engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import pyarrow as pa
from sqlglot import exp

from escudo.spl.relation.scans import Scan


class Runner(Protocol):
    """Runs what is bound so far; an engine with a catalog is one."""

    def run(
        self, query: exp.Expression, scans: Sequence[Scan], tables: Mapping[str, pa.Table]
    ) -> pa.Table: ...


@dataclass(frozen=True, kw_only=True)
class Groups:
    """How a function of all rows can be worked on by groups: those with the same values of
    ``fields``, where no row meets the condition ``unless``.

    ``function`` may be sent to other machines. It is given the rows of some groups, in their order,
    and the name of a column with the place of each among all. ``join`` makes the result of what it
    gave for all of them.
    """

    fields: tuple[str, ...]
    unless: exp.Expression
    function: Callable[[pa.Table, str], pa.Table]
    join: Callable[[pa.Table], pa.Table]


@dataclass(frozen=True, kw_only=True)
class GroupWork:
    """The same for the rows of a query: ``keys`` are its columns, ``names`` what the function calls
    them, ``number`` the column that it is given besides."""

    keys: tuple[str, ...]
    names: Mapping[str, str]
    number: str
    function: Callable[[pa.Table, str], pa.Table]


@runtime_checkable
class GroupRunner(Runner, Protocol):
    """A runner that may work on groups where their rows are."""

    @property
    def works_on_groups(self) -> bool:
        """Whether it does; else rows come to this process."""
        ...

    def run_grouped(
        self,
        query: exp.Expression,
        scans: Sequence[Scan],
        tables: Mapping[str, pa.Table],
        work: GroupWork,
    ) -> pa.Table:
        """What the function gives for all groups of a query's rows, in any order."""
        ...


@runtime_checkable
class LateProver(Runner, Protocol):
    """A runner that may read events a second time, to say which of them made the rows found."""

    def proves_late(self, scans: Sequence[Scan]) -> bool:
        """Whether it takes it less time than to keep the events of all groups at hand."""
        ...
