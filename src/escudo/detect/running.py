"""Running detections over a catalog: one match each, in order, whatever becomes of the others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import pyarrow as pa

from escudo.content import Detection, Origin
from escudo.content.positions import relocate
from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.ordered_map import map_ordered
from escudo.core.timerange import TimeRange
from escudo.engines.execute import Engine, Result, run_search
from escudo.spl.effects import Effect

SOURCE_FILE, EVENT_ID = "source_file", "_event_id"

_LISTS = {SOURCE_FILE: pa.list_(pa.string()), EVENT_ID: pa.list_(pa.int64())}


@dataclass(frozen=True)
class Match:
    """What a detection found in one window.

    ``rows`` has the fields of the search as SPL names them. ``source_files`` and ``event_ids`` are
    lists beside it, one entry a row: the files and the ids of the events (at most 100) that made
    the row; null where a step of the search cannot tell. ``sid`` names the run. ``effects`` is
    what the search asks to be changed, which running it has not done.
    """

    detection: Detection
    rows: pa.Table
    source_files: pa.ChunkedArray
    event_ids: pa.ChunkedArray
    diagnostics: tuple[Diagnostic, ...]
    window: TimeRange
    now: float
    sid: str
    effects: tuple[Effect, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the search could not be run (there are no rows then), or written what it asks."""
        return any(d.severity is Severity.ERROR for d in self.diagnostics)

    def take(self, indices: pa.Array) -> Match:
        """The same match with some of its rows."""
        return replace(
            self,
            rows=self.rows.take(indices),
            source_files=self.source_files.take(indices),
            event_ids=self.event_ids.take(indices),
        )


def run(
    detections: Iterable[Detection],
    catalog: Catalog,
    engine: Engine,
    knowledge: Knowledge,
    *,
    within: TimeRange,
    now: float,
) -> Iterator[Match]:
    """Run detections; each gives one match, in order, also where it found nothing or failed.

    An error in one search (its code, place and advice) is in that match's diagnostics. Detections
    that are not enabled are left out. Several searches run at once, as the engine says; yet each
    sees what the consumer has carried out of the matches before it (``Match.effects``).
    """
    one = partial(
        run_one, catalog=catalog, engine=engine, knowledge=knowledge, within=within, now=now
    )
    enabled = [d for d in detections if d.enabled]
    yield from map_ordered(one, enabled, threads=engine.at_once, changes=lambda m: bool(m.effects))


def run_one(
    detection: Detection,
    catalog: Catalog,
    engine: Engine,
    knowledge: Knowledge,
    *,
    within: TimeRange,
    now: float,
) -> Match:
    """Run one detection, enabled or not; see ``run``."""
    result, problems = attempt(
        detection, catalog, engine, knowledge, within=within, now=now, provenance=True
    )
    table = pa.table({}) if result is None else result.table
    effects = () if result is None else result.compiled.effects
    return _match(detection, table, problems, within, now, effects)


class Searching(Protocol):
    """What has a search to run: a detection, a baseline."""

    @property
    def name(self) -> str: ...

    @property
    def search(self) -> str: ...

    @property
    def origin(self) -> Origin: ...


def attempt(
    element: Searching,
    catalog: Catalog,
    engine: Engine,
    knowledge: Knowledge,
    *,
    within: TimeRange,
    now: float,
    provenance: bool = False,
) -> tuple[Result | None, tuple[Diagnostic, ...]]:
    """The result of an element's search, None where it cannot be run, and what was found wrong.

    A fault in one search must not end the run of the others.
    """
    try:
        result = run_search(
            element.search,
            engine,
            catalog,
            knowledge,
            now=now,
            within=within,
            provenance=provenance,
            file=element.origin.file,
        )
    except EscudoError as error:
        problem = error.diagnostic
    except Exception as error:
        problem = Diagnostic(
            "DET001", f"{element.name}: {type(error).__name__}: {error}", source=element.search
        )
    else:
        return result, tuple(result.diagnostics)
    return None, (problem,)


def _match(
    detection: Detection,
    table: pa.Table,
    diagnostics: tuple[Diagnostic, ...],
    within: TimeRange,
    now: float,
    effects: tuple[Effect, ...],
) -> Match:
    provenance = {name: _provenance(table, name) for name in _LISTS}
    visible = [n for n in table.column_names if n not in _LISTS]
    return Match(
        detection,
        table.select(visible),
        provenance[SOURCE_FILE],
        provenance[EVENT_ID],
        tuple(relocate(d, detection.search) for d in diagnostics),
        within,
        now,
        search_id(detection, within, now),
        effects,
    )


def _provenance(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name in table.column_names:
        return table[name].cast(_LISTS[name])
    return pa.chunked_array([pa.nulls(table.num_rows, _LISTS[name])])


def search_id(detection: Detection, within: TimeRange, now: float) -> str:
    """The id of a run: the same detection over the same window at the same time has the same."""
    slug = re.sub(r"[^a-z0-9]+", "_", detection.name.lower()).strip("_")
    identity = f"{detection.id}|{detection.version}|{detection.search}|{within}"
    digest = hashlib.blake2b(identity.encode(), digest_size=4).hexdigest()
    return f"scheduler__escudo__{slug}_at_{now:.3f}_{digest}"
