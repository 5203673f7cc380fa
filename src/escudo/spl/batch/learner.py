"""Rows -> a model of scikit-learn and what it says of them, model <-> bytes: ``fit``, ``apply``.

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
from escudo.spl.batch.features import (
    Array,
    Feature,
    choose_feature,
    put_column,
    read_inputs,
    read_target,
    spread_values,
)
from escudo.spl.batch.learning_extra import require_learning
from escudo.spl.syntax.wildcards import select_names


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
        """The model in some bytes.

        Raises ``SPL319`` where they hold anything else, ``SPL327`` without the extra ``ml``.
        """
        require_learning("a model of scikit-learn")
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
    features = tuple(f for n in chosen if (f := choose_feature(table, n, algorithm)) is not None)
    matrix, whole = read_inputs(table, features, algorithm)
    wanted: Array | None = None
    if target is not None:
        wanted, known = read_target(table, target, algorithm)
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
    matrix, whole = read_inputs(table, model.features, model.algorithm)
    rows = np.flatnonzero(whole)
    if not len(rows):
        return table
    with _guarded(model.algorithm):
        added = list(_outputs(model.estimator, model, matrix[rows], alias))
    out = table
    for name, values in added:
        out = put_column(out, name, spread_values(values, rows, table.num_rows))
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
    out = put_column(table, alias or algorithm.output, spread_values(shown, rows, table.num_rows))
    if algorithm.kind is Kind.OUTLIER and model.settings.get("anomaly_score", True):
        scores = -model.estimator.negative_outlier_factor_
        out = put_column(out, "anomaly_score", spread_values(scores, rows, table.num_rows))
    return out


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
