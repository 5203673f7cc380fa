"""SPL, a lake -> rows as they are found, the newest first, and how far the search is; called by
the server's processes.

``search_lake`` gives the rows of a search that runs to its end. Here somebody waits for the first
of them, and may stop: where no row depends on others, or only so many of the first are asked for,
the search runs over one stretch of time after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import partial
from typing import TypeAlias

import pyarrow as pa

from escudo.actions.joined_tables import join_tables
from escudo.actions.search import find_hidden, leave_out
from escudo.actions.workspace import EngineOf
from escudo.core.catalog import Knowledge
from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.engines.execute import Engine, count_by_time, stream_whole
from escudo.lake import Lake
from escudo.lake.effects import Change, carry_out
from escudo.lake.snapshot import Snapshot
from escudo.lake.stretches import Stretches
from escudo.spl import Deletion, LookupOutput
from escudo.spl.compile import Compiled, EventsPart, compile_search, find_events_part

FIRST_ROWS = 2_000
"""Stored events of the first stretch: a page is a hundred."""

PAGE_ROWS = 100
"""Rows of the first page."""

_NARROW = "_time, _raw, host, source, sourcetype, index"
"""What every event has, and a list of events shows."""

GROWTH = 6
"""How much longer a stretch is than the one before it, at most."""

MOST_STORED = 2_000_000
"""Stored events of one stretch at most; it is also what is lost when a search is cancelled."""

STRETCH_FOUND = 20_000
"""Events that are to be found in one stretch: an engine sorts them in memory, with all their
fields."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rights:
    """What a search may change: ``write`` lookups, models, indexes; ``delete`` events. Lookups that
    are ``sealed`` it may read alone, whoever asks: their rows are kept elsewhere."""

    write: bool = False
    delete: bool = False
    sealed: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class SearchSetting:
    """What a search works with. ``knowledge`` is what it sees; ``definitions`` are those of the
    content, by which the lookups that it writes are laid out. ``now`` is in epoch seconds."""

    lake: Lake
    knowledge: Knowledge
    definitions: Knowledge
    engine_of: EngineOf
    now: float
    within: TimeRange = ALL_TIME
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Step:
    """Rows, or none; ``done`` is the part of the work that is done (0 to 1).

    ``brief``: of each row only some fields, and the rows come again. ``anew``: these rows are in
    place of all that were brief.
    """

    rows: pa.Table | None
    done: float
    brief: bool = False
    anew: bool = False


@dataclass
class LiveSearch:
    """A search that is under way. ``steps`` gives its rows, some at a time, and can be read once,
    while the lake is open.

    ``by_event``: its rows are its events. ``cut``, once the steps have been read: there are more
    rows than were asked for.
    """

    diagnostics: tuple[Diagnostic, ...]
    changes: tuple[Change, ...]
    by_event: bool
    steps: Iterator[Step]
    cut: bool = field(default=False)


def search_live(
    text: str, setting: SearchSetting, *, most: int, rights: Rights, brief: bool = True
) -> LiveSearch:
    """Begins a search: what it asks to be written is written when this returns.

    Args:
        most: rows at most.
        brief: whether the rows of the first page may come with some of their fields first.

    Raises:
        EscudoError: LAK026 where it asks for a change without the right, and then nothing is
            changed; what the language, the engine or the lake says. The steps raise so, too.
    """
    part = find_events_part(
        text, setting.knowledge, now=setting.now, zone=setting.zone, within=setting.within
    )
    if part is not None and (part.whole or part.first is not None):
        return _search_events(text, part, setting, most=most, brief=brief and not part.closed)
    snapshot = setting.lake.snapshot()
    engine = setting.engine_of(snapshot)
    compiled = _compile(text, setting, snapshot, engine=engine)
    _check_rights(compiled, rights)
    changes = carry_out(
        compiled.effects,
        setting.lake,
        setting.definitions,
        search=f"{setting.now:.3f}",
        may_delete=rights.delete,
    )
    hidden = find_hidden(compiled)
    steps = (Step(leave_out(rows, hidden), 0.0) for rows in stream_whole(compiled, engine))
    found = LiveSearch(compiled.diagnostics, changes, False, iter(()))
    found.steps = _keep_first(steps, found, most=most, asked=None)
    return found


def _search_events(
    text: str, part: EventsPart, setting: SearchSetting, *, most: int, brief: bool
) -> LiveSearch:
    """A search for events, over one stretch of time after the other.

    A search for whole events is as wide as all fields together, and an engine plans that for a
    second and more (2026-11: 288 fields of two tables). So the first page comes by its narrow
    fields alone, and again with all. Each stretch is bound anew, since over few events only their
    fields are bound (``keep_present``).
    """
    snapshot = setting.lake.snapshot()
    engine = setting.engine_of(snapshot)
    tables = [schema.table for schema in snapshot.raw_tables()]
    stretches = Stretches(snapshot, tables, part.within)
    wanted = most if part.first is None else min(most, part.first)

    def run(search: str, between: TimeRange) -> Iterator[pa.Table]:
        compiled = _compile(search, setting, snapshot, engine=engine, between=between)
        hidden = find_hidden(compiled)
        for rows in stream_whole(compiled, engine):
            yield leave_out(rows, hidden)

    nothing = TimeRange(0.0, 0.0)
    try:
        begun = _compile(
            f"{part.text} | fields {_NARROW}", setting, snapshot, engine=engine, between=nothing
        )
    except EscudoError:
        _compile(
            text, setting, snapshot, engine=engine
        )  # its error tells the place in what was typed
        raise
    found = LiveSearch(begun.diagnostics, (), part.first is None, iter(()))
    show = partial(_show_wide, wanted=wanted) if brief else _show
    found.steps = _keep_first(show(run, part.text, stretches), found, most=wanted, asked=part.first)
    return found


