"""Text of a search -> a query that an engine can run; every search begins here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from functools import partial
from itertools import takewhile

import pyarrow as pa
from sqlglot import exp

from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.spl.binding.batchwise import find_obstacle
from escudo.spl.binding.binder import Binder, storable
from escudo.spl.binding.declaration import DeclaredCommand, Reads
from escudo.spl.binding.effects import Effect
from escudo.spl.binding.present_columns import keep_present
from escudo.spl.binding.runner import Runner
from escudo.spl.binding.time_bounds import split_modifiers
from escudo.spl.commands.head import MOST_ROWS, Head
from escudo.spl.commands.search import Search
from escudo.spl.operators.ruled_events import add_ruled_fields
from escudo.spl.parse import parse_expanded
from escudo.spl.relation.clock import Clock
from escudo.spl.relation.final_query import Output, select_fields
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.scans import Needs, Scan
from escudo.spl.relation.time_modifiers import time_range
from escudo.spl.syntax.ast import CommandNode, Pipeline
from escudo.spl.syntax.nesting import bound_nesting

EVIDENCE_FIELDS = ("_event_id", "source_file")
"""With provenance, the fields of a result row that hold its events and their files."""


@dataclass(frozen=True)
class Compiled:
    """A search that is ready to run.

    ``query`` has the columns ``output`` names by (SPL name, SQL identifier, type), and the rest
    map ``rest`` if the result may have fields beyond them; keys of it that ``output`` or
    ``removed`` names are not to be shown. ``tables`` are the Arrow tables it reads by name, next
    to the ``scans``. ``deferred`` says what could not be decided without running; ``effects`` is
    what the search asks to be changed (lookups and events to write), which the caller does.
    ``arrival`` is the time of the query's rows, newest first, if they can be read stretch by
    stretch: no row depends on others. ``of_this_time``: it holds a time counted from ``now``.
    """

    query: exp.Select
    output: Output
    scans: tuple[Scan, ...]
    tables: Mapping[str, pa.Table]
    pipeline: Pipeline
    diagnostics: tuple[Diagnostic, ...]
    rest: str | None = None
    removed: frozenset[str] = frozenset()
    deferred: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    arrival: exp.Expression | None = None
    of_this_time: bool = False


@bound_nesting
def compile_search(
    text: str,
    catalog: Catalog,
    knowledge: Knowledge,
    *,
    now: float,
    zone: tzinfo = UTC,
    within: TimeRange = ALL_TIME,
    runner: Runner | None = None,
    provenance: bool = False,
    prune: bool = True,
    file: str | None = None,
    between: TimeRange = ALL_TIME,
) -> Compiled:
    """Compile a search as it stands.

    ``now`` (epoch seconds) is what relative times count from, ``zone`` the time zone whose days
    spans, snaps and formats of times are about; ``within`` is the time range that
    holds where the search has none of its own; ``runner`` runs what must be known while binding.
    With ``provenance`` every row has ``_event_id`` (at most 100 event ids) and ``source_file``
    (the distinct files) of the events that made it, where commands can carry them. Without
    ``prune`` commands that work on all fields at once get all, not only those that are asked for
    later: the rows are the same, and it takes longer. ``between`` is the part of its time that
    events are read of, also where the search has times of its own. Raises ``EscudoError``
    (``SPL...``) that points into the text.
    """
    binder = Binder(
        catalog=catalog,
        knowledge=knowledge,
        clock=Clock(now, zone),
        within=within,
        parse=partial(parse_expanded, knowledge=knowledge, file=file),
        runner=runner,
        provenance=provenance,
        dress=add_ruled_fields,
        prune=prune,
        between=between,
    )
    try:
        pipeline = binder.parse(text)
        relation = binder.pipeline(pipeline)
        return _finish(relation, pipeline, binder)
    except EscudoError as error:
        raise error.located(source=text) from None


@dataclass(frozen=True)
class Screening:
    """What can be said of a search without running any of it.

    Where no row is there for one group of ``needs``, the search gives none and asks for no change;
    without any group it has to be run. ``of_this_time``: they hold a time counted from ``now``.
    ``scans`` are its reads of tables.
    """

    needs: Needs
    diagnostics: tuple[Diagnostic, ...]
    of_this_time: bool
    scans: tuple[Scan, ...] = ()


def screen_search(
    text: str,
    catalog: Catalog,
    knowledge: Knowledge,
    *,
    now: float,
    zone: tzinfo = UTC,
    within: TimeRange = ALL_TIME,
    file: str | None = None,
    thorough: bool = False,
) -> Screening:
    """What a search needs of the tables; see ``compile_search`` for arguments and errors.

    With ``thorough`` it says also which computed fields rows must have; a hunt, which asks that of
    every row, does not.
    """
    binder = Binder(
        catalog=catalog,
        knowledge=knowledge,
        clock=Clock(now, zone),
        within=within,
        parse=partial(parse_expanded, knowledge=knowledge, file=file),
        screening=True,
        thorough=thorough,
        dress=add_ruled_fields,
    )
    try:
        relation = binder.pipeline(binder.parse(text))
    except EscudoError as error:
        raise error.located(source=text) from None
    needs = () if binder.writers else relation.needs()
    scans = tuple(relation.scans())
    return Screening(needs, tuple(binder.diagnostics), binder.clock.was_read, scans)


def find_batch_obstacle(
    text: str, knowledge: Knowledge, *, file: str | None = None
) -> Diagnostic | None:
    """Why a search cannot be run over each batch of events as it comes; None where it can.

    Of all batches together it then finds the same rows or groups as of all events at once; sums
    such as a count are those of a batch. Raises what ``parse_expanded`` raises.
    """
    command = find_obstacle(parse_expanded(text, knowledge, file=file))
    if command is None:
        return None
    message = f"'{command.name}' looks at events of other batches"
    return Diagnostic("SPL331", message, Severity.INFO, command.span, source=text)


@dataclass(frozen=True)
class EventsPart:
    """The commands of a search that begin it and look at one event at a time, as text; ``within``
    is the time that they read.

    ``first``: with the commands that follow, it is these events in their order, so many at most,
    and nothing else; None where the rest of the search is something else. ``whole``: there is no
    rest. ``closed``: it names the fields that it shows.
    """

    text: str
    within: TimeRange
    whole: bool
    first: int | None = None
    closed: bool = False


def find_events_part(
    text: str,
    knowledge: Knowledge,
    *,
    now: float,
    zone: tzinfo = UTC,
    within: TimeRange = ALL_TIME,
) -> EventsPart | None:
    """What of a search finds its events; None where it begins with rows of another kind.

    ``head`` between commands that make one row of each row can as well come last, so it only says
    how many rows are asked for. Raises what ``parse_expanded`` raises.
    """
    commands = parse_expanded(text, knowledge).commands
    first = commands[0]
    if not isinstance(first, Search):
        return None
    _, modifiers = split_modifiers(first.expr)
    if modifiers:
        within = time_range(modifiers, now, zone)
    events = [*takewhile(_is_row_wise, commands)]
    if not events:
        return None
    part = Pipeline(tuple(events)).format()
    closed = any(map(_closes_schema, events))
    rest = commands[len(events) :]
    if not rest:
        return EventsPart(part, within, whole=True, closed=closed)
    head, after = rest[0], rest[1:]
    if isinstance(head, Head) and head.while_ is None and all(map(_is_one_to_one, after)):
        moved = Pipeline((*events, *after)).format()
        most = MOST_ROWS if head.limit is None else head.limit
        closed = closed or any(map(_closes_schema, after))
        return EventsPart(moved, within, whole=False, first=most, closed=closed)
    return EventsPart(part, within, whole=False)


def _closes_schema(command: CommandNode) -> bool:
    return isinstance(command, DeclaredCommand) and command.declaration().closes_schema


def _is_row_wise(command: CommandNode) -> bool:
    if not isinstance(command, DeclaredCommand) or find_obstacle(Pipeline((command,))) is not None:
        return False
    declared = command.declaration()
    return declared.row_by_row or declared.filters


def _is_one_to_one(command: CommandNode) -> bool:
    return (
        isinstance(command, DeclaredCommand)
        and _is_row_wise(command)
        and not command.declaration().filters
        and command.declaration().reads is Reads.NAMED  # else it may look at all rows' fields
    )


def _finish(relation: Relation, pipeline: Pipeline, binder: Binder) -> Compiled:
    """The final projection, in the rows' order, with what proves them."""
    for name, expr in relation.traits.formats:
        if relation.bound(name) is not None:
            shown = storable(binder.evaluate(expr, relation))
            relation = relation.extend([(name, shown)], binder.names)
    relation = keep_present(relation, binder)
    query, output = select_fields(relation, binder.names, EVIDENCE_FIELDS)
    scans = {s.name: s for s in relation.scans()}
    return Compiled(
        query=query,
        output=output,
        scans=tuple(replace(s, columns=dict(s.columns)) for s in scans.values()),
        tables=dict(binder.tables),
        pipeline=pipeline,
        diagnostics=tuple(binder.diagnostics),
        rest=relation.rest,
        removed=relation.removed,
        deferred=tuple(binder.deferred),
        effects=tuple(binder.effects),
        arrival=relation.arrival if relation.row_wise else None,
        of_this_time=binder.clock.was_read,
    )
