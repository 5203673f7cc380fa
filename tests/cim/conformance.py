"""Rows of the data models -> what of the CIM manual's tables they do not keep, by source and field.

``requirements.yml`` has what the manual asks; types are those of ``escudo.cim.models``. A field has
no value where it is null, empty, or one of the words that stand for none; the default that a data
model puts where a source gives nothing is none, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from escudo.cim.models import Dataset, ModelField, load
from escudo.cim.normalise import Normaliser
from escudo.core.schema import FieldType
from escudo.engines.duckdb import connect
from escudo.lake.event_ids import put_column
from escudo.sources.raw_batch import RawBatch
from tests.yaml_file import read_yaml

NONE_WORDS = ("", "-", "unknown", "null", "(null)", "N/A")
_SHAPES = {
    "number": r"^(-?\d+(\.\d+)?([eE][-+]?\d+)?|0[xX][0-9a-fA-F]+)$",
    "boolean": r"^(?i:true|false|1|0|yes|no)$",
    "address": r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*(%\w+)?)$",
    "mac": r"^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$",
    "port": r"^\d{1,5}$",
}


@dataclass(frozen=True)
class Asked:
    """What the manual asks of the rows of a dataset."""

    required: Sequence[str]
    prescribed: Mapping[str, Sequence[str]]
    given: Mapping[str, Mapping[str, Sequence[str]]]


@dataclass
class Tally:
    """Of one field: rows that must have it, those without, and values that it must not have."""

    rows: int = 0
    without: int = 0
    wrong: Counter[str] = field(default_factory=Counter)


Key = tuple[str, str, str]
"""Source, dataset, field."""


@cache
def requirements() -> Mapping[str, Asked]:
    said = read_yaml(Path(__file__).with_name("requirements.yml"))
    return {
        name: Asked(each.get("required", ()), each.get("prescribed") or {}, each.get("given") or {})
        for name, each in said.items()
    }


class Conformance:
    """Takes raw batches and keeps the tallies of their rows."""

    def __init__(self) -> None:
        self._normaliser = Normaliser(connect(threads=1))
        self._datasets = {d.schema.table: d for d in load().roots()}
        self.rows: Counter[tuple[str, str]] = Counter()
        self.tallies: dict[Key, Tally] = {}

    def take(self, batches: Iterable[RawBatch]) -> Conformance:
        """Events without a host have the one that an input would give them."""
        for batch in batches:
            known = pc.not_equal(batch.table["host"], "unknown")
            hosts = pc.if_else(known, batch.table["host"], "collector.example")
            batch = RawBatch(batch.family, put_column(batch.table, "host", hosts))
            for made in self._normaliser.normalise(batch):
                self._judge(batch.family.name, self._datasets[made.table], made.data)
        return self

    def _judge(self, source: str, dataset: Dataset, rows: pa.Table) -> None:
        name = f"{dataset.model}.{dataset.name}"
        self.rows[source, name] += rows.num_rows
        for each, tally in judge(dataset, requirements()[name], rows):
            total = self.tallies.setdefault((source, name, each), Tally())
            total.rows += tally.rows
            total.without += tally.without
            total.wrong += tally.wrong


def judge(dataset: Dataset, asked: Asked, rows: pa.Table) -> Iterator[tuple[str, Tally]]:
    """The tally of each field of a dataset over some of its rows."""
    for model_field in dataset.fields:
        name = model_field.name
        values = _texts(rows, dataset, name)
        has = _valued(model_field, values, rows)
        tally = Tally()
        if name in asked.required:
            tally.rows, tally.without = rows.num_rows, _count(pc.invert(has))
        elif name in asked.given:
            wanted = _holds(dataset, asked.given[name], rows)
            tally.rows, tally.without = _count(wanted), _count(pc.and_(wanted, pc.invert(has)))
        for check in _checks(model_field, asked):
            bad = pc.and_(has, pc.invert(pc.fill_null(check(values), True)))
            tally.wrong += Counter(values.filter(bad).to_pylist())
        yield name, tally


def _checks(model_field: ModelField, asked: Asked) -> Iterator[Any]:
    if (prescribed := asked.prescribed.get(model_field.name)) is not None:
        allowed = pa.array(list(prescribed))
        yield lambda values: pc.is_in(values, value_set=allowed)
    if model_field.type is FieldType.MULTIVALUE:
        return
    name = model_field.name
    kind = (
        "port"
        if name.endswith("_port") and model_field.kind == "number"
        else "address"
        if name.endswith("_ip")
        else "mac"
        if name.endswith("_mac")
        else model_field.kind
    )
    if (shape := _SHAPES.get(kind)) is not None:
        yield lambda values: pc.match_substring_regex(values, shape)


def _texts(rows: pa.Table, dataset: Dataset, name: str) -> pa.ChunkedArray:
    """A field's values as text; of several the first that there is."""
    column = next(c.physical for c in dataset.schema.columns if c.name == name)
    values = rows[column]
    if pa.types.is_list(values.type):
        values = pc.list_element(_padded(values), 0)
    return values.cast(pa.string())


def _padded(values: pa.ChunkedArray) -> pa.Array:
    lists = values.combine_chunks()
    empty = pc.equal(pc.list_value_length(lists), 0)
    return pc.if_else(empty, pa.scalar(None, lists.type), lists)


def _valued(model_field: ModelField, values: pa.ChunkedArray, rows: pa.Table) -> pa.ChunkedArray:
    none = list(NONE_WORDS) + (["0"] if model_field.fill == "0" else [])
    has = pc.and_(pc.is_valid(values), pc.invert(pc.is_in(values, value_set=pa.array(none))))
    if model_field.fill == "sourcetype":
        is_default = pc.fill_null(pc.equal(values, rows["sourcetype"]), False)
        has = pc.and_(has, pc.invert(is_default))
    return has


def _holds(
    dataset: Dataset, condition: Mapping[str, Sequence[str]], rows: pa.Table
) -> pa.ChunkedArray:
    [(name, wanted)] = condition.items()
    column = next(c.physical for c in dataset.schema.columns if c.name == name)
    values = rows[column]
    if not pa.types.is_list(values.type):
        return pc.fill_null(pc.is_in(values, value_set=pa.array(list(wanted))), False)
    met = [bool(set(each or ()) & set(wanted)) for each in values.to_pylist()]
    return pa.chunked_array([pa.array(met, pa.bool_())])


def _count(mask: pa.ChunkedArray) -> int:
    return pc.sum(mask).as_py() or 0
