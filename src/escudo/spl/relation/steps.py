"""The steps of a relation over its base, and the order of its rows: data that rendering reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from escudo.spl.relation.bases import Readable
from escudo.spl.relation.scans import Member


@dataclass(frozen=True)
class Order:
    """One key of the order in which SPL's rows arrive; nulls are last in both directions.

    ``number`` is a numeric expression of the same order, where there is one. ``arrival`` marks a
    stored time and the event id after it: together they are one key, ``spl_arrival``.
    """

    sql: exp.Expression
    descending: bool = False
    number: exp.Expression | None = None
    arrival: bool = False

    def ordered(self, *, reverse: bool = False) -> exp.Ordered:
        desc = self.descending != reverse
        return exp.Ordered(this=self.sql.copy(), desc=desc, nulls_first=reverse)


@dataclass(frozen=True)
class Extend:
    """Adds columns. ``window``: the expressions look at other rows, so filters may not move.
    ``unnest``: one of them makes several rows of one."""

    columns: tuple[tuple[str, exp.Expression], ...]
    window: bool = False
    unnest: bool = False


@dataclass(frozen=True)
class Where:
    condition: exp.Expression


@dataclass(frozen=True)
class Limit:
    """The first ``count`` rows in the order given."""

    count: int
    order: tuple[Order, ...] = ()
    reverse: bool = False


@dataclass(frozen=True)
class Matched:
    """Rows that stay have the values of ``keys`` in the columns ``others`` of a row of a query that
    is at hand, and small."""

    keys: tuple[str, ...]
    others: tuple[str, ...]
    render: Callable[[], exp.Select]


@dataclass(frozen=True)
class Wrap:
    """A query around what is there, which keeps its columns (``SELECT q.*, ...``); ``inputs`` are
    the other relations it reads; ``inner``: there are no rows where one of these has none.

    ``matched``: what each row that it gives is found by.

    ``row_wise``: it gives each row once, and looks at no other; ``columns`` and ``members`` are
    then what is known of the columns that it adds."""

    build: Callable[[exp.Select], exp.Select]
    inputs: tuple[Readable, ...] = ()
    inner: bool = False
    row_wise: bool = False
    columns: tuple[tuple[str, exp.Expression], ...] = ()
    members: tuple[tuple[str, Member], ...] = ()
    matched: Matched | None = None


Step = Extend | Where | Limit | Wrap
