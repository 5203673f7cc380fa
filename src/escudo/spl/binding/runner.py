"""A query over scans and tables -> its rows: what the binder asks of an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import pyarrow as pa
from sqlglot import exp

from escudo.spl.relation.scans import Scan


class Runner(Protocol):
    """Runs what is bound so far; an engine with a catalog is one."""

    def run(
        self, query: exp.Expression, scans: Sequence[Scan], tables: Mapping[str, pa.Table]
    ) -> pa.Table: ...
