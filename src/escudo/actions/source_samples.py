"""Samples of sources (texts, and the rows they must become) -> what differs; called by
``escudo source test`` and by the tests of Escudo's own sources.

A source's YAML carries them under ``samples``, or a file ``NAME.samples.yml`` beside it is a list
of them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from escudo.cim.models import Models
from escudo.cim.normalise import Normaliser
from escudo.core.errors import Diagnostic, EscudoError, Span
from escudo.core.schema import MV_SEPARATOR, RAW_REST
from escudo.engines.duckdb import connect
from escudo.lake.labels import NO_LABELS, Labels
from escudo.sources import Families, Family
from escudo.sources.families import SAMPLES
from escudo.sources.opening import LogStream, open_logs
from escudo.sources.reading import RawBatch, Rejected, read
from escudo.spl import alias, compile_eval, select, table

ABSENT = "absent"
"""What a sample says of a field that an event must not have."""
_KEYS = frozenset(
    {"name", "why", "text", "source", "sourcetype", "family", "rows", "models", "rejected"}
)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A text, and what must become of it.

    Attributes:
        labels: what is said of the text's source, as ``escudo ingest --sourcetype`` says it.
        rows: the events in order: field -> value, of those fields that the sample names.
        models: dataset (``Endpoint.Processes``) -> its rows in order; no other dataset has any.
        rejected: the codes of what is no event.
    """

    source: str
    name: str
    text: str = field(repr=False)
    labels: Labels = NO_LABELS
    rows: Sequence[Mapping[str, Any]] = ()
    models: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    rejected: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class SampleResult:
    """A sample that was run; ``problems`` in words, none if it is as it must be."""

    sample: Sample
    problems: tuple[str, ...]


def find_samples(folder: Path, families: Families) -> Iterator[Sample]:
    """The samples of the sources in a folder, by the names of their files.

    Raises:
        EscudoError: SRC054 for a sample that is not written as one.
    """
    here = folder.resolve()
    for family in families.values():
        path = Path(family.definition.file)
        if not path.is_file() or path.resolve().parent != here:
            continue
        yield from read_samples(family.definition.values.get("samples"), family.name, str(path))
        beside = path.with_name(path.stem + SAMPLES)
        if beside.is_file():
            said = yaml.load(beside.read_text("utf-8"), yaml.CSafeLoader)
            yield from read_samples(said, family.name, str(beside))


def read_samples(said: Any, source: str, file: str) -> Iterator[Sample]:
    """Samples as YAML has them: a list of mappings with ``text``, ``rows``, ``models``."""
    if said is None:
        return
    if not isinstance(said, list):
        raise _wrong(file, "samples are a list")
    for number, each in enumerate(said, 1):
        if not isinstance(each, dict) or not isinstance(each.get("text"), str):
            raise _wrong(file, f"sample {number} needs a text")
        unknown = sorted(set(each) - _KEYS)
        if unknown:
            raise _wrong(file, f"sample {number}: unknown key {unknown[0]!r}")
        yield Sample(
            source=str(each.get("family", source)),
            name=str(each.get("name", f"sample {number}")),
            text=each["text"],
            labels=Labels(source=each.get("source"), sourcetype=each.get("sourcetype")),
            rows=each.get("rows") or (),
            models=each.get("models") or {},
            rejected=tuple(each.get("rejected") or ()),
        )


def _wrong(file: str, message: str) -> EscudoError:
    return EscudoError("SRC054", message, span=Span(file, 1, 1, 1, 2))


