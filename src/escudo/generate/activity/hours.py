"""When in a day things happen -> weights of its five-minute bins; ``plan`` calls it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

BINS = 288
BIN = 300 * 10**9
"""Nanoseconds of a bin: activity is planned by five minutes."""
DAY = BINS * BIN

Floats = NDArray[np.float64]

HOURS: Mapping[str, tuple[float, ...]] = {
    "office": (
        *(1, 1, 1, 1, 2, 4, 12, 35, 75, 95, 100, 92),
        *(60, 82, 98, 95, 85, 60, 28, 12, 7, 5, 3, 2),
    ),
    "evening": (
        *(20, 12, 8, 6, 6, 9, 18, 32, 48, 56, 60, 64),
        *(68, 64, 62, 62, 66, 74, 84, 96, 100, 92, 68, 40),
    ),
    "steady": (1,) * 24,
}
"""How busy each hour is, compared with the others of the day."""

_WEEKEND: Mapping[str, float] = {"office": 0.1, "evening": 0.9, "steady": 1.0}


def bin_weights(hours: str, start: int) -> Floats:
    """The weight of each bin of the day that begins at ``start`` (nanoseconds), 1 on average.

    >>> tuesday = 1_715_644_800 * 10**9
    >>> weights = bin_weights("office", tuesday)
    >>> len(weights), round(float(weights.mean()), 6), bool(weights[130] > 20 * weights[30])
    (288, 1.0, True)
    """
    hourly = np.array(HOURS[hours], np.float64)
    middle = np.arange(25) + 0.5
    at = (np.arange(BINS) + 0.5) / 12
    shifted = np.where(at < 0.5, at + 24, at)
    weights = np.interp(shifted, middle, np.append(hourly, hourly[0]))
    weekday = ((start + DAY // 2) // DAY + 3) % 7
    share = _WEEKEND[hours] if weekday >= 5 else 1.0
    scaled: Floats = share * weights / weights.mean()
    return scaled