_Run: TypeAlias = Callable[[str, TimeRange], Iterator[pa.Table]]


def _show(
    run: _Run, search: str, stretches: Stretches, *, size: float = FIRST_ROWS
) -> Iterator[Step]:
    """The rows of each stretch; after one with few the next is longer."""
    while (taken := stretches.take(size)) is not None:
        rows = 0
        for batch in run(search, taken):
            rows += batch.num_rows
            yield Step(batch, stretches.done)
        yield Step(None, stretches.done)
        fitting = size * STRETCH_FOUND / max(1, rows)
        size = min(size * GROWTH, max(fitting, FIRST_ROWS), MOST_STORED)


def _show_wide(run: _Run, search: str, stretches: Stretches, *, wanted: int) -> Iterator[Step]:
    """The same; before it the first page by its narrow fields alone."""
    page: list[pa.Table] = []
    size, end = float(FIRST_ROWS), stretches.end
    while sum(rows.num_rows for rows in page) < min(wanted, PAGE_ROWS):
        taken = stretches.take(size)
        if taken is None:
            break
        for batch in run(f"{search} | fields {_NARROW} | head {wanted}", taken):
            page.append(batch)
            yield Step(batch, stretches.done, brief=True)
        yield Step(None, stretches.done)
        size = min(size * GROWTH, MOST_STORED)
    if any(rows.num_rows for rows in page):
        shown = TimeRange(stretches.end, end)
        whole = join_tables([*run(f"{search} | head {wanted}", shown)])
        yield Step(whole, stretches.done, anew=True)
    yield from _show(run, search, stretches, size=max(FIRST_ROWS, size / GROWTH))


def _compile(
    text: str,
    setting: SearchSetting,
    snapshot: Snapshot,
    *,
    engine: Engine | None,
    between: TimeRange = ALL_TIME,
) -> Compiled:
    return compile_search(
        text,
        snapshot,
        setting.knowledge,
        now=setting.now,
        zone=setting.zone,
        within=setting.within,
        runner=engine,
        between=between,
    )


def _check_rights(compiled: Compiled, rights: Rights) -> None:
    writes = [e for e in compiled.effects if not isinstance(e, Deletion)]
    if writes and not rights.write:
        raise EscudoError("LAK026", "the search would write, and nothing was changed")
    for effect in writes:
        if isinstance(effect, LookupOutput) and effect.lookup in rights.sealed:
            raise EscudoError(
                "LAK026",
                f"{effect.lookup} is a collection of the KV store, and nothing was changed",
                hint="write to a lookup of another name, or to the collection by REST",
            )
    if not rights.delete and len(writes) < len(compiled.effects):
        raise EscudoError("LAK026", "the search would delete events, and nothing was changed")


def _keep_first(
    steps: Iterator[Step], found: LiveSearch, *, most: int, asked: int | None
) -> Iterator[Step]:
    """The first so many rows; where more were asked for than are given, the search is cut."""
    left = most
    for step in steps:
        left = most if step.anew else left
        rows = step.rows
        if rows is None:
            yield step
            continue
        if rows.num_rows > left:
            rows = rows.slice(0, left)
            found.cut = asked is None or asked > most
        left -= rows.num_rows
        yield replace(step, rows=rows)
        if left == 0 and not step.brief and (found.cut or asked is not None):
            return


def count_events(text: str, setting: SearchSetting, *, buckets: int) -> tuple[int, pa.Table] | None:
    """How many events a search finds, over the time.

    Returns:
        The seconds of a bucket, and a table of ``bucket`` (its first second) and ``n``; at most so
        many buckets. None for a search that does not begin with events.

    Raises:
        EscudoError: as ``search_live``.
    """
    part = find_events_part(
        text, setting.knowledge, now=setting.now, zone=setting.zone, within=setting.within
    )
    if part is None:
        return None
    snapshot = setting.lake.snapshot()
    engine = setting.engine_of(snapshot)
    # The last fields are those that are shown: without them the search is as narrow as its filters.
    compiled = _compile(f"{part.text} | fields _time", setting, snapshot, engine=engine)
    if compiled.arrival is None or compiled.effects:
        return None
    tables = [scan.schema.table for scan in compiled.scans]
    span = choose_span(_find_extent(snapshot, tables, part.within), buckets)
    return span, count_by_time(compiled, engine, span)


def _find_extent(snapshot: Snapshot, tables: Sequence[str], within: TimeRange) -> float:
    """The seconds between the first and the last moment that there can be events of."""
    files = [f for table in tables for f in snapshot.data_files(table)]
    low = [f.low / 1e6 for f in files if f.low is not None]
    high = [f.high / 1e6 for f in files if f.high is not None]
    begin = max([*([min(low)] if low else []), *_given(within.earliest)], default=0.0)
    end = min([*([max(high)] if high else []), *_given(within.latest)], default=begin)
    return max(0.0, end - begin)


def _given(moment: float | None) -> list[float]:
    return [] if moment is None else [moment]


SPANS = (1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 43_200, 86_400, 604_800, 2_592_000)
"""The widths of buckets, in seconds."""


def choose_span(seconds: float, buckets: int) -> int:
    """The least width by which some seconds make at most so many buckets.

    >>> choose_span(3600, 100), choose_span(86_400, 100), choose_span(0, 100)
    (60, 1800, 1)
    """
    return next((s for s in SPANS if seconds / s <= buckets - 1), SPANS[-1])
