"""``gentimes``: a row for each span of a time range (Search Reference: gentimes)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import ClassVar, Self

import pyarrow as pa
import pyarrow.compute as pc

from escudo.core.errors import EscudoError, Span
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.zones import find_time, read_clock
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import format_options, text_option

_INCREMENT = re.compile(r"(\d+)([smhd])?\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
MOST_ROWS = 1_000_000


@dataclass(frozen=True)
class Gentimes(Command):
    """``gentimes start=time [end=time] [increment=n(s|m|h|d)]``.

    A row for each interval, in order of time, with ``starttime`` and ``endtime`` (epoch seconds)
    and ``starthuman`` and ``endhuman`` (text). A time is ``MM/DD/YYYY[:HH:MM:SS]``, or a number of
    days relative to today (0 is today); days are those of the search's time zone. More than
    1,000,000 rows are an error.
    """

    name: ClassVar[str] = "gentimes"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    start: str = text_option("", "Where the first interval begins; must be given.")
    end: str | None = text_option(None, "Where the last one ends; today's midnight by default.")
    increment: str = text_option("1d", "The length of an interval; days where it has no unit.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        if "start" not in options:
            args.missing("start=MM/DD/YYYY or a number of days")
        return cls(**options.values(cls), span=args.span())

    def format(self) -> str:
        return f"gentimes{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return binder.table(generate_times(self, binder.now, binder.zone))


def generate_times(command: Gentimes, now: float, zone: tzinfo = UTC) -> pa.Table:
    """The rows of a ``gentimes`` that runs at a time (epoch seconds)."""
    span = command.span
    increment = _INCREMENT.match(command.increment)
    if increment is None:
        message = f"'{command.increment}' is no increment such as 1d"
        raise EscudoError("SPL104", message, span=span)
    unit = increment[2] or "d"
    step = int(increment[1]) * _SECONDS[unit]
    today = int(read_clock(now, zone) // 86400) * 86400
    first = _parse_day(command.start, today, span)
    last = today if command.end is None else _parse_day(command.end, today, span)
    if unit != "d":  # hours are as long on every day, so these are no longer the clock's
        first, last = _move((first, last), find_time, zone, span)
    if step <= 0:
        raise EscudoError("SPL104", "an increment is more than nothing", span=span)
    starts = range(first, last, step)
    if len(starts) > MOST_ROWS:
        message = f"gentimes would make {len(starts):,} rows; at most {MOST_ROWS:,} are made"
        raise EscudoError("SPL326", message, span=span)
    ends = range(first + step - 1, first + step - 1 + len(starts) * step, step)
    columns: dict[str, pa.Array] = {}
    for name, seconds in (("start", starts), ("end", ends)):
        clock: Sequence[int] = seconds
        epochs: Sequence[int] = seconds
        if unit == "d":
            epochs = _move(seconds, find_time, zone, span)
        else:
            clock = _move(seconds, read_clock, zone, span)
        columns[f"{name}time"] = pa.array(epochs, pa.int64())
        columns[f"{name}human"] = _write_human(clock)
    return pa.table(columns)


def _move(
    seconds: Sequence[int],
    move: Callable[[float, tzinfo], float],
    zone: tzinfo,
    span: Span | None,
) -> Sequence[int]:
    """Seconds of a clock as those since the epoch, or the other way."""
    if zone is UTC:
        return seconds
    try:
        return [int(move(second, zone)) for second in seconds]
    except (ValueError, OverflowError, OSError):
        raise EscudoError("SPL104", "a calendar has no such year", span=span) from None


def _parse_day(text: str, today: int, span: Span | None) -> int:
    """The seconds of a clock that a time means."""
    if re.fullmatch(r"-?\d+", text):
        return today + int(text) * 86400
    for form in ("%m/%d/%Y:%H:%M:%S", "%m/%d/%Y", "%m/%d/%y"):
        try:
            return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp())
        except ValueError:
            continue
    raise EscudoError("SPL104", f"'{text}' is no date such as 10/25/2023", span=span)


def _write_human(clock: Sequence[int]) -> pa.Array:
    stamps = pa.array(clock, pa.int64()).cast(pa.timestamp("s", "UTC"))
    return pc.strftime(stamps, format="%a %b %e %H:%M:%S %Y")
