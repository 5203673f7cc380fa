"""Times of hits, risk over time -> bars and steps in units of a drawing; called by the report's
templates.

A drawing is ``WIDTH`` by ``HEIGHT`` units, its origin top left, as in SVG. It is stretched to the
room there is, so it holds no text.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from escudo.core.timerange import iso_utc
from escudo.findings.notable import SEVERITIES

WIDTH, HEIGHT = 1000.0, 100.0

MOST_BARS = 80
"""Bars that can be told apart where a page is 1,280 pixels wide."""

_DAY = 86_400.0
_STEPS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 4 * 3_600.0, _DAY, 7 * _DAY, 30 * _DAY)
_STEP_NAMES: Mapping[float, str] = {
    1.0: "1 second",
    5.0: "5 seconds",
    15.0: "15 seconds",
    60.0: "1 minute",
    300.0: "5 minutes",
    900.0: "15 minutes",
    3_600.0: "1 hour",
    4 * 3_600.0: "4 hours",
    _DAY: "1 day",
    7 * _DAY: "7 days",
}


@dataclass(frozen=True, slots=True)
class Segment:
    """The part of a bar that is of one severity."""

    severity: str
    count: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time, and how many hits fall into it. ``x`` and ``width`` are drawing units."""

    start: float
    x: float
    width: float
    segments: tuple[Segment, ...]

    @property
    def count(self) -> int:
        return sum(s.count for s in self.segments)

    @property
    def counts(self) -> dict[str, int]:
        return {s.severity: s.count for s in self.segments}

    @property
    def title(self) -> str:
        """What a reader is told of the bar.

        >>> Bar(0.0, 0, 1, (Segment("high", 2, 0, 1),)).title
        '1970-01-01 00:00:00: 2 (2 high)'
        """
        parts = ", ".join(f"{s.count:,} {s.severity}" for s in self.segments)
        return f"{show_second(self.start)}: {self.count:,} ({parts})"


@dataclass(frozen=True, slots=True)
class Histogram:
    """Hits by time: bars of ``step`` seconds, those with hits only, from ``start`` to ``end``.
    ``most`` is the count of the highest."""

    start: float
    end: float
    step: float
    most: int
    bars: tuple[Bar, ...]

    @property
    def step_name(self) -> str:
        """How long a bar is.

        >>> Histogram(0, 1, 60.0, 0, ()).step_name, Histogram(0, 1, 60 * 86400.0, 0, ()).step_name
        ('1 minute', '60 days')
        """
        return _STEP_NAMES.get(self.step) or f"{self.step / _DAY:,.0f} days"


def draw_histogram(hits: Iterable[tuple[float, str]]) -> Histogram | None:
    """The histogram of hits (epoch seconds, severity), the most severe at the bottom; None where
    there are none.

    >>> drawn = draw_histogram([(0.0, "high"), (0.5, "low"), (120.0, "high")])
    >>> [(bar.start, bar.count) for bar in drawn.bars], drawn.step, drawn.most
    ([(0.0, 2), (120.0, 1)], 5.0, 2)
    """
    counted = Counter(hits)
    if not counted:
        return None
    times = [time for time, _ in counted]
    step = _choose_step(max(times) - min(times))
    first = math.floor(min(times) / step)
    last = math.floor(max(times) / step)
    bins: dict[int, Counter[str]] = {}
    for (time, severity), count in counted.items():
        bins.setdefault(math.floor(time / step), Counter())[severity] += count
    most = max(sum(b.values()) for b in bins.values())
    width = WIDTH / (last - first + 1)
    bars = tuple(
        Bar(
            start=number * step,
            x=(number - first) * width,
            width=width * 0.9,
            segments=_stack(bins[number], most),
        )
        for number in sorted(bins)
    )
    return Histogram(first * step, (last + 1) * step, step, most, bars)


def _choose_step(span: float) -> float:
    """The shortest step of which ``MOST_BARS`` cover a span of seconds."""
    for step in _STEPS:
        if span / step < MOST_BARS - 1:
            return step
    return math.ceil(span / (30 * _DAY) / (MOST_BARS - 1)) * 30 * _DAY


def _stack(counts: Mapping[str, int], most: int) -> tuple[Segment, ...]:
    out: list[Segment] = []
    top = HEIGHT
    for severity in reversed(SEVERITIES):
        count = counts.get(severity, 0)
        if count:
            height = count / most * HEIGHT
            top -= height
            out.append(Segment(severity, count, top, height))
    return tuple(out)


@dataclass(frozen=True, slots=True)
class Steps:
    """A sum over time: ``path`` is the line, ``area`` what is below it, both as SVG has them."""

    start: float
    end: float
    total: float
    path: str
    area: str


def draw_steps(points: Sequence[tuple[float, float]], start: float, end: float) -> Steps:
    """The steps of a sum between two times: ``points`` are (epoch seconds, what is added), in the
    order of their time. It stays at its last value to the end.

    >>> draw_steps([(0.0, 10.0), (5.0, 30.0)], 0.0, 10.0).path
    'M0 100 H0 V75 H500 V0 H1000'
    """
    total = sum(added for _, added in points)
    span = max(end - start, 1e-9)
    at: defaultdict[int, float] = defaultdict(float)
    for time, added in points:
        at[round(min(max((time - start) / span, 0.0), 1.0) * WIDTH)] += added
    parts = [f"M0 {HEIGHT:g}"]
    reached = 0.0
    for x in sorted(at):
        reached += at[x]
        y = HEIGHT - (reached / total * HEIGHT if total else 0.0)
        parts.append(f"H{x:g} V{y:.4g}")
    parts.append(f"H{WIDTH:g}")
    path = " ".join(parts)
    return Steps(start, end, total, path, f"{path} V{HEIGHT:g} Z")


def show_second(time: float) -> str:
    """Epoch seconds as date and time in UTC, to the second.

    >>> show_second(1602155026.6)
    '2020-10-08 11:03:46'
    """
    return iso_utc(time)[:19].replace("T", " ")
