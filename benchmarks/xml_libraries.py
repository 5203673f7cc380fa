"""Event XML to Parquet by the fastest library paths: fields only, no raw text, no data models."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl
import pyarrow as pa
import xml2arrow

_BLOCK = 48 << 20
_TOKEN = re.compile(r"^(\w+)(?: Name='(\w+)')?(.*)$", re.S)
_ENTITIES = (["&lt;", "&gt;", "&quot;", "&apos;", "&amp;"], ["<", ">", '"', "'", "&"])


def blocks(source: str, size: int = _BLOCK) -> Iterator[bytes]:
    """A file in pieces that end with a line."""
    with open(source, "rb") as file:
        rest = b""
        while data := file.read(size):
            end = data.rfind(b"\n") + 1
            yield rest + data[:end]
            rest = data[end:]
        if rest:
            yield rest


@dataclass(frozen=True)
class _Cell:
    """Where a field's value is among the tokens of a line, split at ``<``."""

    name: str
    token: int
    start: int = 0
    quoted: int | None = None
    """For attributes after the first, whose start moves: which piece between quotes."""
    end: str = ""


def polars_split(folder: Path, *, source: str) -> int:
    """Polars: split each line once, take values by position.

    It is right only as long as all events of a kind have the same elements in the same order;
    the layout of a kind is learnt from its first line.
    """
    rows, layouts = 0, dict[str, list[_Cell]]()
    for number, block in enumerate(blocks(source)):
        lines = pl.read_lines(io.BytesIO(block), name="line")
        kind = pl.col("line").str.slice(0, 220).str.extract(r"<EventID>(\d+)<", 1)
        for (code,), part in (
            lines.with_columns(kind.alias("kind")).partition_by("kind", as_dict=True).items()
        ):
            layout = layouts.get(str(code))
            if layout is None:
                layout = layouts[str(code)] = _layout(part["line"][0])
            _fields(part, layout).write_parquet(
                folder / f"{code}-{number}.parquet", compression="zstd", compression_level=1
            )
            rows += len(part)
    return rows


def _fields(lines: pl.DataFrame, layout: list[_Cell]) -> pl.DataFrame:
    tokens = lines.lazy().select(pl.col("line").str.split("<").alias("tokens"))
    columns: list[pl.Expr] = []
    for cell in layout:
        value = pl.col("tokens").list.get(cell.token)
        if cell.quoted is None:
            value = value.str.slice(cell.start)
        else:
            value = value.str.split("'").list.get(cell.quoted)
        if cell.end:
            value = value.str.strip_suffix(cell.end)
        columns.append(value.alias(cell.name))
    time = pl.col("SystemTime").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us")
    free = [
        pl.when(pl.col(c).str.contains("&", literal=True))
        .then(pl.col(c).str.replace_many(*_ENTITIES))
        .otherwise(pl.col(c))
        .alias(c)
        for c in ("CommandLine", "ParentCommandLine", "TargetFilename", "TargetObject", "Details")
        if c in {cell.name for cell in layout}
    ]
    return tokens.select(columns).with_columns(time.alias("_time"), *free).collect()


def _layout(line: str) -> list[_Cell]:
    cells: list[_Cell] = []
    for i, token in enumerate(line.split("<")):
        if token.startswith(("/", "?", "Event ", "EventData", "System>")) or not token:
            continue
        name, data, rest = _TOKEN.match(token).groups()  # type: ignore[union-attr]
        if name == "Data":
            cells.append(_Cell(data, i, len(f"Data Name='{data}'>")))
        elif rest.startswith(">"):
            cells.append(_Cell(name, i, len(name) + 1))
        else:
            found = list(re.finditer(r"(\w+)='([^']*)'", token))
            if len(found) == 1:
                at = found[0]
                cells.append(_Cell(at[1], i, at.start(2), end=token[at.end(2) :]))
            else:
                cells += [_Cell(f[1], i, quoted=2 * n + 1) for n, f in enumerate(found)]
    return cells


_SYSTEM_FIELDS = {
    "Provider": "Provider/@Name",
    "Guid": "Provider/@Guid",
    "EventID": "EventID",
    "Version": "Version",
    "Level": "Level",
    "Task": "Task",
    "Opcode": "Opcode",
    "Keywords": "Keywords",
    "SystemTime": "TimeCreated/@SystemTime",
    "EventRecordID": "EventRecordID",
    "ProcessID": "Execution/@ProcessID",
    "ThreadID": "Execution/@ThreadID",
    "Channel": "Channel",
    "Computer": "Computer",
    "UserID": "Security/@UserID",
}


def _config() -> dict[str, object]:
    system, data = "/Events/Event/System/", "/Events/Event/EventData"
    return {
        "tables": [
            {
                "name": "events",
                "xml_path": "/Events",
                "levels": ["event"],
                "fields": [_text(n, system + path) for n, path in _SYSTEM_FIELDS.items()],
            },
            {
                "name": "data",
                "xml_path": data,
                "levels": ["event", "field"],
                "fields": [_text("name", f"{data}/Data/@Name"), _text("value", f"{data}/Data")],
            },
        ]
    }


def _text(name: str, path: str) -> dict[str, object]:
    return {"name": name, "xml_path": path, "data_type": "Utf8", "nullable": True}


def xml2arrow_pivot(folder: Path, *, source: str) -> int:
    """xml2arrow (a true XML parser), then each block pivoted to columns."""
    return sum(parse_block(block, folder, i) for i, block in enumerate(blocks(source)))


def parse_block(block: bytes, folder: Path, number: int) -> int:
    """Parse events that stand one after the other, and write a Parquet file of their fields."""
    tables = _parser(folder).parse(b"<Events>" + block + b"</Events>")
    _pivot(tables["events"], tables["data"], folder, number)
    return int(tables["events"].num_rows)


@cache
def _parser(folder: Path) -> xml2arrow.XmlToArrowParser:
    config = folder / "config.yml"
    config.write_text(json.dumps(_config()), encoding="utf-8")
    return xml2arrow.XmlToArrowParser(str(config))


def _pivot(events: pa.RecordBatch, data: pa.RecordBatch, folder: Path, number: int) -> None:
    frame = pl.DataFrame(pl.from_arrow(events)).with_row_index("event")
    values = pl.DataFrame(pl.from_arrow(data))
    index = next(c for c in values.columns if c.strip("<>") == "event")
    wide = values.select(pl.col(index).cast(pl.UInt32).alias("event"), "name", "value")
    shaped = wide.pivot(on="name", index="event", values="value", aggregate_function="first")
    time = pl.col("SystemTime").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us")
    frame.join(shaped, on="event", how="left").with_columns(time.alias("_time")).write_parquet(
        folder / f"{number}.parquet", compression="zstd", compression_level=1
    )
