"""A snapshot of a lake -> the names of hosts and users that came in before; ``ingest`` calls it."""

from __future__ import annotations

import pyarrow.parquet as pq

from escudo.core.timerange import TimeRange
from escudo.lake.snapshot import Snapshot
from escudo.sources.inventory import Inventory

_TABLE = "raw_crowdstrike_inventory"


def read_known_names(snapshot: Snapshot, known: Inventory) -> Inventory:
    """Adds the lists of hosts and users in the lake, the oldest first, to what is known.

    Raises:
        EscudoError: LAK005, LAK006, LAK018 where a file of them is gone or damaged.
    """
    for path in snapshot.files(_TABLE, TimeRange()):
        for row in pq.ParquetFile(path).read().to_pylist():
            known.add({name: value for name, value in row.items() if value is not None})
    return known
