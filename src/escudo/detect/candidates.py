"""Detections that need few rows of a large table -> those rows in a small file that they read
instead; ``running`` asks, after the screening.

Each search would go through the whole table for the few rows that it can be made of. One query
finds those of many. Where other machines read the tables, what is left of these searches runs in
this process, and so do those of small tables: no job of theirs is planned for a few rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from escudo.content import Detection
from escudo.core.catalog import Catalog, CatalogView
from escudo.core.schema import FieldType
from escudo.core.timerange import TimeRange
from escudo.detect.screening import Screen, Screened, list_stored
from escudo.detect.table_needs import TableNeed, inside, make_scan
from escudo.engines.execute import Engine
from escudo.spl import Scan, any_holds, select, table
from escudo.storage import find_size

LEAST_BYTES = 16 << 20
"""Bytes of the files of a table from which on its candidates are put apart: a smaller one is read
through in some hundredths of a second."""

MOST_ROWS = 20_000
"""Candidates of a detection in a table; with more it reads the table itself."""

MOST_TOGETHER = 100_000
"""Candidates in a file, counted for each detection: they are in memory while it is written."""

FEWEST = 12
"""Detections for which it pays to look for the candidates of a table, which is one read of all its
columns (2026-11-30, a million events: 2 s for 39 detections that took 10 and take 2; 4 s for 7 of a
wide table that took 1)."""


@dataclass(frozen=True)
class _Narrowed(CatalogView):
    """A catalog whose large tables have, in a window, the candidates alone."""

    within: TimeRange
    paths: Mapping[str, str]

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        path = self.paths.get(table) if within == self.within else None
        return self.catalog.files(table, within) if path is None else (path,)


@dataclass(frozen=True)
class Candidates:
    """Engines for searches: ``narrow`` reads the candidates of large tables alone, in this process,
    for the detections of ``reads``, whose searches read these tables."""

    narrow: Engine
    reads: Mapping[str, Counter[str]]

    def choose_engine(self, detection: Detection, engine: Engine, scans: Sequence[Scan]) -> Engine:
        """The engine for a detection's search that reads these scans; the one given where it may
        need other rows than the candidates."""
        known = self.reads.get(detection.id)
        read = Counter(scan.schema.table for scan in scans)
        return self.narrow if known is not None and read <= known else engine


def gather_candidates(
    detections: Sequence[Detection],
    screened: Screened,
    catalog: Catalog,
    engine: Engine,
    *,
    within: TimeRange,
    make_folder: Callable[[], str],
) -> Candidates | None:
    """The candidates of detections in files of a folder, which is made for them; None where it does
    not pay."""
    counts = screened.counts
    if counts is None:
        return None
    large = _find_large(screened.screens, catalog, within)
    chosen = _choose(detections, screened, counts, large)
    often = Counter(
        name for _, screen in chosen for name in {n.table for n in _list_needs(screen, large)}
    )
    shared = {name for name, detected in often.items() if detected >= FEWEST}
    if engine.is_spread:
        chosen = [(d, s) for d, s in chosen if shared.issuperset(large.intersection(s.reads))]
        chosen += _find_small(detections, screened, large)
    elif not shared:
        return None
    paths: dict[str, str] = {}
    narrow = engine.over_few_rows(_Narrowed(catalog, within, paths)) if chosen else None
    if narrow is None:
        return None
    asked = dict.fromkeys(chain.from_iterable(_list_needs(s, shared) for _, s in chosen))
    columns = _find_columns(catalog)
    folder = Path(make_folder())
    for name in sorted({n.table for n in asked}):
        scan = make_scan(name, within, columns[name])
        path = folder / f"{name}.parquet"
        pq.write_table(_read([n for n in asked if n.table == name], scan, engine), path)
        paths[name] = str(path)
    return Candidates(narrow, {d.id: Counter(screen.reads) for d, screen in chosen})


def _choose(
    detections: Sequence[Detection],
    screened: Screened,
    counts: Mapping[TableNeed, int],
    large: Collection[str],
) -> list[tuple[Detection, Screen]]:
    """The detections that have few candidates in large tables, those with fewest first."""
    sizes: list[tuple[int, Detection, Screen]] = []
    for detection, screen, out in zip(
        detections, screened.screens, screened.ruled_out, strict=True
    ):
        needs = _list_needs(screen, large)
        if out is None and needs and all(counts[n] <= MOST_ROWS for n in needs):
            sizes.append((sum(counts[n] for n in needs), detection, screen))
    sizes.sort(key=lambda found: found[0])
    together = accumulate(size for size, _, _ in sizes)
    return [
        (detection, screen)
        for (_, detection, screen), so_far in zip(sizes, together, strict=True)
        if so_far <= MOST_TOGETHER
    ]


def _find_small(
    detections: Sequence[Detection], screened: Screened, large: Collection[str]
) -> list[tuple[Detection, Screen]]:
    """The detections that read small tables alone, of a lake that has large ones."""
    run = zip(detections, screened.screens, screened.ruled_out, strict=True)
    return [
        (detection, screen)
        for detection, screen, out in run
        if large and out is None and screen.reads and not set(large).intersection(screen.reads)
    ]


def _find_large(screens: Sequence[Screen], catalog: Catalog, within: TimeRange) -> frozenset[str]:
    names = {name for screen in screens for name in screen.reads}
    return frozenset(n for n in names if _is_large(catalog.files(n, within)))


def _is_large(files: Sequence[str]) -> bool:
    """Files elsewhere are asked for their sizes only until they are enough."""
    return any(size >= LEAST_BYTES for size in accumulate(map(find_size, files)))


def _list_needs(screen: Screen, tables: Collection[str]) -> list[TableNeed]:
    """What a screen's candidates in some tables meet; nothing where other rows count, too."""
    return [need for need in screen.candidates or () if need.table in tables]


def _find_columns(catalog: Catalog) -> dict[str, dict[str, FieldType | None]]:
    """The stored columns of each table, whichever datasets are parts of it."""
    sets = (catalog.dataset(model, name) for model, name in catalog.datasets())
    out: dict[str, dict[str, FieldType | None]] = {}
    for schema in (*catalog.raw_tables(), *sets):
        if schema is not None:
            out.setdefault(schema.table, {}).update(list_stored(schema))
    return out


def _read(needs: Sequence[TableNeed], scan: Scan, engine: Engine) -> pa.Table:
    """The rows of a scan that meet one of some needs."""
    query = inside(select([], table(scan.name), star=True), scan.within)
    query = query.where(any_holds(exp.paren(exp.var(need.condition)) for need in needs))
    return engine.run(query, [scan], {})
