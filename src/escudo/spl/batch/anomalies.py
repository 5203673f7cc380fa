"""Rows -> those with improbable values, or marks on them: ``anomalydetection``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from escudo.spl.batch.outliers import numbers
from escudo.spl.batch.pivot import text

_CATEGORIES_ARE_NUMBERS_ABOVE = 10


def anomalies(
    table: pa.Table,
    names: Sequence[str],
    method: str,
    action: str,
    threshold: float | None,
    cutoff: bool,
) -> pa.Table:
    """The rows whose values are improbable together.

    ``histogram``: the probability of a row is the product of those of its values, each taken from
    a histogram (numbers in bins) or the share of a category; a row is anomalous below the
    threshold, by default the 1.5-fold interquartile range below the middle of the logarithms.
    ``zscore``: a number is anomalous beyond so many standard deviations (default 3.5), a category
    below a share. ``filter`` keeps the anomalous rows, ``annotate`` adds ``log_event_prob`` to
    all, ``summary`` gives one row about the run.
    """
    fields = [n for n in names or table.column_names if n in table.column_names]
    fields = [n for n in fields if not n.startswith("_")]
    logs = np.zeros(table.num_rows)
    causes = np.full(table.num_rows, "", dtype=object)
    lowest = np.zeros(table.num_rows)
    for name in fields:
        found = _log_probabilities(table[name].to_pylist(), method)
        worse = found < lowest
        causes[worse] = name
        lowest = np.minimum(lowest, found)
        logs += found
    limit = _limit(logs, method, threshold, cutoff)
    wrong = logs < limit if table.num_rows else np.zeros(0, bool)
    if action == "summary":
        return pa.table(
            {
                "num_anomalies": [int(wrong.sum())],
                "thresh": [float(limit)],
                "max_logprob": [float(logs.max(initial=-np.inf))],
                "min_logprob": [float(logs.min(initial=np.inf))],
            }
        )
    made = {
        "log_event_prob": pa.array(logs, pa.float64()),
        "probable_cause": pa.array([c or None for c in causes], pa.string()),
    }
    shown = table.drop_columns([n for n in made if n in table.column_names])
    for name, values in made.items():
        shown = shown.append_column(name, values)
    return shown.filter(pa.array(wrong)) if action == "filter" else shown


def _log_probabilities(cells: Sequence[Any], method: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    values = numbers(cells)
    known = np.array([v for v in values if v is not None])
    numeric = (
        len(known) == sum(c is not None for c in cells)
        and len(np.unique(known)) > _CATEGORIES_ARE_NUMBERS_ABOVE
    )
    out = np.zeros(len(cells))
    if not numeric:
        counted = Counter(text(c) for c in cells if c is not None)
        total = sum(counted.values())
        for i, c in enumerate(cells):
            if c is not None:
                out[i] = np.log(counted[text(c)] / total)
        return out
    at = np.array([i for i, v in enumerate(values) if v is not None])
    if method == "zscore":
        spread = known.std() or 1.0
        out[at] = -(((known - known.mean()) / spread) ** 2) / 2
        return out
    counts, edges = np.histogram(known, bins="auto")
    places = np.clip(np.searchsorted(edges, known, side="right") - 1, 0, len(counts) - 1)
    out[at] = np.log(counts[places] / len(known))
    return out


def _limit(
    logs: np.ndarray[Any, np.dtype[np.float64]], method: str, threshold: float | None, cutoff: bool
) -> float:
    if not len(logs):
        return 0.0
    if threshold is not None:
        return float(np.log(threshold)) if threshold else -np.inf
    if method == "zscore":
        return -(3.5**2) / 2
    low, high = np.quantile(logs, (0.25, 0.75))
    limit = float(low - 1.5 * (high - low))
    return min(limit, float(np.log(0.01))) if cutoff else limit
