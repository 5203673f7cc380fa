"""A model of scikit-learn -> a table of what it has learned: ``summary`` (the toolkit's manual)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from escudo.spl.batch.learner import Learned


def describe_model(model: Learned) -> pa.Table | None:
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
