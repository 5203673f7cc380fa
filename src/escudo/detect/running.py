"""Detections, a catalog -> one match each, in order, whatever becomes of the others; called by
actions and by the detections' own tests."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from tempfile import TemporaryDirectory

import pyarrow as pa

from escudo.content import Detection
from escudo.content.positions import relocate
from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic, Severity
from escudo.core.event_log import log_event
from escudo.core.ordered_map import map_in_order
from escudo.core.timerange import TimeRange
from escudo.detect.asked_knowledge import Asked, still_holds
from escudo.detect.attempt import attempt
from escudo.detect.candidates import Candidates, gather_candidates
from escudo.detect.kept_searches import KeptSearches
from escudo.detect.observed import observe
from escudo.detect.screening import Screen, Screener
from escudo.engines.execute import Engine
from escudo.spl import Effect

FEWEST_SCREENED = 4
"""Detections for which it pays to ask the tables first."""

ROWS_AT_ONCE = 8_192
"""Rows of the parts of a match."""

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
    asked: Asked | None = None
    """What its search asked for of what searches can write; None where that is not known."""
    times: pa.ChunkedArray | None = None
    """When the events of each row were (the last of them), in epoch seconds, where that counts and
    not when the search ran; null where it is not known."""
    ruled_out: Screen | None = None
    """What the search needs, if nothing met it and so it was not run."""
    seconds: float = 0.0
    """How long its search took."""

    @property
    def failed(self) -> bool:
        """Whether the search could not be run (there are no rows then), or written what it asks."""
        return any(d.severity is Severity.ERROR for d in self.diagnostics)

    def is_stale(self, knowledge: Knowledge) -> bool:
        """Whether what its search asked for may be other than it was then."""
        return self.asked is None or not still_holds(self.asked, knowledge)

    def take(self, indices: pa.Array) -> Match:
        """The same match with some of its rows."""
        return replace(
            self,
            rows=self.rows.take(indices),
            source_files=self.source_files.take(indices),
            event_ids=self.event_ids.take(indices),
            times=None if self.times is None else self.times.take(indices),
        )

    def cut(self) -> Iterator[Match]:
        """The same match in parts of some thousand rows: who makes objects of rows goes from part
        to part, so that few are in memory."""
        for start in range(0, self.rows.num_rows, ROWS_AT_ONCE):
            yield self.slice(start, ROWS_AT_ONCE)

    def slice(self, start: int, length: int) -> Match:
        """The same match with a stretch of its rows, none of them copied."""
        return replace(
            self,
            rows=self.rows.slice(start, length),
            source_files=self.source_files.slice(start, length),
            event_ids=self.event_ids.slice(start, length),
            times=None if self.times is None else self.times.slice(start, length),
        )


def run_detections(
    detections: Iterable[Detection],
    catalog: Catalog,
    engine: Engine,
    knowledge: Knowledge,
    *,
    within: TimeRange,
    now: float,
    screener: Screener | None = None,
) -> Iterator[Match]:
    """Run detections; each gives one match, in order, also where it found nothing or failed.

    An error in one search (its code, place and advice) is in that match's diagnostics. Detections
    that are not enabled are left out. Several searches run at once, as the engine says; yet each
    sees what the consumer has carried out of the matches before it (``Match.effects``).

    ``screener``: those that can find nothing there are not run (``detect.screening``).
    """
    chosen = [d for d in detections if d.enabled]
    ruled_out: Sequence[Screen | None] = [None] * len(chosen)
    kept: KeptSearches | None = None
    candidates: Candidates | None = None
    with ExitStack() as used:

        def make_folder() -> str:
            return used.enter_context(TemporaryDirectory(prefix="escudo-candidates-"))

        if screener is not None and len(chosen) >= FEWEST_SCREENED:
            screened = screener.screen(chosen, catalog, engine, knowledge, within=within, now=now)
            ruled_out = screened.ruled_out
            if ruled_out.count(None) >= FEWEST_SCREENED:
                catalog = observe(catalog, engine)
                kept = screener.keep_searches(catalog, engine, within)
                candidates = gather_candidates(
                    chosen, screened, catalog, engine, within=within, make_folder=make_folder
                )
        run_one = partial(
            run_detection,
            catalog=catalog,
            engine=engine,
            knowledge=knowledge,
            within=within,
            now=now,
            kept=kept,
            candidates=candidates,
        )
        matches = map_in_order(
            run_one,
            [d for d, screen in zip(chosen, ruled_out, strict=True) if screen is None],
            threads=engine.at_once,
            changes=lambda match: bool(match.effects),
            is_stale=lambda match: match.is_stale(knowledge),
        )
        for detection, screen in zip(chosen, ruled_out, strict=True):
            if screen is None:
                yield next(matches)
            else:
                said = screen.diagnostics
                match = make_match(detection, pa.table({}), said, within=within, now=now)
                yield replace(match, ruled_out=screen)
    if kept is not None:
        kept.close()


def run_detection(
    detection: Detection,
    catalog: Catalog,
    engine: Engine,
    knowledge: Knowledge,
    *,
    within: TimeRange,
    now: float,
    kept: KeptSearches | None = None,
    candidates: Candidates | None = None,
) -> Match:
    """Run one detection, enabled or not; see ``run_detections``."""
    kept = kept or KeptSearches()
    choose_engine = None
    if candidates is not None:
        choose_engine = partial(candidates.choose_engine, detection, engine)
    search = partial(
        kept.run,
        detection,
        engine,
        catalog,
        knowledge,
        within=within,
        now=now,
        choose_engine=choose_engine,
    )
    begun = time.monotonic()
    outcome = attempt(search, name=detection.name, source=detection.search)
    seconds = round(time.monotonic() - begun, 3)
    if isinstance(outcome, Diagnostic):
        log_event("detection", name=detection.name, error=outcome.code, seconds=seconds)
        failed = make_match(detection, pa.table({}), (outcome,), within=within, now=now)
        return replace(failed, seconds=seconds)
    log_event("detection", name=detection.name, rows=outcome.rows.num_rows, seconds=seconds)
    match = make_match(
        detection,
        outcome.rows,
        outcome.diagnostics,
        within=within,
        now=now,
        effects=outcome.effects,
    )
    return replace(match, asked=outcome.asked, seconds=seconds)


def make_match(
    detection: Detection,
    table: pa.Table,
    diagnostics: tuple[Diagnostic, ...],
    *,
    within: TimeRange,
    now: float,
    effects: tuple[Effect, ...] = (),
) -> Match:
    """What a search has found as a match; ``table`` has what proves the rows, too."""
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
