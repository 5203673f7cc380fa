"""SPL, a lake -> rows, and what the search writes; called by ``escudo search`` and the shell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import pyarrow as pa

from escudo.actions.workspace import Workspace
from escudo.core.errors import Diagnostic
from escudo.engines.execute import run_compiled, stream_compiled
from escudo.lake.effects import Change, carry_out
from escudo.spl.compile import Compiled, compile_search

_INTERNAL = ("_event_id", "source_file", "_key")
"""Fields of Escudo's own; they are shown where the search names them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchOptions:
    """How a search runs.

    Args:
        streamed: gives the rows as they are found, so that they need not fit into memory; fields
            that only some events have are then known when those come.
        may_delete: whether ``delete`` takes the events that it finds out of the lake.
        may_write_internal: whether ``collect`` may write to indexes that begin with ``_``.
        job: keeps the results under this name, for ``loadjob``; then they are all computed.
        most: gives so many rows at most, which is all that is then computed.
    """

    streamed: bool = False
    may_delete: bool = False
    may_write_internal: bool = False
    job: str | None = None
    most: int | None = None


@dataclass(frozen=True)
class FoundRows:
    """What a search gave. ``fields`` are those of the first table; ``tables`` can be read once,
    while the lake is open; ``changes`` is what the search has written; ``cut`` is whether it has
    more rows than were asked for, and ``total`` how many where that is known all the same."""

    fields: tuple[str, ...]
    tables: Iterator[pa.Table]
    changes: tuple[Change, ...]
    cut: bool = False
    total: int | None = None


def _tell_nobody(_: Sequence[Diagnostic]) -> None:
    pass


def search_lake(
    text: str,
    workspace: Workspace,
    options: SearchOptions,
    *,
    tell: Callable[[Sequence[Diagnostic]], None] = _tell_nobody,
) -> FoundRows:
    """Runs a search, and carries out what it asks to be written.

    Macros and lookups are the content's; what searches have left in the lake goes before them. A
    search that cannot be run writes nothing.

    Args:
        tell: is given the search's warnings before it runs.

    Raises:
        EscudoError: what the language, the engine or the lake says.
    """
    snapshot = workspace.lake.snapshot()
    engine = workspace.engine_of(snapshot)
    compiled = compile_search(
        text,
        snapshot,
        workspace.knowledge,
        now=workspace.now,
        zone=workspace.zone,
        within=workspace.within,
        runner=engine,
    )
    tell(compiled.diagnostics)
    engine = engine.suit(compiled.query, compiled.scans)
    hidden = find_hidden(compiled)
    if options.job is None and options.most is not None:
        tables = iter([run_compiled(_limit(compiled, options.most + 1), engine)])
    elif options.job is None and options.streamed:
        tables = stream_compiled(compiled, engine)
    else:
        tables = iter([run_compiled(compiled, engine)])
    first = next(tables, None)
    changes = carry_out(
        compiled.effects,
        workspace.lake,
        workspace.content.knowledge,
        search=f"{workspace.now:.3f}",
        may_delete=options.may_delete,
        may_write_internal=options.may_write_internal,
    )
    if first is None:
        return FoundRows((), iter(()), changes)
    first = leave_out(first, hidden)
    total = None
    if options.job is not None:
        workspace.lake.artifacts.keep_job(options.job, first)
        total = first.num_rows
    cut = options.most is not None and first.num_rows > options.most
    if cut:
        first = first.slice(0, options.most)
    rest = chain([first], (leave_out(table, hidden) for table in tables))
    return FoundRows(tuple(first.column_names), rest, changes, cut, total)


def _limit(compiled: Compiled, most: int) -> Compiled:
    """The search, of whose rows the first are computed."""
    return replace(compiled, query=compiled.query.limit(most))


def find_hidden(compiled: Compiled) -> frozenset[str]:
    """The fields of Escudo's own that the search, its macros expanded, does not name."""
    text = compiled.pipeline.format()
    return frozenset(n for n in _INTERNAL if not re.search(rf"(?<![\w.]){n}(?![\w.])", text))


def leave_out(rows: pa.Table, hidden: frozenset[str]) -> pa.Table:
    """Rows without the fields that are hidden."""
    return rows.drop_columns([n for n in rows.column_names if n in hidden])
