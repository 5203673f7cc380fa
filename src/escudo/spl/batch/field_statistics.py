"""Rows -> statistics of every field, a row each: ``fieldsummary``."""

from __future__ import annotations

import json
from collections import Counter
from statistics import fmean, stdev
from typing import Any

import pyarrow as pa

from escudo.spl.batch.pivot import text
from escudo.spl.relation.values import is_numeric_text

SUMMARY = (
    "field",
    "count",
    "distinct_count",
    "is_exact",
    "max",
    "mean",
    "min",
    "numeric_count",
    "stdev",
    "values",
)


def summary_of(table: pa.Table, most_values: int) -> pa.Table:
    """One row for each field (Search Reference, fieldsummary).

    >>> rows = summary_of(pa.table({"a": ["1", "3", "3"]}), 1).to_pylist()
    >>> rows[0]["count"], rows[0]["mean"], rows[0]["values"]
    (3, 2.3333333333333335, '[{"value": "3", "count": 2}]')
    """
    rows = [
        _summary(name, table[name].to_pylist(), most_values)
        for name in sorted(table.column_names)
        if not name.startswith("_evidence")
    ]
    kinds = {n: pa.string() for n in ("field", "values")}
    numbers = {n: pa.float64() for n in ("max", "mean", "min", "stdev")}
    counts = dict.fromkeys(("count", "distinct_count", "is_exact", "numeric_count"), pa.int64())
    types = {**kinds, **numbers, **counts}
    return pa.table({n: pa.array([r[n] for r in rows], types[n]) for n in SUMMARY})


def _summary(name: str, cells: list[Any], most_values: int) -> dict[str, Any]:
    flat = [v for c in cells for v in (c if isinstance(c, list) else [c]) if v is not None]
    texts = [text(v) for v in flat]
    numbers = [float(t) for t in texts if is_numeric_text(t)]
    counted = Counter(texts)
    common = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    listed = common[: most_values or None]
    return {
        "field": name,
        "count": len(texts),
        "distinct_count": len(counted),
        "is_exact": 1,
        "max": max(numbers, default=None),
        "mean": fmean(numbers) if numbers else None,
        "min": min(numbers, default=None),
        "numeric_count": len(numbers),
        "stdev": stdev(numbers) if len(numbers) > 1 else 0.0 if numbers else None,
        "values": json.dumps([{"value": v, "count": n} for v, n in listed]),
    }
