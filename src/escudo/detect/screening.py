"""Detections, a catalog -> those that may find something in it; hunts ask before they run any.

What a search needs of the tables (``spl.compile.screen_search``) is asked of all detections in a
few scans of each table. A detection whose needs no row meets gives no row: it is not run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from sqlglot import exp

from escudo.content import Detection
from escudo.core.catalog import Catalog, CatalogView, Knowledge
from escudo.core.disk_cache import DiskCache
from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.event_log import ERROR, log_event
from escudo.core.ordered_map import map_in_order
from escudo.core.schema import FieldType, TableSchema
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.detect import observed
from escudo.detect.asked_knowledge import Asked, AskedKnowledge, KnownStates
from escudo.detect.attempt import attempt
from escudo.detect.kept_searches import KeptSearches
from escudo.detect.table_needs import LITTLE_BYTES, Asking, Columns, Sign, TableNeed, name_lower
from escudo.engines.execute import Engine
from escudo.spl import (
    Need,
    Terms,
    all_hold,
    ask_in_turn,
    case_when,
    column,
    is_false,
    is_true,
    list_operands,
    list_signs,
)
from escudo.spl.compile import Screening, screen_search
from escudo.storage import hold_at_most

CATEGORIES = ("dest_category", "src_category", "user_category")

NARROW = frozenset({*observed.NARROW, "action", "os", "vendor_product", *CATEGORIES})
"""Fields of few distinct values, beside those that are kept in lower case, too (names of programs,
files, registry values)."""


@dataclass(frozen=True)
class Screen:
    """What a detection needs: of each group of ``needs`` rows for one; without any group it has to
    be run to know.

    ``diagnostics`` are what binding it says. ``lasting``: it holds at another time, too.
    ``candidates``: it gives the same from the rows alone that meet one of these needs; None where
    other rows count, too. ``reads`` are the tables that it reads, each as often as it does.
    """

    needs: tuple[tuple[TableNeed, ...], ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    lasting: bool = True
    candidates: tuple[TableNeed, ...] | None = None
    reads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Screened:
    """What detections need, and how many rows of a window meet each need; ``counts`` is None where
    that could not be asked: then each is run, and says why."""

    screens: Sequence[Screen]
    counts: Mapping[TableNeed, int] | None

    @property
    def ruled_out(self) -> list[Screen | None]:
        """For each detection its screen, if it finds nothing; else None."""
        if self.counts is None:
            return [None] * len(self.screens)
        return [None if may_find(s, self.counts) else s for s in self.screens]


class Screener:
    """Rules out detections that find nothing, by what their searches need.

    What they need is kept, so that a search is bound once: here, and in a cache where ``key`` says
    what tells the content from any other.
    """

    def __init__(self, cache: DiskCache | None = None, key: bytes | None = None) -> None:
        self._cache = cache if cache is not None and key is not None else DiskCache(None)
        self._key = key or b""
        self._screens: dict[bytes, dict[str, _Kept]] = {}
        self._world: tuple[Sequence[TableSchema], str, bytes] | None = None

    def screen(
        self,
        detections: Sequence[Detection],
        catalog: Catalog,
        engine: Engine,
        knowledge: Knowledge,
        *,
        within: TimeRange,
        now: float,
    ) -> Screened:
        """What detections need of a window of a catalog, and how much of that is there.

        What they need of lookups that searches write is not asked, so it does not matter what
        others write.
        """
        filled = Filled.of(catalog)
        key = self._key + self._find_world(catalog, engine) + _digest(sorted(filled.tables))
        known = self._screens.get(key)
        if known is None:
            found = self._cache.find(_KIND, key)
            known = found if isinstance(found, dict) else {}
            self._screens = {key: known}  # those of a lake that had fewer tables are of no use
        states = KnownStates(knowledge)
        changed = False
        screens = []
        for detection in detections:
            name = f"{detection.id}|{detection.search}"
            kept = known.get(name)
            if kept is None or any(states.find(n) != was for n, was in kept.asked):
                asked = AskedKnowledge(knowledge)
                screen = screen_detection(detection, filled, engine, asked, now)
                kept = _Kept(screen, tuple(sorted(asked.states.items())))
                if screen.lasting:
                    known[name] = kept
                    changed = True
            screens.append(kept.screen)
        if changed:
            self._cache.keep(_KIND, key, known)
        ask = partial(count_needs, screens, catalog, engine, within)
        counts = attempt(ask, name="what all detections need")
        if isinstance(counts, Diagnostic):
            log_event("screening", level=ERROR, code=counts.code, problem=counts.message)
            return Screened(screens, None)
        return Screened(screens, counts)

    def keep_searches(
        self, catalog: Catalog, engine: Engine, within: TimeRange
    ) -> KeptSearches | None:
        """The kept searches over a catalog; None where nothing is kept.

        Only those of all time are: a window of a schedule never comes again, and what is kept of
        it would take the place of what does.
        """
        if self._cache.folder is None or within != ALL_TIME:
            return None
        return KeptSearches(self._cache, self._key + _digest_world(catalog, engine))

    def _find_world(self, catalog: Catalog, engine: Engine) -> bytes:
        """``_digest_world``, known for the same tables."""
        tables = catalog.raw_tables()
        known = self._world
        if known is None or known[0] is not tables or known[1] != engine.name:
            known = self._world = (tables, engine.name, _digest_world(catalog, engine))
        return known[2]


_KIND = "screens"


@dataclass(frozen=True, slots=True)
class _Kept:
    """A screen, and what the lookups and models were that its search asked for: it holds for as
    long as they are the same."""

    screen: Screen
    asked: Asked


def _digest_world(catalog: Catalog, engine: Engine) -> bytes:
    """What all screens depend on beside the content: tables, engine."""
    models = [(m, d, _list_parts(catalog.dataset(m, d))) for m, d in catalog.datasets()]
    return _digest((engine.name, [_list_parts(t) for t in catalog.raw_tables()], models))


def _digest(thing: object) -> bytes:
    return hashlib.blake2b(repr(thing).encode(), digest_size=16).digest()


def _list_parts(schema: TableSchema | None) -> tuple[object, ...]:
    """What a schema says, without what it has worked out from that meanwhile."""
    if schema is None:
        return ()
    values = sorted((name, sorted(known)) for name, known in schema.values.items())
    return schema.table, schema.columns, schema.rest, schema.constraint, values


@dataclass(frozen=True)
class Filled(CatalogView):
    """A catalog in which some tables have files of any time, and the others none."""

    tables: frozenset[str]

    @classmethod
    def of(cls, catalog: Catalog) -> Filled:
        """With the tables of raw events that have files. A search over all events is bound over
        these: a lake of one machine's logs has few of all the tables there are."""
        names = (schema.table for schema in catalog.raw_tables())
        return cls(catalog, frozenset(n for n in names if catalog.files(n, ALL_TIME)))

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        return (table,) if table in self.tables else ()


