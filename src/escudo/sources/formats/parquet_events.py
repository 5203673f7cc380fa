"""Parquet -> events; ``reading`` calls it.

A row is an event as it would be in JSON: columns of structs are objects, those of maps are objects
of their keys, bytes are text. So Amazon Security Lake's files (OCSF) give what the same events give
as JSON.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from escudo.sources.events import Events
from escudo.sources.formats.json_events import read_object_lines
from escudo.sources.formats.rejected import Rejected
from escudo.sources.formats.text import DamagedError
from escudo.sources.opening import LogStream
from escudo.sources.streams import spool_stream

_PLAIN = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_timestamp,
    pa.types.is_date32,
)
_ROWS = 4_096
"""Rows that are read together. An event of Security Lake is a kilobyte or two as JSON."""


def read(stream: LogStream) -> Iterator[Events | Rejected]:
    """The rows of a stream as events; what comes behind a damage is told."""
    yield from read_object_lines(_read_lines(stream), stream.name)


def _read_lines(stream: LogStream) -> Iterator[bytes]:
    with stream.open() as opened:
        # Parquet has its schema at the end.
        source = opened if opened.seekable() else spool_stream(opened)()
        try:
            with pq.ParquetFile(source) as file:
                for batch in file.iter_batches(_ROWS):
                    yield write_objects(batch)
        except (pa.ArrowException, OSError, EOFError) as error:
            message = " ".join(str(error).split())
            raise DamagedError("SRC036", message) from error


def write_objects(rows: pa.RecordBatch) -> bytes:
    """Rows as lines of JSON.

    >>> kinds = pa.map_(pa.string(), pa.string())
    >>> rows = pa.record_batch({"a": pa.array([{"b": 1}]), "m": pa.array([[("k", "v")]], kinds)})
    >>> write_objects(rows)
    b'{"a":{"b":1},"m":{"k":"v"}}\\n'
    """
    apart = [f.name for f in rows.schema if not _is_plain(f.type)]
    plain = [f.name for f in rows.schema if f.name not in apart]
    frame = pl.from_arrow(rows.select(plain))
    assert isinstance(frame, pl.DataFrame)
    if not apart:
        return frame.write_ndjson().encode()
    objects = frame.write_ndjson().encode().splitlines() if plain else [b"{}"] * rows.num_rows
    others = rows.select(apart).to_pylist(maps_as_pydicts="lossy")
    lines = [
        b"%b%b%b" % (line[:-1], b"," if plain else b"", _dump(other)[1:])
        for line, other in zip(objects, others, strict=True)
    ]
    return b"\n".join(lines) + b"\n" if lines else b""


def _dump(value: object) -> bytes:
    return orjson.dumps(value, default=_as_text, option=orjson.OPT_NON_STR_KEYS)


def _as_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _is_plain(kind: pa.DataType) -> bool:
    """Whether Polars writes values of a type as JSON has them; it writes no bytes and no maps."""
    if pa.types.is_struct(kind) or pa.types.is_list(kind):
        return all(_is_plain(kind.field(n).type) for n in range(kind.num_fields))
    return any(is_one(kind) for is_one in _PLAIN)
