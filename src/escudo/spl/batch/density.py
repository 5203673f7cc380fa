"""Numbers -> their density in each group, and what lies outside it: ``DensityFunction`` of ``fit``.

The algorithm of Splunk's machine learning toolkit in its documented terms: a normal, exponential
or kernel density is fitted to the values of each group; the part of the distribution of least
density whose area is the threshold is outlying. ``dist=auto`` takes the density that is nearest to
the data by the metric. A beta distribution is not offered.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa

from escudo.spl.batch.outliers import numbers
from escudo.spl.batch.pivot import text

DISTRIBUTIONS = ("norm", "expon", "gaussian_kde")
METRICS = ("wasserstein", "kolmogorov_smirnov")
"""How far a density is from the data, for choosing one."""
_KDE_SAMPLE = 1000
_GRID = 2001

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Density:
    """A fitted density. ``points`` are kernel centres, ``scale`` their width (or the standard
    deviation, or the mean above ``location``)."""

    kind: str
    location: float
    scale: float
    count: int
    low: float
    high: float
    mean: float
    std: float
    points: tuple[float, ...] = ()

    def pdf(self, x: Array) -> Array:
        """The density at points."""
        scale = self.scale or 1e-9
        if self.kind == "expon":
            z = (x - self.location) / scale
            return np.where(z < 0, 0.0, np.exp(-np.clip(z, 0, 700)) / scale)
        if self.kind == "norm":
            return _normal((x - self.location) / scale) / scale
        centres = np.array(self.points)
        out = np.zeros(len(x))
        for i in range(0, len(x), 512):
            z = (x[i : i + 512, None] - centres[None, :]) / scale
            out[i : i + 512] = _normal(z).mean(axis=1) / scale
        return out

    def outside(self, threshold: float, lower: float | None, upper: float | None) -> list[Range]:
        """The outlying ranges (from, to, area); explicit tails override the threshold."""
        if lower is not None or upper is not None:
            return self._tails(lower or 0.0, upper or 0.0)
        if self.kind == "expon":
            return self._tails(0.0, threshold)
        if self.kind == "norm":
            return self._tails(threshold / 2, threshold / 2)
        return self._least_dense(threshold)

    def _tails(self, lower: float, upper: float) -> list[Range]:
        out: list[Range] = []
        if lower > 0:
            out.append((-math.inf, self._quantile(lower), lower))
        if upper > 0:
            out.append((self._quantile(1 - upper), math.inf, upper))
        return out

    def _quantile(self, p: float) -> float:
        return float(self.quantiles(np.array([p]))[0])

    def _grid(self) -> Array:
        reach = 5 * (self.scale or 1e-9)
        return np.linspace(self.low - reach, self.high + reach, _GRID)

    def _least_dense(self, threshold: float) -> list[Range]:
        """Ranges below the density under which the threshold's area lies."""
        grid = self._grid()
        density = self.pdf(grid)
        area = density / density.sum()
        order = np.argsort(density)
        outside = np.zeros(len(grid), dtype=bool)
        outside[order[np.cumsum(area[order]) <= threshold]] = True
        out: list[Range] = []
        edges = np.flatnonzero(np.diff(np.concatenate(([0], outside.astype(int), [0]))))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            low = -math.inf if start == 0 else float(grid[start])
            high = math.inf if end == len(grid) else float(grid[end - 1])
            out.append((low, high, float(area[start:end].sum())))
        return out

    def quantiles(self, p: Array) -> Array:
        """The values below which shares of the distribution lie."""
        if self.kind == "expon":
            return self.location - self.scale * np.log(1 - p)
        if self.kind == "norm":
            return np.array([self.location + self.scale * NormalDist().inv_cdf(v) for v in p])
        grid = self._grid()
        cumulated = np.cumsum(self.pdf(grid))
        return np.interp(p, cumulated / cumulated[-1], grid)


Range = tuple[float, float, float]


def _normal(z: Array) -> Array:
    return np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def fit_density(values: Sequence[float], kinds: Sequence[str], metric: str = METRICS[0]) -> Density:
    """The density of some numbers, the nearest to them of several kinds.

    >>> d = fit_density([1.0, 2.0, 3.0], ["norm"])
    >>> round(d.location, 3), round(d.scale, 3)
    (2.0, 0.816)
    """
    data = np.sort(np.array(values, dtype=float))
    if len(kinds) == 1:
        return _fitted(data, kinds[0])
    share = (np.arange(min(len(data), 200)) + 0.5) / min(len(data), 200)
    found = np.quantile(data, share)

    def distance(kind: str) -> float:
        quantiles = _fitted(data, kind).quantiles(share)
        if metric == "wasserstein":
            return float(np.abs(quantiles - found).mean())
        below = np.searchsorted(data, quantiles, side="right") / len(data)
        return float(np.abs(below - share).max())

    return _fitted(data, min(kinds, key=distance))


