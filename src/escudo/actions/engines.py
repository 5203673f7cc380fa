"""The name of an engine -> a maker of engines of that kind; called by who makes a ``Workspace``."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb

from escudo.core.catalog import Catalog
from escudo.core.errors import EscudoError
from escudo.core.timerange import ALL_TIME
from escudo.engines.duckdb.connection import Prelude, connect, suit_size
from escudo.engines.duckdb.duckdb_engine import DuckDBEngine
from escudo.engines.duckdb.faults import explain_error
from escudo.engines.duckdb.little_tables import hold_at_most
from escudo.engines.execute import Engine
from escudo.engines.spark.available import explain_unavailable

ENGINES = ("duckdb", "spark")


_SHARE = 0.6
"""Of the memory that is free when the engine begins: the rest is for Arrow and Python."""
_LEAST_BYTES = 512 << 20
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
    """Makes embedded engines that share one connection, which is opened when it is needed.

    Args:
        memory_limit: what DuckDB may use (``"4GB"``); a share of what is free unless given.
    """

    def __init__(self, memory_limit: str | None = None) -> None:
        self._memory_limit = memory_limit
        self._prelude = Prelude()

    def __call__(self, catalog: Catalog) -> Engine:
        files = (catalog.files(schema.table, ALL_TIME) for schema in catalog.raw_tables())
        little = hold_at_most(_LITTLE_BYTES, chain.from_iterable(files))
        suit_size(self._connection, little=little)
        return DuckDBEngine(catalog, self._connection, self._prelude)

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        try:
            return connect(memory_limit=self._memory_limit or share_free_memory(), macros=False)
        except duckdb.Error as error:
            if self._memory_limit is None:
                raise explain_error(error) from error
            message = f"--memory: {self._memory_limit!r} is no amount of memory, such as 4GB"
            raise EscudoError("CLI008", message) from error


class SparkEngines:
    """Makes engines that share this process's Spark session, begun when it is needed.

    Raises:
        EscudoError: CLI007 where Spark cannot run here.
    """

    def __init__(self) -> None:
        reason = explain_unavailable()
        if reason is not None:
            raise EscudoError("CLI007", reason)

    def __call__(self, catalog: Catalog) -> Engine:
        made: Engine = import_module("escudo.engines.spark.spark_engine").SparkEngine(
            catalog, self._session
        )
        return made

    @cached_property
    def _session(self) -> Any:
        return import_module("escudo.engines.spark.session").open_session()


def make_engines(name: str, memory_limit: str | None = None) -> DuckDBEngines | SparkEngines:
    """The maker of engines of one of ``ENGINES``.

    Raises:
        EscudoError: CLI007 where Spark cannot run here.
    """
    return DuckDBEngines(memory_limit) if name == ENGINES[0] else SparkEngines()
