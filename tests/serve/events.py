"""Events for tests of the server: generated logs, and rows of other indexes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from escudo.actions.ingest import ingest_logs
from escudo.generate.generate import generate
from escudo.lake import Lake
from escudo.lake.table_rows import lay_out
from escudo.lake.tables import RISK

EVENTS = 3_000
SECRET = "the colour of the vault"
"""A text that is in events of the index ``hr`` alone, and in a risk event."""


def fill_lake(path: Path, folder: Path) -> None:
    """Puts ``EVENTS`` generated events into a lake, and three of other indexes."""
    log = folder / "events.xml"
    generate(EVENTS, 7, "xml", log)
    with Lake.open(path, create=True) as lake:
        assert ingest_logs([log], lake).report.rejected == 0
        add_rows(lake, "raw_stash", {"index": ["hr", "hr"], "source": ["payroll"] * 2})
        add_rows(lake, RISK, {"index": ["risk"], "risk_object": ["vault"]})


def add_rows(lake: Lake, table: str, fields: dict[str, list[str]]) -> None:
    """Puts rows into a raw table, all with the secret in their text."""
    count = len(next(iter(fields.values())))
    columns: dict[str, pa.Array] = {name: pa.array(cells) for name, cells in fields.items()}
    columns |= {
        "_raw": pa.array([SECRET] * count),
        "_time": pa.array([1_715_700_000.0] * count),
        "host": pa.array(["vault-1"] * count),
        "sourcetype": pa.array(["stash"] * count),
        "pin": pa.array(["4711"] * count),
    }
    schema = next(s for s in lake.tables.raw if s.table == table)
    with lake.writer() as writer:
        writer.append_rows(table, lay_out(columns, schema))
        writer.commit()
