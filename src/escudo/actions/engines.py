"""The name of an engine -> a maker of engines of that kind; called by who makes a ``Workspace``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb

from escudo.core.catalog import Catalog
from escudo.core.errors import EscudoError
from escudo.core.spread import Spread
from escudo.core.timerange import ALL_TIME
from escudo.engines.duckdb.connection import Prelude, connect, suit_size
from escudo.engines.duckdb.duckdb_engine import DuckDBEngine
from escudo.engines.duckdb.faults import explain_error
from escudo.engines.duckdb.memory import MemoryLimits
from escudo.engines.execute import Engine
from escudo.engines.spark.available import explain_unavailable
from escudo.engines.spark.place import READ_HERE, SparkPlace
from escudo.storage import hold_at_most

ENGINES = ("duckdb", "spark")


_SHARE = 0.6
"""Of the memory that is free when the engine begins: the rest is for Arrow and Python."""
_LEAST_BYTES = 512 << 20
_SPARING = "512MiB"
_LITTLE_BYTES = 8 << 20
"""Of Parquet files: about a hundred thousand events (2026-11-29: 238 searches over 5,382 events
took an eighth less processor time with one thread)."""


def share_free_memory() -> str | None:
    """What DuckDB may use unless told: a share of what the machine has free, and the process may
    have of it (cgroup v2); None where the system does not say, for DuckDB's own choice."""
    free: list[int] = []
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                free.append(int(line.split()[1]) << 10)
    with suppress(OSError, ValueError):
        group = Path("/sys/fs/cgroup")
        most = int((group / "memory.max").read_text())
        free.append(most - int((group / "memory.current").read_text()))
    if not free:
        return None
    return f"{max(_LEAST_BYTES, int(min(free) * _SHARE)) >> 20}MiB"


class DuckDBEngines:
    """Makes embedded engines that share one connection, which is opened when it is needed; also for
    several threads at once.

    Args:
        memory_limit: what DuckDB may use (``"4GB"``); a share of what is free unless given.
        sparing: whether searches have little of that, and more only where one does not fit: for who
            runs many, since DuckDB keeps what it once took.
    """

    def __init__(self, memory_limit: str | None = None, *, sparing: bool = False) -> None:
        self._memory_limit = memory_limit
        self._sparing = sparing
        self._prelude = Prelude()
        self._lock = Lock()

    def __call__(self, catalog: Catalog) -> Engine:
        files = (catalog.files(schema.table, ALL_TIME) for schema in catalog.raw_tables())
        little = hold_at_most(_LITTLE_BYTES, chain.from_iterable(files))
        with self._lock, self._connection.cursor() as cursor:
            suit_size(cursor, little=little)
        return DuckDBEngine(catalog, self._connection, self._prelude, limits=self._limits)

    @cached_property
    def _limits(self) -> MemoryLimits | None:
        most = share_free_memory()
        if not self._sparing or self._memory_limit is not None or most is None:
            return None
        return MemoryLimits(self._connection, _SPARING, most)

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        limit = self._memory_limit or (_SPARING if self._sparing else share_free_memory())
        try:
            return connect(memory_limit=limit, macros=False)
        except duckdb.Error as error:
            if self._memory_limit is None:
                raise explain_error(error) from error
            message = f"--memory: {self._memory_limit!r} is no amount of memory, such as 4GB"
            raise EscudoError("CLI008", message) from error


class SparkEngines:
    """Makes engines that share one Spark session, begun when one of them needs it.

    Args:
        place: where Spark runs; in this process unless given.

    Raises:
        EscudoError: CLI007 where Spark cannot run here, ENG012 (when it is needed) where it cannot
            be reached.
    """

    def __init__(self, place: SparkPlace | None = None) -> None:
        self._place = place or SparkPlace()
        reason = explain_unavailable(remote=self._place.is_remote)
        if reason is not None:
            raise EscudoError("CLI007", reason)

    def __call__(self, catalog: Catalog) -> Engine:
        made: Engine = import_module("escudo.engines.spark.spark_engine").SparkEngine(
            catalog,
            lambda: self._session,
            lambda: self._delta,
            few_rows=self._few_rows,
            most_here=self._most_here,
        )
        return made

    def spread(self) -> Spread:
        """What does work on Spark's workers, part by part."""
        made: Spread = import_module("escudo.engines.spark.spreading").SparkSpread(self._session)
        return made

    @property
    def _most_here(self) -> int:
        return self._place.most_here

    @cached_property
    def _session(self) -> Any:
        return import_module("escudo.engines.spark.session").open_session(self._place)

    @cached_property
    def _few_rows(self) -> DuckDBEngines:
        """Makes engines for searches that are not worth a job of Spark's."""
        return DuckDBEngines(sparing=True)

    @cached_property
    def _delta(self) -> Any:
        """What is known of the session's connector to Delta, of which each engine would ask."""
        return import_module("escudo.engines.spark.delta_reader").DeltaReader(self._session)


class AttachedEngines(SparkEngines):
    """Makes engines over a Spark session that exists, beside what else it does."""

    def __init__(self, session: Any) -> None:
        self._given = session

    def over_spark(self, catalog: Catalog) -> Any:
        """The engine itself, which gives data frames, too."""
        return self(catalog)

    @property
    def _most_here(self) -> int:
        said = self._given.conf.get(READ_HERE, None)
        return SparkPlace(properties={} if said is None else {READ_HERE: said}).most_here

    @cached_property
    def _session(self) -> Any:
        return import_module("escudo.engines.spark.session").attach_session(self._given)


def make_engines(
    name: str,
    memory_limit: str | None = None,
    place: SparkPlace | None = None,
    *,
    sparing: bool = False,
) -> DuckDBEngines | SparkEngines:
    """The maker of engines of one of ``ENGINES``; ``sparing`` as ``DuckDBEngines`` has it.

    Raises:
        EscudoError: CLI007 where Spark cannot run here.
    """
    if name == ENGINES[0]:
        return DuckDBEngines(memory_limit, sparing=sparing)
    return SparkEngines(place)


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineChoice:
    """Which engine runs searches, and what it may use: DuckDB a memory, Spark a place."""

    name: str = ENGINES[0]
    memory_limit: str | None = None
    place: SparkPlace = field(default_factory=SparkPlace)

    def make(self, *, sparing: bool = False) -> DuckDBEngines | SparkEngines:
        """Their maker; errors as ``make_engines``."""
        return make_engines(self.name, self.memory_limit, self.place, sparing=sparing)

    def make_spread(self) -> Spread | None:
        """What reads logs on other machines; None where this process reads them."""
        engines = None if self.name == ENGINES[0] else SparkEngines(self.place)
        return None if engines is None else engines.spread()
