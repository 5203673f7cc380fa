"""Text of a span (``1h``, ``10``, ``2log10``, ``1d@d``) <-> the width of buckets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from escudo.spl.syntax.ast import Node

TIME_UNITS: dict[str, str] = {
    **dict.fromkeys(("us",), "us"),
    **dict.fromkeys(("ms",), "ms"),
    **dict.fromkeys(("cs",), "cs"),
    **dict.fromkeys(("ds",), "ds"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("w", "week", "weeks"), "w"),
    **dict.fromkeys(("mon", "month", "months"), "mon"),
    **dict.fromkeys(("q", "qtr", "qtrs", "quarter", "quarters"), "q"),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), "y"),
}
"""Every spelling of a time unit -> its short one (Search Reference: bin, time modifiers)."""

SECONDS = {
    "us": 1e-6,
    "ms": 1e-3,
    "cs": 1e-2,
    "ds": 1e-1,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
}
"""Seconds of the time units that have a fixed length."""
MONTHS = {"mon": 1, "q": 3, "y": 12}
"""Months of the time units that begin with a calendar month."""

_SPAN = re.compile(r"(?P<size>\d+(?:\.\d+)?)?(?P<unit>[a-z]+)?(?P<snap>@\w+)?\Z")
_LOG = re.compile(r"(?P<size>\d+(?:\.\d+)?)?log(?P<base>\d+(?:\.\d+)?)?\Z")


@dataclass(frozen=True)
class BinSpan(Node):
    """The width of a bucket.

    ``unit`` is a short time unit (``s m h d w mon q y us ms cs ds``), or None for a plain number.
    ``snap`` is what follows ``@``. ``log_base`` is set for logarithmic buckets, whose ``size`` is
    the coefficient.
    """

    size: float
    unit: str | None = None
    snap: str | None = None
    log_base: float | None = None

    def format(self) -> str:
        """As it is written.

        >>> BinSpan(1.0, "h").format(), BinSpan(2.0, log_base=10.0).format()
        ('1h', '2log10')
        """
        if self.log_base is not None:
            return f"{self.size:.15g}log{self.log_base:.15g}"
        return f"{self.size:.15g}{self.unit or ''}{f'@{self.snap}' if self.snap else ''}"


def parse_span(text: str) -> BinSpan | None:
    """The span that a text writes; None if it writes none.

    >>> parse_span("30min")
    BinSpan(size=30.0, unit='m', snap=None, log_base=None)
    >>> parse_span("log2")
    BinSpan(size=1.0, unit=None, snap=None, log_base=2.0)
    """
    if log := _LOG.match(text):
        return BinSpan(float(log["size"] or 1), log_base=float(log["base"] or 10))
    match = _SPAN.match(text)
    if match is None or not (match["size"] or match["unit"]):
        return None
    unit = match["unit"]
    if unit is not None and unit not in TIME_UNITS:
        return None
    snap = match["snap"]
    return BinSpan(
        float(match["size"] or 1), TIME_UNITS[unit] if unit else None, snap[1:] if snap else None
    )


def is_of_calendar(span: BinSpan) -> bool:
    """Whether buckets begin with days of a calendar: the span is a day or longer.

    >>> is_of_calendar(BinSpan(1.0, "d")), is_of_calendar(BinSpan(24.0, "h"))
    (True, False)
    """
    return span.unit in MONTHS or span.unit in ("d", "w")


def snap_offset(span: BinSpan) -> float:
    """Where buckets begin after a snap: ``1w@w1`` on Mondays, ``1d@d`` at midnight.

    >>> snap_offset(BinSpan(1.0, "w", "w1")) / 86400
    4.0
    """
    snap = span.snap or ""
    if snap[:1] == "w" and snap[1:].isdigit():
        return (3 + int(snap[1:]) % 7) * 86400.0
    if snap == "w":
        return 3 * 86400.0
    return 0.0
