"""The process that searches run in, one at a time; ``pool`` starts and kills it.

It has the interpreter, the language and the lake ready before a search comes. Each search has a
DuckDB connection of its own, made before it is needed, which can read nothing but the lake's
tables (``confine``) and of those nothing but the rows of the user's indexes.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import chain, count
from multiprocessing.connection import Connection

from escudo.actions.live_search import (
    LiveSearch,
    Rights,
    SearchSetting,
    count_events,
    search_live,
)
from escudo.actions.triage import find_evidence
from escudo.actions.workspace import EngineOf
from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import EscudoError
from escudo.core.faults import explain_fault
from escudo.core.timerange import ALL_TIME
from escudo.engines.duckdb.connection import Prelude, confine, connect, suit_size
from escudo.engines.duckdb.duckdb_engine import EVERY_INDEX, DuckDBEngine
from escudo.engines.execute import Engine
from escudo.lake import Lake
from escudo.lake.knowledge import LakeKnowledge
from escudo.serve.searches.knowledge import UserKnowledge
from escudo.serve.searches.orders import (
    Advanced,
    Begun,
    Counted,
    Ended,
    Failed,
    Found,
    Order,
    WorkerPlan,
)
from escudo.serve.searches.results import write_part
from escudo.storage import hold_at_most

_LITTLE_BYTES = 8 << 20
"""Of Parquet files, over which a second thread costs more than it does (``actions.engines``)."""

_FIRST = "search index=none | head 1"

_ORPHAN_SECONDS = 0.5
"""How often a process looks whether the server that started it is still there."""


def work(connection: Connection, plan: WorkerPlan) -> None:
    """Runs the searches that come over a connection, until that is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    plan.prepare()
    with Lake.open(plan.lake, create=False, tables=plan.tables) as lake:
        worker = _Worker(lake, plan, connection)
        worker.warm()
        with suppress(EOFError, OSError):  # the server is gone
            while (order := connection.recv()) is not None:
                worker.run(order)


def _end_with(parent: int) -> None:
    """Ends this process with the one that started it: a search may run for long."""
    while os.getppid() == parent:
        time.sleep(_ORPHAN_SECONDS)
    os._exit(0)


class _Worker:
    def __init__(self, lake: Lake, plan: WorkerPlan, connection: Connection) -> None:
        self._lake = lake
        self._plan = plan
        self._send: Callable[[object], None] = connection.send
        self._ready = connect(macros=False)

    def warm(self) -> None:
        """Loads what a first search would have to load, and says that it is ready."""
        engine = DuckDBEngine(self._lake.snapshot(), self._ready, Prelude())
        setting = self._make_setting(lambda _: engine, self._plan.knowledge, now=time.time())
        with suppress(EscudoError):
            for _ in search_live(_FIRST, setting, most=1, rights=Rights()).steps:
                pass
        self._send(None)

    def run(self, order: Order) -> None:
        """Runs a search. Whatever goes wrong in it is told, and is no end of the process."""
        try:
            self._run(order)
        except EscudoError as error:
            self._send(Failed(error.located(source=order.search).diagnostic))
        except Exception as error:
            self._send(Failed(explain_fault(error)))
        finally:
            self._ready.close()
            self._ready = connect(macros=False)

    def _run(self, order: Order) -> None:
        knowledge = UserKnowledge(
            LakeKnowledge(self._plan.knowledge, self._lake.artifacts),
            saved=order.saved,
            jobs=order.jobs,
            collections=order.collections,
            tuned=order.tuned,
            sees_all=EVERY_INDEX in order.indexes,
        )
        setting = replace(
            self._make_setting(self._make_engines(order), knowledge, now=order.now),
            within=order.within,
            zone=order.zone,
        )
        if order.opened is not None:
            self._send(Found(find_evidence(setting, order.opened)))
            self._send(Ended(cut=False))
            return
        if order.buckets is not None:
            self._send(self._count(order, setting, order.buckets))
            self._send(Ended(cut=False))
            return
        found = search_live(
            order.search, setting, most=order.most, rights=order.rights, brief=order.brief
        )
        changes = tuple(map(str, found.changes))
        self._send(Begun(found.diagnostics, changes, found.by_event))
        self._write(found, order)
        self._send(Ended(found.cut))

    def _count(self, order: Order, setting: SearchSetting, buckets: int) -> Counted:
        counted = count_events(order.search, setting, buckets=buckets)
        if counted is None:
            return Counted(1, ())
        span, table = counted
        times, counts = table["bucket"].to_pylist(), table["n"].to_pylist()
        return Counted(span, tuple(zip(times, counts, strict=True)))

    def _write(self, found: LiveSearch, order: Order) -> None:
        numbers = count()
        for step in found.steps:
            if step.rows is None:
                self._send(Advanced(None, (), step.done))
            else:
                part = write_part(order.folder, next(numbers), step.rows)
                self._send(Advanced(part, tuple(step.rows.column_names), step.done, step.anew))

    def _make_setting(
        self, engine_of: EngineOf, knowledge: Knowledge, *, now: float
    ) -> SearchSetting:
        return SearchSetting(
            lake=self._lake,
            knowledge=knowledge,
            definitions=self._plan.knowledge,
            engine_of=engine_of,
            now=now,
        )

    def _make_engines(self, order: Order) -> EngineOf:
        """Engines of one connection, which is confined once."""
        made: list[DuckDBEngine] = []

        def engine_of(catalog: Catalog) -> Engine:
            if not made:
                made.append(self._make_engine(order, catalog))
            return made[0].over(catalog)

        return engine_of

    def _make_engine(self, order: Order, catalog: Catalog) -> DuckDBEngine:
        connection = self._ready
        tables = [schema.table for schema in catalog.raw_tables()]
        files = chain.from_iterable(catalog.files(table, ALL_TIME) for table in tables)
        suit_size(connection, little=hold_at_most(_LITTLE_BYTES, files))
        connection.execute("SET memory_limit = ?", [order.memory])
        folder = self._lake.tables_folder
        places = [folder.url] if folder.path is None else [folder.url, str(folder.path.absolute())]
        confine(connection, places)
        return DuckDBEngine(catalog, connection, Prelude(), indexes=order.indexes)
