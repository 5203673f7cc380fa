"""A Spark session that exists -> searches, detections and hunts on it; notebooks and other programs
call it.

    import escudo.spark

    escudo_here = escudo.spark.attach(spark, lake="/mnt/lake")
    escudo_here.search("index=* | stats count by sourcetype")
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from escudo.actions.engines import AttachedEngines
from escudo.actions.hunt import Hunt, LogHunt, hunt_logs, plan_hunt
from escudo.actions.ingest import Ingested, ingest_logs
from escudo.actions.search import SearchOptions, search_lake
from escudo.actions.workspace import Workspace
from escudo.content.cached import load_cached
from escudo.core.disk_cache import DiskCache
from escudo.core.timerange import TimeRange
from escudo.detect import Match, run_detections
from escudo.lake import Lake
from escudo.lake.ingest_options import IngestOptions
from escudo.lake.tables import load_tables
from escudo.spl import parse_time
from escudo.spl.compile import compile_search

__all__ = ["Attached", "Hunt", "LogHunt", "attach"]


def attach(
    session: Any,
    *,
    lake: Path | str,
    content: Sequence[Path | str] = (),
    overlay: Path | str | None = None,
    sources: Sequence[Path | str] = (),
) -> Attached:
    """Escudo over a Spark session of any kind: in this process, on a cluster, or Spark Connect's.

    The session's own settings and views stay as they are: Escudo has one beside it that shares the
    cluster, and sends this package to its workers.

    Args:
        session: ``spark`` of a notebook.
        lake: the folder of a lake, which the workers have under the same path; it is made where
            there is none.
        content: repositories of detections, besides Escudo's own.
        overlay: local changes over the content.
        sources: folders of own sources.

    Raises:
        EscudoError: what the lake, the content or the sources say.
    """
    tables = load_tables([Path(p) for p in sources])
    loaded = load_cached(
        [Path(p) for p in content],
        overlay=None if overlay is None else Path(overlay),
        cache=DiskCache(None),
    )
    engines = AttachedEngines(session)
    opened = Lake.open(lake, tables=tables)
    workspace = Workspace.prepare(
        loaded, opened, engine_of=engines, cache=DiskCache(None), now=time.time()
    )
    return Attached(workspace, engines)


class Attached:
    """Searches, detections and hunts on a Spark session; close it, or use it in a ``with`` block.

    Times are texts as the command line takes them: ``-7d@d``, ``2026-11-30T00:00:00``; without
    them it is all time.
    """

    def __init__(self, workspace: Workspace, engines: AttachedEngines) -> None:
        self._workspace = workspace
        self._engines = engines

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leaves the lake; the session goes on."""
        self._workspace.lake.close()

    def ingest(self, logs: Sequence[Path | str], *, force: bool = False) -> Ingested:
        """Has the workers read logs into the lake: files, folders and archives that they have under
        the same path.

        Raises:
            EscudoError: ENG009, LAK040: nothing came in.
        """
        lake, spread = self._workspace.lake, self._engines.spread()
        return ingest_logs(logs, lake, IngestOptions(force=force), spread=spread)

    def search(
        self, spl: str, *, earliest: str | None = None, latest: str | None = None
    ) -> pa.Table:
        """The rows of a search, in this process; what it asks to be written is in the lake then.

        Raises:
            EscudoError: what the language or Spark says.
        """
        found = search_lake(spl, self._during(earliest, latest), SearchOptions())
        return pa.concat_tables(found.tables, promote_options="default")

    def dataframe(self, spl: str, *, earliest: str | None = None, latest: str | None = None) -> Any:
        """The rows of a search as a data frame of Spark, which has computed none of them; what the
        search asks to be written is not written.

        Fields that only some events have are in its column ``_fields``, a map.

        Raises:
            EscudoError: what the language or Spark says.
        """
        workspace = self._during(earliest, latest)
        snapshot = workspace.lake.snapshot()
        engine = self._engines.over_spark(snapshot)
        compiled = compile_search(
            spl,
            snapshot,
            workspace.knowledge,
            now=workspace.now,
            zone=workspace.zone,
            within=workspace.within,
            runner=engine,
        )
        return engine.frame(compiled)

    def detect(self, name: str, *, earliest: str | None = None, latest: str | None = None) -> Match:
        """What one detection finds, by its name or id; nothing is written.

        Raises:
            EscudoError: CON205 where there is no detection of the name.
        """
        workspace = self._during(earliest, latest)
        snapshot = workspace.lake.snapshot()
        (match,) = run_detections(
            [replace(workspace.content.detection(name), enabled=True)],
            snapshot,
            self._engines(snapshot),
            workspace.knowledge,
            within=workspace.within,
            now=workspace.now,
        )
        return match

    def hunt(
        self,
        logs: Sequence[Path | str] = (),
        *,
        detections: Sequence[str] = (),
        stories: Sequence[str] = (),
        earliest: str | None = None,
        latest: str | None = None,
    ) -> LogHunt:
        """Runs all detections, or those by name and story, over the lake and writes their risk
        events and findings to it, once; reads logs into it first, if there are some.

        Raises:
            EscudoError: CON205, CLI001 where there is no detection or story of a name; what
                ``ingest`` raises.
        """
        workspace = self._during(earliest, latest)
        plan = plan_hunt(workspace.content, names=detections, stories=stories)
        spread = self._engines.spread() if logs else None
        return hunt_logs(logs, workspace, plan, spread=spread)

    def _during(self, earliest: str | None, latest: str | None) -> Workspace:
        """The workspace, now, in a range of time."""
        now = time.time()
        begin = None if earliest is None else parse_time(earliest, now)
        end = None if latest is None else parse_time(latest, now)
        return replace(self._workspace, now=now, within=TimeRange(begin, end))
