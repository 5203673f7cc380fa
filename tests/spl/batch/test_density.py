"""Densities against their definitions."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pyarrow as pa
import pytest

from escudo.spl.batch.density import (
    DISTRIBUTIONS,
    DensityModel,
    apply_model,
    fit_density,
    fit_model,
    summary_table,
)


def test_normal_tails() -> None:
    values = list(np.random.default_rng(1).normal(50, 5, 5000))
    density = fit_density(values, ["norm"])
    (low, high) = density.outside(0.02, None, None)
    dist = NormalDist(density.mean, density.std)
    assert low[1] == pytest.approx(dist.inv_cdf(0.01))
    assert high[0] == pytest.approx(dist.inv_cdf(0.99))


def test_exponential_tail_is_above() -> None:
    values = list(np.random.default_rng(2).exponential(10, 5000))
    ((low, high, area),) = fit_density(values, ["expon"]).outside(0.01, None, None)
    assert low == pytest.approx(46, rel=0.1)
    assert high == float("inf")
    assert area == 0.01


def test_kernel_density_finds_the_gap_between_two_heaps() -> None:
    values = [0.0, 1.0, 2.0] * 100 + [100.0, 101.0, 102.0] * 100
    density = fit_density(values, ["gaussian_kde"])
    model = DensityModel("n", (), {(): density}, threshold=0.05)
    out = apply_model(pa.table({"n": [1.0, 300.0]}), model)
    assert out.column("IsOutlier(n)").to_pylist() == [0.0, 1.0]


def test_auto_takes_what_fits() -> None:
    random = np.random.default_rng(3)
    assert fit_density(list(random.exponential(3, 3000)), DISTRIBUTIONS).kind != "norm"


def test_groups_and_bytes() -> None:
    table = pa.table({"n": [1.0, 2.0, 3.0, 10.0, 11.0, 12.0], "g": ["a"] * 3 + ["b"] * 3})
    model = fit_model(table, "n", ["g"], ["norm"], lambda **k: DensityModel(**k, threshold=0.1))
    again = DensityModel.from_bytes(model.to_bytes())
    assert again == model
    rows = pa.table({"n": [2.0, 2.0, 5.0], "g": ["a", "b", "new"]})
    assert apply_model(rows, again).column("IsOutlier(n)").to_pylist() == [0.0, 1.0, None]
    assert summary_table(again).column("cardinality").to_pylist() == [3, 3]
