"""A detection, what its search reads -> its rows, from SQL that an earlier run has written; called
by ``running`` for each of many.

To compile a search takes as long as an engine needs for a few rows, and what comes out depends on
the content, the tables and their narrow values alone (2026-11-30: 166 of 194 searches of a hunt,
a tenth of its processor time). A search that was run to be bound, that asks for the time or for a
change, is compiled each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from escudo.content import Detection
from escudo.core.catalog import Catalog, Knowledge
from escudo.core.disk_cache import DiskCache
from escudo.core.errors import Diagnostic
from escudo.core.schema import FieldType
from escudo.core.timerange import TimeRange
from escudo.detect.asked_knowledge import Asked, AskedKnowledge, still_holds
from escudo.engines.execute import Engine, Written, name_fields
from escudo.engines.noting import Held, NotingCatalog, NotingRunner
from escudo.spl import Effect, Scan
from escudo.spl.compile import Compiled, compile_search

MOST_BYTES = 1 << 20
"""Bytes of the tables of a search (lookups) that are kept with it."""

_KIND = "searches"


@dataclass(frozen=True)
class Found:
    """What a search gave: rows under the names of their fields."""

    rows: pa.Table
    diagnostics: tuple[Diagnostic, ...]
    effects: tuple[Effect, ...] = ()
    asked: Asked = ()


@dataclass(frozen=True, slots=True)
class _Kept:
    """A search as SQL, and what was so when it was compiled: it holds for as long as that is."""

    written: Written
    scans: tuple[Scan, ...]
    tables: Mapping[str, pa.Table]
    output: tuple[tuple[str, str, FieldType], ...]
    rest: str | None
    removed: frozenset[str]
    diagnostics: tuple[Diagnostic, ...]
    asked: Asked
    held: Held


class KeptSearches:
    """The searches over one catalog and all time that a cache has, and those that it gets.

    Several threads may run searches at once.

    Args:
        cache: where they are; without it nothing is kept.
        key: what tells the content and the tables from any others.
    """

    def __init__(self, cache: DiskCache | None = None, key: bytes = b"") -> None:
        self._cache = cache or DiskCache(None)
        self._key = key
        found = self._cache.find(_KIND, key)
        self._known: dict[str, _Kept] = found if isinstance(found, dict) else {}
        self._changed = False
        self._held: Held = {}

    def run(
        self,
        detection: Detection,
        engine: Engine,
        catalog: Catalog,
        knowledge: Knowledge,
        *,
        within: TimeRange,
        now: float,
        choose_engine: Callable[[Sequence[Scan]], Engine] | None = None,
    ) -> Found:
        """The rows of a detection's search; raises what ``engines.execute.run_search`` does.

        ``choose_engine`` may give another engine for what the search reads, subsearches aside that
        are run to bind it.
        """
        choose_engine = choose_engine or (lambda scans: engine)
        name = f"{detection.id}|{detection.origin.file}|{detection.search}"
        kept = self._known.get(name)
        if kept is not None and self._holds(kept, catalog, knowledge):
            chosen = choose_engine(kept.scans)
            rows = chosen.run_written(kept.written, kept.scans, kept.tables)
            return Found(name_fields(kept, rows), kept.diagnostics, asked=kept.asked)
        asked = AskedKnowledge(knowledge)
        noted = NotingCatalog(catalog)
        runner = NotingRunner(engine)
        compiled = compile_search(
            detection.search,
            noted,
            asked,
            now=now,
            within=within,
            runner=runner,
            provenance=True,
            file=detection.origin.file,
        )
        states = tuple(sorted(asked.states.items()))
        chosen = choose_engine(compiled.scans)
        lasting = not (runner.asked or compiled.of_this_time or compiled.effects)
        written = None
        if lasting and self._cache.folder is not None:
            written = engine.write(compiled.query, compiled.scans)
        if written is not None:
            self._keep(name, compiled, written, states, noted.held)
            rows = chosen.run_written(written, compiled.scans, compiled.tables)
        else:
            rows = chosen.run(compiled.query, compiled.scans, compiled.tables)
        return Found(name_fields(compiled, rows), compiled.diagnostics, compiled.effects, states)

    def close(self) -> None:
        """Puts what is new into the cache."""
        if self._changed:
            self._cache.keep(_KIND, self._key, self._known)
            self._changed = False

    def _holds(self, kept: _Kept, catalog: Catalog, knowledge: Knowledge) -> bool:
        """Whether all is as it was: lookups and models; which tables hold something."""
        if not still_holds(kept.asked, knowledge):
            return False
        for question, was in kept.held.items():
            if question not in self._held:
                self._held[question] = bool(catalog.files(*question))
            if self._held[question] != was:
                return False
        return True

    def _keep(
        self,
        name: str,
        compiled: Compiled,
        written: Written,
        asked: Asked,
        held: Held,
    ) -> None:
        if sum(t.nbytes for t in compiled.tables.values()) > MOST_BYTES:
            return
        self._known[name] = _Kept(
            written,
            compiled.scans,
            compiled.tables,
            compiled.output,
            compiled.rest,
            compiled.removed,
            compiled.diagnostics,
            asked,
            held,
        )
        self._changed = True
