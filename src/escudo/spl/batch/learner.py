"""Models of scikit-learn over rows: fitting, applying, and keeping them as bytes.

Rows are prepared as the Machine Learning Toolkit does it (manual: Using the fit and apply
commands): a field without any value, or with more than 100 different texts, is left out; a row with
a null in one of the others is not learned from and gets no result; a field of texts becomes one
column of 0 and 1 for each text.

A stored model is JSON, with the estimator as skops writes it: data, not code. Reading one makes
objects of the types that are named here and of scikit-learn's own only, and runs nothing of it.
"""

from __future__ import annotations

import base64
import binascii
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
import pyarrow as pa

from escudo.core.errors import EscudoError
from escudo.spl.batch.algorithms import ALGORITHMS, Algorithm, Kind
from escudo.spl.batch.outliers import numbers
from escudo.spl.batch.pivot import text
from escudo.spl.syntax.wildcards import select_names

MOST_VALUES = 100
"""Different texts that a field may have (the toolkit's ``max_distinct_cat_values``)."""

Array = np.ndarray[Any, np.dtype[Any]]


class NothingToLearnError(EscudoError):
    """There is no row to learn from, as over an empty lake (SPL318)."""

    def __init__(self, message: str) -> None:
        super().__init__("SPL318", message)


_TRUSTED = [
    "numpy.dtype",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.feature_selection._univariate_selection.f_regression",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
]
"""Types of estimators' parts that skops does not trust by itself; plain data all of them."""


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


