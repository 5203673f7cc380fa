"""An engine, a catalog -> the same, with notes of what binding a search asked of them; called by
who keeps or shares what was bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import pyarrow as pa
from sqlglot import exp

from escudo.core.catalog import CatalogView
from escudo.core.timerange import TimeRange
from escudo.spl import GroupRunner, GroupWork, LateProver, Runner, Scan

Held: TypeAlias = dict[tuple[str, TimeRange], bool]
"""Whether a table has files of a time range."""


@dataclass
class NotingRunner:
    """``asked``: something was run."""

    runner: Runner
    asked: bool = False

    def run(
        self, query: exp.Expression, scans: Sequence[Scan], tables: Mapping[str, pa.Table]
    ) -> pa.Table:
        self.asked = True
        return self.runner.run(query, scans, tables)

    def proves_late(self, scans: Sequence[Scan]) -> bool:
        return isinstance(self.runner, LateProver) and self.runner.proves_late(scans)

    @property
    def works_on_groups(self) -> bool:
        return isinstance(self.runner, GroupRunner) and self.runner.works_on_groups

    def run_grouped(
        self,
        query: exp.Expression,
        scans: Sequence[Scan],
        tables: Mapping[str, pa.Table],
        work: GroupWork,
    ) -> pa.Table:
        self.asked = True
        assert isinstance(self.runner, GroupRunner)
        return self.runner.run_grouped(query, scans, tables, work)


@dataclass(frozen=True)
class NotingCatalog(CatalogView):
    """``held`` is what was asked of its files, and whether there are any."""

    held: Held = field(default_factory=dict)

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        files = super().files(table, within)
        self.held[table, within] = bool(files)
        return files
