"""A catalog, rows that are not in it -> a catalog that shows both; for what is asked of a lake that
must stay as it is (drilldowns of a detection's test)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from escudo.core.catalog import Catalog, CatalogView
from escudo.core.schema import TableSchema
from escudo.core.timerange import TimeRange
from escudo.lake.event_ids import put_column
from escudo.lake.layout import build_layout, conform

_FIRST_ID = 1 << 62
"""Ids of added rows count from here: a lake gives smaller ones."""


class AddedRows(CatalogView):
    """A catalog with more rows in one of its tables.

    Args:
        schema: the table that gets them.
        rows: with columns of the table; missing ones are null, ids are made up.
        folder: for the file of the rows; it has to last as long as the catalog.

    Raises:
        EscudoError: LAK008 for rows that do not fit their table.
    """

    def __init__(self, base: Catalog, schema: TableSchema, rows: pa.Table, *, folder: Path) -> None:
        super().__init__(base)
        self._table = schema.table
        ids = np.arange(_FIRST_ID, _FIRST_ID + rows.num_rows, dtype=np.int64)
        rows = conform(
            put_column(rows, "_event_id", pa.array(ids)), build_layout(schema), schema.table
        )
        self._path = str(folder / f"{schema.table}.parquet")
        pq.write_table(rows, self._path)

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        """The files of the catalog, and that of the added rows, whatever their time."""
        files = super().files(table, within)
        return (*files, self._path) if table == self._table else files