_WINDOW = TimeRange(0.0, 1.0)
"""Stands for the window of a hunt while searches are bound."""


_NEVER = "FALSE"


def screen_detection(
    detection: Detection, catalog: Filled, engine: Engine, knowledge: Knowledge, now: float
) -> Screen:
    """What a detection needs; one that cannot be bound has to be run, which says why."""
    try:
        found = screen_search(
            detection.search,
            catalog,
            knowledge,
            now=now,
            within=_WINDOW,
            file=detection.origin.file,
        )
        stored = {id(n): _store_need(n, engine) for group in found.needs for n in group}
    except (EscudoError, RecursionError):
        return Screen()
    # A need stands as often as its rows are taken: `append` of the same search doubles a count.
    kept = tuple(
        tuple(stored[id(n)] for n in group if stored[id(n)].condition != _NEVER)
        for group in found.needs
    )
    return Screen(
        kept,
        found.diagnostics,
        lasting=not found.of_this_time,
        candidates=tuple(chain.from_iterable(kept)) if _are_complete(found) else None,
        reads=tuple(scan.schema.table for scan in found.scans),
    )


def _are_complete(found: Screening) -> bool:
    """Whether the needs say of each read of a table, in the window of the hunt, which of its rows
    count."""
    needs = list(chain.from_iterable(found.needs))
    asked = {need.scan.name for need in needs}
    return all(need.complete and need.scan.within == _WINDOW for need in needs) and all(
        scan.name in asked for scan in found.scans
    )