@dataclass(frozen=True)
class Learned:
    """A fitted model. ``settings`` are the options that are not the estimator's."""

    algorithm: Algorithm
    target: str | None
    features: tuple[Feature, ...]
    estimator: Any
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that the estimator sees."""
        return tuple(c for f in self.features for c in f.columns)

    def to_bytes(self) -> bytes:
        """As JSON, which ``from_bytes`` reads."""
        written = import_module("skops.io").dumps(
            self.estimator, compression=zipfile.ZIP_DEFLATED, compresslevel=6
        )
        return json.dumps(
            {
                "algorithm": self.algorithm.name,
                "target": self.target,
                "features": [[f.name, f.values] for f in self.features],
                "settings": dict(self.settings),
                "estimator": base64.b64encode(written).decode("ascii"),
            }
        ).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Learned:
        """The model in some bytes. Raises ``SPL319`` where they hold anything else."""
        try:
            data = json.loads(content)
            algorithm = ALGORITHMS[data["algorithm"].lower()]
            estimator = import_module("skops.io").loads(
                base64.b64decode(data["estimator"], validate=True), trusted=_TRUSTED
            )
            features = tuple(
                Feature(name, None if values is None else tuple(values))
                for name, values in data["features"]
            )
            target, settings = data["target"], data["settings"]
        except _UNREADABLE as error:
            raise EscudoError("SPL319", f"the model cannot be read: {error}") from error
        except Exception as error:  # skops: its own errors, and those of a damaged file
            reason = f"{type(error).__name__}: {error}"
            raise EscudoError("SPL319", f"the model cannot be read: {reason}") from error
        if type(estimator) is not _class(algorithm):
            raise EscudoError("SPL319", f"the model is no {algorithm.name}")
        return cls(algorithm, target, features, estimator, settings)


_UNREADABLE = (KeyError, ValueError, TypeError, AttributeError, binascii.Error)


def _class(algorithm: Algorithm) -> type[Any]:
    module, _, name = algorithm.estimator.partition(":")
    found: type[Any] = getattr(import_module(module), name)
    return found


def learn(
    table: pa.Table,
    algorithm: Algorithm,
    target: str | None,
    names: Sequence[str],
    options: Mapping[str, Any],
    alias: str | None = None,
) -> tuple[Learned, pa.Table]:
    """A model of some rows, and the rows with what it says of them.

    Args:
        table: the rows; columns are fields.
        algorithm: what to fit.
        target: the field that is predicted.
        names: the fields to learn from; ``*`` stands for any but the target and internal ones.
        options: option -> value, as the algorithm reads them.
        alias: the name of what is added, in place of the algorithm's.

    Raises:
        NothingToLearnError: where no row has what is needed.
        EscudoError: SPL318 where the estimator refuses the rows, SPL104 where it refuses an option.
    """
    chosen = [n for n in select_names(names, table.column_names) if n != target]
    features = tuple(f for n in chosen if (f := _feature(table, n, algorithm)) is not None)
    matrix, whole = _inputs(table, features, algorithm)
    wanted: Array | None = None
    if target is not None:
        wanted, known = _target(table, target, algorithm)
        whole = whole & known
    if not features or not whole.any():
        raise NothingToLearnError(f"{algorithm.name} has no row to learn from")
    rows = np.flatnonzero(whole)
    if len(rows) > algorithm.most:
        if not algorithm.saved:
            raise EscudoError(
                "SPL318",
                f"{algorithm.name} takes at most {algorithm.most:,} rows, not {len(rows):,}",
            )
        rows = rows[np.linspace(0, len(rows) - 1, algorithm.most).astype(int)]
    settings = {n: v for n, v in options.items() if not algorithm.options[n].parameter}
    estimator = _estimator(algorithm, options, settings)
    model = Learned(algorithm, target, features, estimator, settings)
    with _guarded(algorithm):
        y = None if wanted is None else wanted[rows]
        if algorithm.saved:
            estimator.fit(matrix[rows], y) if y is not None else estimator.fit(matrix[rows])
        else:
            labels = estimator.fit_predict(matrix[rows])
            return model, _once(table, model, labels, rows, alias)
    return model, use(table, model, alias)


def use(table: pa.Table, model: Learned, alias: str | None = None) -> pa.Table:
    """The rows with what a model says of them; null where a row lacks what it needs."""
    matrix, whole = _inputs(table, model.features, model.algorithm)
    rows = np.flatnonzero(whole)
    if not len(rows):
        return table
    with _guarded(model.algorithm):
        added = list(_outputs(model.estimator, model, matrix[rows], alias))
    out = table
    for name, values in added:
        out = _put(out, name, _spread(values, rows, table.num_rows))
    return out


def _outputs(
    estimator: Any, model: Learned, matrix: Array, alias: str | None
) -> Iterator[tuple[str, Array]]:
    """The fields that a model adds to whole rows."""
    algorithm = model.algorithm
    match algorithm.kind:
        case Kind.CLASSIFIER | Kind.REGRESSOR:
            yield alias or f"predicted({model.target})", estimator.predict(matrix)
            if model.settings.get("probabilities"):
                shares = estimator.predict_proba(matrix)
                for i, value in enumerate(estimator.classes_):
                    yield f"probability({model.target}={value})", shares[:, i]
        case Kind.CLUSTER:
            labels = estimator.predict(matrix)
            yield alias or algorithm.output, labels
            distances = estimator.transform(matrix)
            own = distances[np.arange(len(labels)), labels]
            yield f"{alias or algorithm.output}_distance", own
        case Kind.OUTLIER:
            marks = estimator.predict(matrix)
            yield alias or algorithm.output, -marks if algorithm.negated else marks
        case Kind.COMPONENTS:
            for i, values in enumerate(estimator.transform(matrix).T, 1):
                yield f"{alias or algorithm.output}_{i}", values
        case Kind.TEXT:
            prefix = alias or f"{model.features[0].name}_{algorithm.output}"
            weights = estimator.transform(matrix).toarray()
            for i, term in enumerate(estimator.get_feature_names_out()):
                yield f"{prefix}_{i}_{term.replace(' ', '_')}", weights[:, i]
        case Kind.SELECTOR:
            kept = estimator.get_support()
            for name, values, keep in zip(model.columns, matrix.T, kept, strict=True):
                if keep:
                    yield f"{alias or algorithm.output}_{name}", values
        case Kind.SCALER:
            for name, values in zip(model.columns, estimator.transform(matrix).T, strict=True):
                yield f"{alias or algorithm.output}_{name}", values


def _once(
    table: pa.Table, model: Learned, labels: Array, rows: Array, alias: str | None
) -> pa.Table:
    """The rows with the labels of an algorithm that cannot be applied to others."""
    algorithm = model.algorithm
    shown = -labels if algorithm.negated else labels
    out = _put(table, alias or algorithm.output, _spread(shown, rows, table.num_rows))
    if algorithm.kind is Kind.OUTLIER and model.settings.get("anomaly_score", True):
        scores = -model.estimator.negative_outlier_factor_
        out = _put(out, "anomaly_score", _spread(scores, rows, table.num_rows))
    return out


# --- rows -----------------------------------------------------------------------------------------


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


def _feature(table: pa.Table, name: str, algorithm: Algorithm) -> Feature | None:
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


def _inputs(
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


def _target(table: pa.Table, name: str, algorithm: Algorithm) -> tuple[Array, Array]:
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


def _spread(values: Array, rows: Array, count: int) -> pa.Array:
    """Values of some rows as a column of all; the others are null."""
    places = np.full(count, -1)
    places[rows] = np.arange(len(rows))
    found = pa.array(values, pa.string() if values.dtype.kind in "OU" else None)
    return found.take(pa.array(places, mask=places < 0))


def _put(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, values)
    return table.append_column(name, values)


# --- estimators -----------------------------------------------------------------------------------


def _estimator(
    algorithm: Algorithm, options: Mapping[str, Any], settings: Mapping[str, Any]
) -> Any:
    given = {
        algorithm.options[name].parameter: value
        for name, value in options.items()
        if algorithm.options[name].parameter
    }
    if algorithm.name == "PCA" and given.get("n_components") == 1.0 and "k" not in options:
        del given["n_components"]
    if algorithm.kind is Kind.SELECTOR:
        functions = import_module("sklearn.feature_selection")
        numeric = settings.get("type") == "numeric"
        given["score_func"] = functions.f_regression if numeric else functions.f_classif
    return _class(algorithm)(**{**algorithm.fixed, **given})


@contextmanager
def _guarded(algorithm: Algorithm) -> Iterator[None]:
    """What an estimator refuses is an error: SPL104 for a parameter, SPL318 for the rows."""
    try:
        yield
    except (ValueError, TypeError, ArithmeticError) as error:
        reason = str(error).strip().splitlines()[0]
        bad_parameter = type(error).__name__ == "InvalidParameterError"
        code = "SPL104" if bad_parameter else "SPL318"
        raise EscudoError(code, f"{algorithm.name}: {reason}") from error


# --- what a model knows ----------------------------------------------------------------------


def described(model: Learned) -> pa.Table | None:
    """A model's inside, as ``summary`` shows it; None where there is nothing to show."""
    estimator, columns = model.estimator, list(model.columns)
    if hasattr(estimator, "cluster_centers_"):
        centres = estimator.cluster_centers_
        shown = {name: centres[:, i].tolist() for i, name in enumerate(columns)}
        return pa.table({"cluster": list(range(len(centres))), **shown})
    if hasattr(estimator, "coef_") and model.algorithm.predicts:
        return _coefficients(model, columns)
    if hasattr(estimator, "feature_importances_"):
        importances = estimator.feature_importances_.tolist()
        return pa.table({"feature": columns, "importance": importances})
    if hasattr(estimator, "explained_variance_ratio_"):
        return pa.table(
            {
                "component": [f"PC_{i + 1}" for i in range(len(estimator.explained_variance_))],
                "explained_variance": estimator.explained_variance_.tolist(),
                "explained_variance_ratio": estimator.explained_variance_ratio_.tolist(),
                "singular_values": estimator.singular_values_.tolist(),
            }
        )
    if hasattr(estimator, "scale_"):
        centre = getattr(estimator, "mean_", getattr(estimator, "center_", None))
        return pa.table(
            {
                "fields": columns,
                "center": centre.tolist() if centre is not None else [None] * len(columns),
                "scale": np.broadcast_to(estimator.scale_, len(columns)).tolist(),
            }
        )
    return None


def _coefficients(model: Learned, columns: Sequence[str]) -> pa.Table:
    estimator = model.estimator
    rows = np.atleast_2d(estimator.coef_)
    intercepts = np.broadcast_to(np.atleast_1d(estimator.intercept_), len(rows))
    classes = list(getattr(estimator, "classes_", [None]))
    names = [None] * len(rows) if len(classes) <= 1 else classes[-len(rows) :]
    out: dict[str, list[Any]] = {"feature": [], "coefficient": [], "class": []}
    for name, row, intercept in zip(names, rows, intercepts, strict=True):
        out["feature"] += [*columns, "_intercept"]
        out["coefficient"] += [*row.tolist(), float(intercept)]
        out["class"] += [None if name is None else str(name)] * (len(columns) + 1)
    if not any(out["class"]):
        del out["class"]
    return pa.table(out)
