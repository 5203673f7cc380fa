"""Columns of rows <-> the numbers that an estimator of scikit-learn sees; the learner calls it.

Rows are prepared as the Machine Learning Toolkit does it (manual: Using the fit and apply
commands): a field without any value, or with more than 100 different texts, is left out; a row with
a null in one of the others is not learned from and gets no result; a field of texts becomes one
column of 0 and 1 for each text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from escudo.core.errors import EscudoError
from escudo.spl.batch.algorithms import Algorithm, Kind
from escudo.spl.batch.outliers import numbers
from escudo.spl.batch.pivot import text

Array = np.ndarray[Any, np.dtype[Any]]

MOST_VALUES = 100
"""Different texts that a field may have (the toolkit's ``max_distinct_cat_values``)."""


@dataclass(frozen=True)
class Feature:
    """A field that is learned from: a number, or one of ``values``."""

    name: str
    values: tuple[str, ...] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        if self.values is None:
            return (self.name,)
        return tuple(f"{self.name}={value}" for value in self.values)


def _cells(table: pa.Table, name: str) -> list[Any]:
    if name in table.column_names:
        cells: list[Any] = table[name].to_pylist()
        return cells
    return [None] * table.num_rows


def _is_number(table: pa.Table, name: str) -> bool:
    if name not in table.column_names:
        return False
    kind = table.schema.field(name).type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _numbers(table: pa.Table, name: str) -> Array:
    """A field as numbers, NaN where it has none."""
    if _is_number(table, name):
        return np.asarray(table[name].cast(pa.float64()).to_numpy(), dtype=float)
    return np.array([np.nan if n is None else n for n in numbers(_cells(table, name))], dtype=float)


def _texts(table: pa.Table, name: str) -> Array:
    """A field as texts, None where it has no value."""
    return np.array([None if c is None else text(c) for c in _cells(table, name)], dtype=object)


def _known(texts: Array) -> Array:
    return np.array([t is not None for t in texts], dtype=bool)


def choose_feature(table: pa.Table, name: str, algorithm: Algorithm) -> Feature | None:
    """How a field is learned from; None if it cannot be."""
    if _is_number(table, name):
        return Feature(name) if table[name].null_count < table.num_rows else None
    known = [c for c in _cells(table, name) if c is not None]
    if not known:
        return None
    if algorithm.kind is Kind.TEXT or all(n is not None for n in numbers(known)):
        return Feature(name)
    values = sorted({text(c) for c in known})
    return Feature(name, tuple(values)) if len(values) <= MOST_VALUES else None


def read_inputs(
    table: pa.Table, features: Sequence[Feature], algorithm: Algorithm
) -> tuple[Array, Array]:
    """What an estimator sees (columns of numbers, or texts), and which rows are whole."""
    if algorithm.kind is not Kind.TEXT:
        return _matrix(table, features, keep_nulls=algorithm.name == "Imputer")
    texts = _texts(table, features[0].name) if features else np.array([], dtype=object)
    return texts, _known(texts)


def _matrix(
    table: pa.Table, features: Sequence[Feature], *, keep_nulls: bool
) -> tuple[Array, Array]:
    """The features as columns of numbers, and which rows have all of them."""
    count = table.num_rows
    whole = np.ones(count, dtype=bool)
    columns: list[Array] = []
    for f in features:
        if f.values is None:
            column = _numbers(table, f.name)
            if not keep_nulls:
                whole &= np.isfinite(column)
            columns.append(column)
            continue
        shown = _texts(table, f.name)
        whole &= _known(shown)
        columns += [(shown == value).astype(float) for value in f.values]
    return (np.column_stack(columns) if columns else np.zeros((count, 0))), whole


def read_target(table: pa.Table, name: str, algorithm: Algorithm) -> tuple[Array, Array]:
    """The field to predict, and which rows have it."""
    if algorithm.kind is not Kind.REGRESSOR:
        labels = _texts(table, name)
        known = _known(labels)
        return np.where(known, labels, "").astype(str), known
    found = _numbers(table, name)
    lacking = np.isnan(found)
    if lacking.any() and not _is_number(table, name):
        words = [t for t in _texts(table, name)[lacking] if t is not None]
        if words:
            message = f"{algorithm.name} predicts a number; {name} has {words[0]!r}"
            raise EscudoError("SPL318", message)
    return found, np.isfinite(found)


def spread_values(values: Array, rows: Array, count: int) -> pa.Array:
    """Values of some rows as a column of all; the others are null."""
    places = np.full(count, -1)
    places[rows] = np.arange(len(rows))
    found = pa.array(values, pa.string() if values.dtype.kind in "OU" else None)
    return found.take(pa.array(places, mask=places < 0))


def put_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, values)
    return table.append_column(name, values)