def _fitted(data: Array, kind: str) -> Density:
    mean, std = float(data.mean()), float(data.std())
    known = (len(data), float(data[0]), float(data[-1]), mean, std)
    if kind == "expon":
        return Density(kind, float(data[0]), mean - float(data[0]), *known)
    if kind == "norm":
        return Density(kind, mean, std, *known)
    step = max(1, len(data) // _KDE_SAMPLE)
    width = (std or 1e-9) * len(data) ** -0.2
    return Density(kind, mean, width, *known, tuple(float(v) for v in data[::step]))


@dataclass(frozen=True)
class DensityModel:
    """Densities of one field by group, and the thresholds they were fitted with."""

    field: str
    by: tuple[str, ...]
    groups: Mapping[tuple[str, ...], Density]
    threshold: float = 0.01
    lower: float | None = None
    upper: float | None = None
    show_density: bool = False

    def to_bytes(self) -> bytes:
        """As JSON, which ``from_bytes`` reads."""
        groups = [[list(k), vars(d)] for k, d in self.groups.items()]
        fields = {k: v for k, v in vars(self).items() if k != "groups"}
        return json.dumps({"algorithm": "DensityFunction", **fields, "groups": groups}).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> DensityModel:
        data = json.loads(content)
        data.pop("algorithm")
        groups = {
            tuple(k): Density(**{**d, "points": tuple(d["points"])}) for k, d in data.pop("groups")
        }
        data["by"] = tuple(data["by"])
        return cls(groups=groups, **data)


def fit_model(
    table: pa.Table,
    field: str,
    by: Sequence[str],
    kinds: Sequence[str],
    make: Callable[..., DensityModel],
    metric: str = METRICS[0],
) -> DensityModel:
    """A density for each group of rows that have the field and all BY fields."""
    values: dict[tuple[str, ...], list[float]] = {}
    cells = numbers(table[field].to_pylist()) if field in table.column_names else []
    for value, key in zip(cells, _keys(table, by), strict=False):
        if value is not None and key is not None:
            values.setdefault(key, []).append(value)
    groups = {key: fit_density(v, kinds, metric) for key, v in values.items()}
    return make(field=field, by=tuple(by), groups=groups)


def _keys(table: pa.Table, by: Sequence[str]) -> list[tuple[str, ...] | None]:
    if not by:
        return [()] * table.num_rows
    columns = [
        table[b].to_pylist() if b in table.column_names else [None] * table.num_rows for b in by
    ]
    return [
        None if any(v is None for v in row) else tuple(text(v) for v in row)
        for row in zip(*columns, strict=True)
    ]


def apply_model(table: pa.Table, model: DensityModel, name: str | None = None) -> pa.Table:
    """The rows with ``IsOutlier(field)``, ``BoundaryRanges`` and perhaps the density.

    >>> model = DensityModel("n", (), {(): fit_density([9.0, 10.0, 11.0] * 20, ["norm"])})
    >>> out = apply_model(pa.table({"n": [10.0, 99.0]}), model)
    >>> out.column("IsOutlier(n)").to_pylist()
    [0.0, 1.0]
    """
    count = table.num_rows
    present = model.field in table.column_names
    cells = numbers(table[model.field].to_pylist()) if present else [None] * count
    outlying: list[float | None] = [None] * count
    ranges: list[list[str] | None] = [None] * count
    density: list[float | None] = [None] * count
    bounds: dict[tuple[str, ...], list[Range]] = {}
    for i, (value, key) in enumerate(zip(cells, _keys(table, model.by), strict=True)):
        found = model.groups.get(key) if key is not None else None
        if value is None or found is None or key is None:
            continue
        if key not in bounds:
            bounds[key] = found.outside(model.threshold, model.lower, model.upper)
        outlying[i] = float(any(low <= value <= high for low, high, _ in bounds[key]))
        ranges[i] = [_range_text(r) for r in bounds[key]]
        if model.show_density:
            density[i] = float(found.pdf(np.array([value]))[0])
    shown = name or model.field
    out = _with(table, f"IsOutlier({shown})", pa.array(outlying, pa.float64()))
    out = _with(out, "BoundaryRanges", pa.array(ranges, pa.list_(pa.string())))
    if model.show_density:
        out = _with(out, f"ProbabilityDensity({shown})", pa.array(density, pa.float64()))
    return out


def _with(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, values)
    return table.append_column(name, values)


def _range_text(found: Range) -> str:
    def side(value: float) -> str:
        return ("-Infinity" if value < 0 else "Infinity") if math.isinf(value) else f"{value:.4f}"

    return f"{side(found[0])}:{side(found[1])}:{found[2]:.4g}"


def summary_table(model: DensityModel) -> pa.Table:
    """One row for each group: the BY fields, the kind of density, its figures, the cardinality."""
    rows = list(model.groups.items())
    columns: dict[str, pa.Array] = {
        b: pa.array([k[i] for k, _ in rows], pa.string()) for i, b in enumerate(model.by)
    }
    kinds = {"norm": "Normal", "expon": "Exponential", "gaussian_kde": "Gaussian KDE"}
    columns["type"] = pa.array([kinds[d.kind] for _, d in rows], pa.string())
    for name, attribute in (("min", "low"), ("max", "high"), ("mean", "mean"), ("std", "std")):
        columns[name] = pa.array([getattr(d, attribute) for _, d in rows], pa.float64())
    columns["cardinality"] = pa.array([d.count for _, d in rows], pa.int64())
    return pa.table(columns)
