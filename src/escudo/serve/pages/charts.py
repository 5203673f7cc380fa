"""Numbers over time -> the points of lines and bars of SVG; templates draw them.

An SVG's own attributes say where things are, so a chart needs no style in the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its place, in the chart's units, when its stretch begins (epoch seconds), its sum."""

    x: float
    y: float
    width: float
    height: float
    start: float
    value: float


@dataclass(frozen=True, slots=True)
class TimeBars:
    """Sums of stretches of time. ``top`` is the largest; ``low`` and ``high`` are epoch seconds."""

    bars: Sequence[Bar]
    low: float
    high: float
    top: float


def draw_bars(
    points: Sequence[tuple[float, float]],
    *,
    low: float,
    high: float,
    count: int = 48,
    width: float = 600.0,
    height: float = 100.0,
) -> TimeBars:
    """Bars of the sums of points (time, value) in ``count`` equal stretches from ``low`` to
    ``high``.

    >>> drawn = draw_bars([(0, 1), (1, 2), (9, 4)], low=0, high=10, count=2, width=100)
    >>> [(bar.x, bar.value, bar.height) for bar in drawn.bars], drawn.top
    ([(0.0, 3, 75.0), (50.0, 4, 100.0)], 4)
    """
    span = max(high - low, 1e-9)
    sums = [0.0] * count
    for time, value in points:
        if low <= time <= high:
            sums[min(count - 1, int((time - low) / span * count))] += value
    top = max(sums, default=0.0)
    step = width / count
    bars = [
        Bar(
            x=round(number * step, 2),
            y=round(height - height * value / top, 2),
            width=round(step * 0.8, 2),
            height=round(height * value / top, 2),
            start=low + span * number / count,
            value=value if value % 1 else int(value),
        )
        for number, value in enumerate(sums)
        if value > 0
    ]
    return TimeBars(bars, low, high, top if top % 1 else int(top))


def draw_sum(
    points: Sequence[tuple[float, float]],
    *,
    low: float,
    high: float,
    width: float = 120.0,
    height: float = 28.0,
) -> str:
    """The path (``d``) of a line that climbs with each point (time, value), from 0 to their sum.

    >>> draw_sum([(5, 1), (10, 1)], low=0, high=10, width=10, height=10)
    'M0 10 L5 10 L5 5 L10 5 L10 0 L10 0'
    """
    span, total = max(high - low, 1e-9), sum(value for _, value in points) or 1.0
    steps = [f"M0 {_number(height)}"]
    reached = 0.0
    y = height
    for time, value in points:
        x = max(0.0, min(width, (time - low) / span * width))
        steps.append(f"L{_number(x)} {_number(y)}")
        reached += value
        y = height - height * reached / total
        steps.append(f"L{_number(x)} {_number(y)}")
    steps.append(f"L{_number(width)} {_number(y)}")
    return " ".join(steps)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