class SampleBench:
    """Runs samples, one after the other, over some sources and data models."""

    def __init__(self, families: Families, models: Models) -> None:
        self._families = families
        self._models = models
        self._connection = connect(threads=1)
        self._normaliser = Normaliser(self._connection, models)

    def run(self, sample: Sample) -> SampleResult:
        """Reads a sample's text as a file is read, and compares."""
        problems: list[str] = []
        batches: list[RawBatch] = []
        rejected: list[str] = []
        for item in self._read(sample):
            if isinstance(item, RawBatch):
                batches.append(item)
            else:
                rejected.append(item.code)
        if sorted(rejected) != sorted(sample.rejected):
            problems.append(f"rejected: {rejected}, expected {list(sample.rejected)}")
        problems += self._compare_rows(sample, batches)
        problems += self._compare_models(sample, batches)
        return SampleResult(sample, tuple(problems))

    def _read(self, sample: Sample) -> Iterator[RawBatch | Rejected | Diagnostic]:
        given = self._families.claim(sample.labels.source, sample.labels.sourcetype)
        stdin = io.BytesIO(sample.text.encode())
        judge = self._families.judge_with(given)
        for stream in open_logs(["-"], stdin=stdin, judge=judge):
            if not isinstance(stream, LogStream):
                yield stream
                continue
            for item in read(stream, self._families, given=given):
                if isinstance(item, RawBatch):
                    yield RawBatch(item.family, sample.labels.put(item.table))
                else:
                    yield item

    def _compare_rows(self, sample: Sample, batches: Sequence[RawBatch]) -> Iterator[str]:
        wanted = sorted({name for row in sample.rows for name in row})
        found = [row for batch in batches for row in self._rows(batch, wanted)]
        others = sorted({batch.family.name for batch in batches} - {sample.source})
        if others and not any("family" in row for row in sample.rows):
            yield f"events of {', '.join(others)}, expected {sample.source}"
        if len(found) != len(sample.rows):
            yield f"{len(found)} events, expected {len(sample.rows)}"
        for number, (row, expected) in enumerate(zip(found, sample.rows, strict=False), 1):
            yield from _compare(f"event {number}", row, expected)

    def _rows(self, batch: RawBatch, wanted: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The events of a batch: their stored fields, and those search-time fields asked for."""
        schema = batch.family.schema
        names = {c.physical: c.name for c in schema.columns if c.physical is not None}
        made = self._calculate(batch.family, batch.table, wanted)
        for stored, more in zip(batch.table.to_pylist(), made, strict=True):
            rest = dict(stored.pop(RAW_REST) or ())
            row = {names[name]: value for name, value in stored.items() if value is not None}
            row |= {n: v.split(MV_SEPARATOR) if MV_SEPARATOR in v else v for n, v in rest.items()}
            row |= {name: value for name, value in more.items() if value is not None}
            yield {**row, "family": batch.family.name}

    def _calculate(
        self, family: Family, events: pa.Table, wanted: Sequence[str]
    ) -> Sequence[Mapping[str, Any]]:
        columns = [
            alias(compile_eval(column.expr, family.schema).sql, name)
            for name in wanted
            if (column := family.schema.by_name.get(name)) is not None and column.expr is not None
        ]
        if not columns:
            return [{} for _ in range(events.num_rows)]
        self._connection.register("sample_events", events)
        query = select(columns, table("sample_events"))
        made: pa.Table = self._connection.execute(query.sql("duckdb")).to_arrow_table()
        rows: Sequence[Mapping[str, Any]] = made.to_pylist()
        return rows

    def _compare_models(self, sample: Sample, batches: Sequence[RawBatch]) -> Iterator[str]:
        found: dict[str, list[dict[str, Any]]] = {}
        names = {d.schema.table: f"{d.model}.{d.name}" for d in self._models.roots()}
        for batch in batches:
            for model in self._normaliser.normalise(batch):
                found.setdefault(names[model.table], []).extend(model.data.to_pylist())
        for dataset in sorted({*found, *sample.models}):
            rows, expected = found.get(dataset, []), sample.models.get(dataset, ())
            if len(rows) != len(expected):
                yield f"{dataset}: {len(rows)} rows, expected {len(expected)}"
            for number, (row, wanted) in enumerate(zip(rows, expected, strict=False), 1):
                present = {name: value for name, value in row.items() if value is not None}
                yield from _compare(f"{dataset}, row {number}", present, wanted)


def _compare(place: str, row: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[str]:
    for name, value in expected.items():
        found = row.get(name, ABSENT)
        if _text(found) != _text(value):
            yield f"{place}: {name} is {_text(found)!r}, expected {_text(value)!r}"


def _text(value: Any) -> Any:
    """A value as samples write it: lists stay lists, all else is text; a whole number has no point.

    >>> _text(3.0), _text(["a"]), _text(True)
    ('3', ['a'], 'true')
    """
    if isinstance(value, list | tuple):
        return [_text(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
