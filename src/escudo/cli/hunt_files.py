"""A hunt -> files of its rows, or a report, in the format that a file's name ends with; called by
``escudo hunt --output``."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import IO, Any, BinaryIO, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from escudo.actions.hunt import Hunt, LogHunt
from escudo.actions.hunt_report import Circumstances, HuntReport, ReportLimits, collect_report
from escudo.actions.hunt_summary import FoundRow, HuntSummary, Span
from escudo.actions.match_rows import iterate_match
from escudo.actions.navigator import build_layer
from escudo.actions.workspace import Workspace
from escudo.cli import report
from escudo.cli.json_text import dump_json
from escudo.cli.output import write_rows
from escudo.core.errors import EscudoError
from escudo.core.timerange import iso_utc
from escudo.core.whole_file import check_place, write_whole

FIELDS = (
    "_time",
    "detection",
    "detection_id",
    "detection_type",
    "detection_status",
    "severity",
    "host",
    "user",
    "risk_score",
    "message",
    "mitre_attack_id",
    "tactics",
    "analytic_story",
    "risk_objects",
    "source_file",
    "row",
)
"""The fields of a row that was found; flat formats have a column for each field of ``row``."""

ROW_PREFIX = "row."
"""Before the names of the columns that hold the fields of ``row``, which may have any name."""

_TEXTS = pa.list_(pa.string())
_TYPES: Mapping[str, pa.DataType] = {
    "_time": pa.timestamp("ms", tz="UTC"),
    "host": _TEXTS,
    "user": _TEXTS,
    "risk_score": pa.float64(),
    "mitre_attack_id": _TEXTS,
    "tactics": _TEXTS,
    "analytic_story": _TEXTS,
    "risk_objects": pa.list_(
        pa.struct(
            {"field": pa.string(), "type": pa.string(), "value": pa.string(), "score": pa.float64()}
        )
    ),
    "source_file": _TEXTS,
}
"""The types of the fields in Parquet files that are no text."""


@dataclass(frozen=True)
class FinishedHunt:
    """What a file is made of. The lake of the workspace is still open. ``follow`` is told how far
    the collection of a report is; ``stop`` is what has come meanwhile, so that nothing more is
    opened for it."""

    done: LogHunt
    summary: HuntSummary
    workspace: Workspace
    circumstances: Circumstances = field(default_factory=Circumstances)
    follow: Callable[[Sequence[FoundRow]], Iterable[FoundRow]] = iter
    stop: KeyboardInterrupt | None = None

    @cached_property
    def report(self) -> HuntReport:
        """All that a report shows; collected once, whatever it is written as."""
        return collect_report(
            self.done,
            self.summary,
            self.workspace,
            made=time.time(),
            circumstances=self.circumstances,
            limits=ReportLimits() if self.stop is None else ReportLimits(contexts=0),
            follow=self.follow,
        )

    @property
    def stopped(self) -> KeyboardInterrupt | None:
        """What has come before all was opened, for the screen or for a report, if something did."""
        collected: HuntReport | None = vars(self).get("report")
        return self.stop if collected is None else self.stop or collected.stopped


Writer: TypeAlias = Callable[[FinishedHunt, BinaryIO], None]


def find_writer(path: Path) -> Writer:
    """What writes a file, by the end of its name.

    Raises:
        EscudoError: CLI010 where the name ends with no known suffix, SYS002 where nothing can be
            written at the path.
    """
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise EscudoError(
            "CLI010",
            f"{path}: no format is called {path.suffix!r}",
            hint=f"end the name with {', '.join(WRITERS)}",
        )
    check_place(path)
    return writer


def write_files(outputs: Sequence[tuple[Path, Writer]], finished: FinishedHunt) -> None:
    """Writes each file whole.

    Raises:
        EscudoError: SYS002 where one cannot be written.
        KeyboardInterrupt: the files are there; a stop has cut short what was opened.
    """
    for path, write in outputs:
        with write_whole(path) as stream:
            write(finished, stream)
    if finished.stopped is not None:
        raise finished.stopped


def iterate_hunt(hunt: Hunt) -> Iterator[dict[str, Any]]:
    """All rows of a hunt, one detection after the other."""
    for match, _ in hunt.hits():
        yield from iterate_match(match)


def iterate_flat(hunt: Hunt) -> Iterator[dict[str, Any]]:
    """All rows of a hunt with the fields of ``row`` beside the others, as ``row.<name>``."""
    for found in iterate_hunt(hunt):
        fields = found.pop("row")
        yield {**found, **{f"{ROW_PREFIX}{name}": value for name, value in fields.items()}}


def list_flat_fields(hunt: Hunt) -> tuple[str, ...]:
    """The columns of ``iterate_flat``: the fixed ones, then those of the rows by their names."""
    names = {name for name, _ in _list_held(hunt)}
    own = sorted(names, key=lambda name: (name.lower(), name))
    return (*(f for f in FIELDS if f != "row"), *(f"{ROW_PREFIX}{name}" for name in own))


def _list_held(hunt: Hunt) -> Iterator[tuple[str, pa.DataType]]:
    """The fields that have a value in some row of a match, with their types."""
    for match, _ in hunt.hits():
        for name in match.rows.column_names:
            if match.rows[name].null_count < match.rows.num_rows:
                yield name, match.rows[name].type


def _write_text(finished: FinishedHunt, stream: BinaryIO, *, format_: str) -> None:
    text = io.TextIOWrapper(stream, "utf-8", newline="", errors="backslashreplace")
    write_hunt(finished.done.hunt, format_, text)
    text.flush()
    text.detach()


def write_hunt(hunt: Hunt, format_: str, out: IO[str]) -> None:
    """The rows of a hunt as ``jsonl``, ``json`` or ``csv``."""
    if format_ == "csv":
        write_rows(iterate_flat(hunt), list_flat_fields(hunt), format_, out=out)
    else:
        write_rows(iterate_hunt(hunt), FIELDS, format_, out=out)


def _write_parquet(finished: FinishedHunt, stream: BinaryIO) -> None:
    """A typed column a field, a row group a detection."""
    hunt = finished.done.hunt
    types = dict(_type_columns(hunt))
    schema = pa.schema(list(types.items()))
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for match, _ in hunt.hits():
            fixed = pa.Table.from_pylist([_type_row(row) for row in iterate_match(match)], schema)
            columns = [
                _cast(match.rows[name.removeprefix(ROW_PREFIX)], kind)
                if name.startswith(ROW_PREFIX)
                and name.removeprefix(ROW_PREFIX) in match.rows.column_names
                else fixed[name]
                for name, kind in types.items()
            ]
            writer.write_table(pa.table(columns, schema=schema))


def _type_columns(hunt: Hunt) -> Iterator[tuple[str, pa.DataType]]:
    """A type for each column: that of the field in all rows, else text, or lists of it."""
    kinds: dict[str, set[pa.DataType]] = {}
    for name, kind in _list_held(hunt):
        kinds.setdefault(f"{ROW_PREFIX}{name}", set()).add(kind)
    for name in list_flat_fields(hunt):
        if name not in kinds:
            yield name, _TYPES.get(name, pa.string())
        elif any(map(pa.types.is_list, kinds[name])):
            yield name, _TEXTS
        else:
            yield name, kinds[name].pop() if len(kinds[name]) == 1 else pa.string()


def _type_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row that was found, as its columns have it."""
    typed = {name: value for name, value in row.items() if name != "row"}
    typed["_time"] = datetime.fromisoformat(row["_time"])
    for name, kind in _TYPES.items():
        if kind == _TEXTS and not isinstance(typed[name], list):
            typed[name] = [] if typed[name] is None else [typed[name]]
    return typed