def list_stored(schema: TableSchema) -> dict[str, FieldType | None]:
    """The stored columns of a table and their types, None for the rest map."""
    kinds: dict[str, FieldType | None] = {}
    for stored in schema.columns:
        if stored.physical is not None:
            kinds[stored.physical] = stored.type
        if stored.lower is not None:
            kinds[stored.lower] = FieldType.STRING
    if schema.rest is not None:
        kinds[schema.rest] = None
    return kinds


def _store_need(need: Need, engine: Engine) -> TableNeed:
    schema = need.scan.schema
    kinds = list_stored(schema)
    few: set[str] = set()
    for stored in schema.columns:
        if stored.lower is not None or stored.name in NARROW:
            few.update(n for n in (stored.physical, stored.lower) if n is not None)
    bare = Terms(frozenset(kinds), barred=engine.slow_functions, thorough=need.scan.thorough)
    known = bare.relax(all_hold(need.conditions))
    on_few = replace(bare, stored=frozenset(few))
    narrow = on_few.relax(known)
    # Behind WHEN the condition is asked of the rows only that the narrow columns leave.
    condition = ask_in_turn(known.copy())
    if not is_true(narrow) and narrow != known:
        parts = list_operands(known) if isinstance(known, exp.And) else [known]
        wide = [part for part in parts if on_few.relax(part) != part]
        turns = (narrow.copy(), ask_in_turn(all_hold(wide).copy()))
        condition = case_when(turns, otherwise=exp.false())

    def columns_of(sql: exp.Expression) -> Columns:
        read = {c.name for c in sql.find_all(exp.Column)} & kinds.keys()
        return tuple((n, kinds[n]) for n in sorted(read))

    lowered: dict[str, None] = {}

    def lower(node: exp.Expression) -> exp.Expression:
        name = node.this.name if isinstance(node, exp.Lower) else None
        if name is None or not isinstance(node.this, exp.Column) or name not in kinds:
            return node
        lowered[name] = None
        return column(name_lower(name))

    counted = condition.transform(lower)
    choices = list_signs(known) if engine.seeks_many else ()
    signs = ([Sign.store(sign, engine) for sign in choice] for choice in choices)
    return TableNeed(
        table=schema.table,
        windowed=need.scan.within == _WINDOW,
        condition=_NEVER if is_false(known) else engine.fragment(condition),
        columns=columns_of(condition),
        narrow=engine.fragment(narrow),
        narrow_columns=columns_of(narrow),
        counted=engine.fragment(counted),
        lowered=tuple(lowered),
        least=need.least,
        choices=tuple(tuple(filter(None, some)) for some in signs if None not in some),
    )


def may_find(screen: Screen, counts: Mapping[TableNeed, int]) -> bool:
    """Whether what a screen is of may find something where so many rows meet each need."""

    def is_met(group: Sequence[TableNeed]) -> bool:
        rows = sum(counts[need] for need in group)
        return rows >= min((need.least for need in group), default=1)

    return all(map(is_met, screen.needs))


def count_needs(
    screens: Sequence[Screen], catalog: Catalog, engine: Engine, within: TimeRange
) -> dict[TableNeed, int]:
    """How many rows of a window meet each need of some screens; of one that very many meet, about
    how many."""
    by_table: dict[tuple[str, bool], dict[TableNeed, int]] = {}
    for screen in screens:
        for need in chain.from_iterable(screen.needs):
            by_table.setdefault((need.table, need.windowed), {})[need] = 0
    counts = {need: 0 for needs in by_table.values() for need in needs}

    def ask(of: tuple[str, bool]) -> dict[TableNeed, int]:
        name, windowed = of
        window = within if windowed else ALL_TIME
        files = catalog.files(name, window)
        asked = Asking(name, window, engine, is_little=hold_at_most(LITTLE_BYTES, files))
        return asked.count(list(by_table[of])) if files else {}

    for met in map_in_order(ask, list(by_table), threads=engine.at_once):
        counts |= met
    return counts
