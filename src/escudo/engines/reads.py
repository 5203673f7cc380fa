"""How much of a lake a query reads; the engine of a cluster asks whether one machine will do."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow.parquet as pq
from sqlglot import exp

from escudo.core.catalog import Catalog
from escudo.engines.scans import list_columns
from escudo.spl import Scan
from escudo.storage import open_file


def count_read_bytes(
    query: exp.Expression, scans: Sequence[Scan], catalog: Catalog, most: int
) -> int:
    """The bytes, compressed as they are stored, of the columns that a query names in the files of
    its scans; counted until there are more than ``most``.

    The footer of each file says it. A file is counted once for each scan, and whole: what the
    bounds of its row groups rule out is counted, too.
    """
    named = {column.name for column in query.find_all(exp.Column)}
    read = 0
    for scan in scans:
        wanted = named & list_columns(scan).keys()
        for path in catalog.files(scan.schema.table, scan.within):
            read += _count_columns(pq.read_metadata(open_file(path)), wanted)
            if read > most:
                return read
    return read


def _count_columns(metadata: pq.FileMetaData, wanted: set[str]) -> int:
    """The bytes of columns, those inside lists and maps included."""
    paths = (metadata.schema.column(i).path for i in range(metadata.num_columns))
    chosen = [i for i, path in enumerate(paths) if path.partition(".")[0] in wanted]
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    return sum(group.column(i).total_compressed_size for group in groups for i in chosen)
