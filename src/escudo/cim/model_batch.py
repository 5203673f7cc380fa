"""What normalising gives: rows of a dataset as a table; the lake stores it."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class ModelBatch:
    """Rows of one dataset's table; ``data`` has the schema ``Dataset.schema.arrow()``."""

    table: str
    data: pa.Table
