"""SPL, a lake -> rows, and what the search writes; called by ``escudo search``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa

from escudo.actions.workspace import Workspace
from escudo.core.errors import Diagnostic
from escudo.engines.execute import run_compiled, stream_compiled
from escudo.lake.effects import Change, carry_out
from escudo.spl.compile import compile_search

_INTERNAL = ("_event_id", "source_file", "_key")


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchOptions:
    """How a search runs.

    Args:
        streamed: gives the rows as they are found, so that they need not fit into memory; fields
            that only some events have are then known when those come.
        may_delete: whether ``delete`` takes the events that it finds out of the lake.
        may_write_internal: whether ``collect`` may write to indexes that begin with ``_``.
        job: keeps the results under this name, for ``loadjob``; then they are not streamed.
    """

    streamed: bool = False
    may_delete: bool = False
    may_write_internal: bool = False
    job: str | None = None


@dataclass(frozen=True)
class FoundRows:
    """What a search gave. ``fields`` are those of the first table; ``tables`` can be read once,
    while the lake is open; ``changes`` is what the search has written."""

    fields: tuple[str, ...]
    tables: Iterator[pa.Table]
    changes: tuple[Change, ...]


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
        within=workspace.within,
        runner=engine,
    )
    tell(compiled.diagnostics)
    if options.streamed and options.job is None:
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
    first = _visible(first)
    if options.job is not None:
        workspace.lake.artifacts.keep_job(options.job, first)
    rest = chain([first], map(_visible, tables))
    return FoundRows(tuple(first.column_names), rest, changes)


def _visible(rows: pa.Table) -> pa.Table:
    """The rows without the columns that are Escudo's own."""
    return rows.drop_columns([n for n in _INTERNAL if n in rows.column_names])
