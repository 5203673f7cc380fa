"""A search -> what it becomes, what it reads, and what that costs; called by ``escudo explain``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from escudo.actions.named_search import NamedSearch, errors_in_file, point_into_file
from escudo.actions.workspace import Workspace
from escudo.core.errors import Diagnostic
from escudo.core.timerange import TimeRange, iso_utc
from escudo.engines.execute import run_compiled
from escudo.lake import Snapshot
from escudo.spl import lay_out
from escudo.spl.compile import Compiled, compile_search
from escudo.spl.macros import expand


@dataclass(frozen=True, slots=True)
class Read:
    """What a search reads of a table: columns, the number of files, the time."""

    table: str
    columns: tuple[str, ...]
    files: int
    within: TimeRange

    def to_dict(self) -> dict[str, Any]:
        """``table``, ``columns``, ``files``, and ``earliest`` and ``latest`` as ISO-8601."""
        low, high = self.within.earliest, self.within.latest
        return {
            "table": self.table,
            "columns": list(self.columns),
            "files": self.files,
            "earliest": iso_utc(low) if low is not None else None,
            "latest": iso_utc(high) if high is not None else None,
        }


@dataclass(frozen=True, kw_only=True)
class SearchExplanation:
    """What a search becomes. ``search`` has its macros expanded, ``pipeline`` is that laid out for
    reading; ``fields`` are pairs of name and type; ``deferred`` says what is decided while it runs.
    ``rows`` and ``run_ms`` are None unless it was run."""

    name: str
    search: str
    pipeline: str
    fields: tuple[tuple[str, str], ...]
    reads: tuple[Read, ...]
    deferred: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    compile_ms: float
    engine: str
    sql: str
    plan: str
    rows: int | None = None
    run_ms: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The explanation as JSON: names are stable."""
        out: dict[str, Any] = {
            "name": self.name,
            "search": self.search,
            "pipeline": self.pipeline,
            "fields": [{"name": name, "type": kind} for name, kind in self.fields],
            "reads": [read.to_dict() for read in self.reads],
            "deferred": list(self.deferred),
            "diagnostics": [
                {"code": d.code, "severity": d.severity.value, "message": d.message}
                for d in self.diagnostics
            ],
            "compile_ms": self.compile_ms,
            "engine": self.engine,
            "sql": self.sql,
            "plan": self.plan,
        }
        if self.run_ms is not None:
            out |= {"rows": self.rows, "run_ms": self.run_ms}
        return out


def explain_searches(
    searches: Sequence[NamedSearch], workspace: Workspace, *, measured: bool = False
) -> list[SearchExplanation]:
    """What searches become over a lake. Nothing is written.

    Args:
        measured: also runs each, and measures it.

    Raises:
        EscudoError: what compiling or running a search raises.
    """
    snapshot = workspace.lake.snapshot()
    explanations = []
    for search in searches:
        with errors_in_file(search):
            explanations.append(_explain(search, workspace, snapshot, measured=measured))
    return explanations


def _explain(
    search: NamedSearch, workspace: Workspace, snapshot: Snapshot, *, measured: bool
) -> SearchExplanation:
    engine = workspace.engine_of(snapshot)
    knowledge = workspace.knowledge
    begun = time.perf_counter()
    compiled = compile_search(
        search.text,
        snapshot,
        knowledge,
        now=workspace.now,
        within=workspace.within,
        runner=engine,
        file=search.file,
    )
    expanded = expand(search.text, knowledge, file=search.file).text
    pipeline = lay_out(compiled.pipeline)
    reads = tuple(_list_reads(compiled, snapshot))
    compile_ms = _milliseconds_since(begun)
    sql = engine.sql(compiled.query, compiled.scans)
    plan = engine.explain(compiled.query, compiled.scans, compiled.tables, analyze=measured)
    rows, run_ms = None, None
    if measured:
        begun = time.perf_counter()
        rows = run_compiled(compiled, engine).num_rows
        run_ms = _milliseconds_since(begun)
    return SearchExplanation(
        name=search.name,
        search=expanded,
        pipeline=pipeline,
        fields=tuple((name, kind.value) for name, _, kind in compiled.output),
        reads=reads,
        deferred=tuple(compiled.deferred),
        diagnostics=tuple(point_into_file(d, search) for d in compiled.diagnostics),
        compile_ms=compile_ms,
        engine=engine.name,
        sql=sql,
        plan=plan,
        rows=rows,
        run_ms=run_ms,
    )


def _milliseconds_since(begun: float) -> float:
    return round((time.perf_counter() - begun) * 1000, 2)


def _list_reads(compiled: Compiled, snapshot: Snapshot) -> list[Read]:
    return [
        Read(
            scan.schema.table,
            tuple(sorted(scan.columns)),
            len(snapshot.files(scan.schema.table, scan.within)),
            scan.within,
        )
        for scan in compiled.scans
    ]