def _cast(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if values.type == kind:
        return values
    if kind == _TEXTS and not pa.types.is_list(values.type):
        texts = values.cast(pa.string()).combine_chunks()
        ends = pc.cumulative_sum(texts.is_valid().cast(pa.int32()))
        offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
        return pa.chunked_array([pa.ListArray.from_arrays(offsets, texts.drop_null())])
    return values.cast(kind)


def _write_page(finished: FinishedHunt, stream: BinaryIO) -> None:
    stream.write(report.render_html(finished.report).encode())


def _write_markdown(finished: FinishedHunt, stream: BinaryIO) -> None:
    stream.write(report.render_markdown(finished.report).encode())


def write_layer(finished: FinishedHunt, stream: BinaryIO) -> None:
    """A layer for MITRE's ATT&CK Navigator, as JSON."""
    found = [(m.detection, m.rows.num_rows) for m, _ in finished.done.hunt.hits()]
    layer = build_layer(found, description=_describe_span(finished.summary.data))
    stream.write(dump_json(layer, indent=True).encode() + b"\n")


def _describe_span(data: Span | None) -> str:
    if data is None:
        return "No logs"
    return f"Logs from {iso_utc(data.earliest)} to {iso_utc(data.latest)}"


WRITERS: Mapping[str, Writer] = {
    ".html": _write_page,
    ".md": _write_markdown,
    ".jsonl": partial(_write_text, format_="jsonl"),
    ".json": partial(_write_text, format_="json"),
    ".csv": partial(_write_text, format_="csv"),
    ".parquet": _write_parquet,
}
"""Suffix of a file's name -> what writes it."""
