"""A time modifier (``-7d@d``, ``now``, epoch seconds, a date) -> epoch seconds, several -> a range;
for searches, ``relative_time`` and the command line.

Facts: Search Reference, time modifiers; Search Manual, specify time modifiers in your search. The
steps of a relative time apply from left to right, a snap rounds down. Days and longer units follow
the calendar of the time zone, hours and shorter ones are exact. A month or year back from a day
that its target lacks ends on the target's last day (inferred). ISO-8601 dates are accepted, which
Splunk does not do.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from escudo.core.errors import EscudoError
from escudo.core.timerange import TimeRange
from escudo.spl.syntax.ast import TimeModifier
from escudo.spl.syntax.spans import TIME_UNITS

TIMEFORMAT = "%m/%d/%Y:%H:%M:%S"
"""How dates are written where no ``timeformat`` says otherwise."""

_STEP = re.compile(r"(?P<sign>[+-])(?P<count>\d*)(?P<unit>[a-z]+)|@(?P<snap>[a-z]+[0-7]?)", re.I)
_EPOCH = re.compile(r"\d+(?:\.\d+)?\Z")
_EXACT = {"s": 1, "m": 60, "h": 3600}
_DAYS = {"d": 1, "w": 7}
_MONTHS = {"mon": 1, "q": 3, "y": 12}
_SHORT_DATES = ("%m/%d/%Y", "%m/%d/%y:%H:%M:%S")

_EXPANDED = {
    "%F": "%Y-%m-%d",
    "%T": "%H:%M:%S",
    "%D": "%m/%d/%y",
    "%R": "%H:%M",
    "%e": "%d",
    "%k": "%H",
    "%Q": "%f",
    "%N": "%f",
}
_VARIABLE = re.compile(r"%(?:\d?[QN]|[FTDRek%])")


def parse_time(
    text: str, now: float, tz: tzinfo = UTC, timeformat: str | None = None
) -> float | None:
    """The epoch seconds that a time modifier's value means; None is unbounded (``0`` or nothing).

    >>> parse_time("-1h@h", 1602155026.6)
    1602151200.0
    >>> parse_time("10/08/2020:11:00:00", 0.0)
    1602154800.0
    >>> parse_time("0", 1602155026.6)

    Raises:
        EscudoError: SPL120 if the text is not a time.
    """
    text = text.strip()
    if text in ("", "0"):
        return None
    if timeformat is not None:
        found = _formatted(text, timeformat, tz)
        if found is not None:
            return found
    if _EPOCH.match(text):
        return float(text)
    lower = text.lower()
    if lower.startswith("rt"):
        raise EscudoError(
            "SPL120", f"'{text}' is a real-time modifier", hint="write -5m, not rt-5m"
        )
    if lower in ("now", "now()"):
        return now
    if text[0] in "+-@" or lower.startswith("now"):
        return relative_time(text, now, tz)
    for known in (TIMEFORMAT, *_SHORT_DATES):
        found = _formatted(text, known, tz)
        if found is not None:
            return found
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"'{text}' is not a time"
        raise EscudoError("SPL120", message, hint=_list_forms(lower, timeformat)) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=tz)).timestamp()


_SAID: Mapping[str, str] = {
    "today": "from @d",
    "yesterday": "from -1d@d until @d",
    "tomorrow": "from +1d@d",
    "this week": "from @w0",
    "last week": "from -1w@w0 until @w0",
    "this month": "from @mon",
    "last month": "from -1mon@mon until @mon",
    "last year": "from -1y@y until @y",
}
"""What people say for a day, and the time modifiers of its ends."""


def _list_forms(said: str, timeformat: str | None) -> str:
    """The forms that a time may have, and what a word of everyday language would be."""
    meant = _SAID.get(said)
    forms = (
        f"{timeformat} (the timeformat given), "
        if timeformat is not None
        else "2020-10-08, 2020-10-08T11:00:00Z, 2020-10-08T13:00:00+02:00, 10/08/2020:11:00:00, "
    )
    return (
        f"{f'{said} is {meant}; ' if meant else ''}write a time as -24h (ago), -7d@d (cut to the "
        f"day), @w1 (this Monday), now, {forms}or epoch seconds (1602154800); 0 is no bound"
    )


def relative_time(text: str, now: float, tz: tzinfo = UTC) -> float:
    """``now`` moved by the steps of a relative time, from left to right.

    >>> relative_time("@w0", 1602155026.6)  # the Sunday before 2020-10-08
    1601769600.0
    >>> relative_time("-1mon@mon+7d", 1602155026.6)
    1599523200.0

    Raises:
        EscudoError: SPL120 if the text is not a relative time, or ``now`` no time.
    """
    position = 3 if text[:3].lower() == "now" else 0
    try:
        moment = datetime.fromtimestamp(now, tz)
    except (OverflowError, ValueError, OSError):
        raise EscudoError("SPL120", f"'{now}' is no time of the calendar") from None
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            raise _not_relative(text, text[position:])
        position = step.end()
        snap = step["snap"]
        try:
            if snap is not None:
                moment = _snapped(moment, snap.lower(), text)
            else:
                count = int(step["count"] or 1)
                moment = _moved(moment, -count if step["sign"] == "-" else count, step, text)
        except (OverflowError, ValueError):
            raise EscudoError("SPL120", f"'{text}' leaves the calendar") from None
    return moment.timestamp()


def _not_relative(text: str, rest: str) -> EscudoError:
    return EscudoError(
        "SPL120",
        f"'{text}' is not a relative time: '{rest}' is not understood",
        hint="write [+|-]<number><unit> and @<unit>, as in -24h, -7d@d, -1mon@mon, @w1; "
        "units are s, m, h, d, w, mon, q, y",
    )


def _moved(moment: datetime, count: int, step: re.Match[str], text: str) -> datetime:
    unit = TIME_UNITS.get(step["unit"].lower(), "")
    if unit in _EXACT:
        exact = moment.astimezone(UTC) + timedelta(seconds=count * _EXACT[unit])
        return exact.astimezone(moment.tzinfo)
    if unit in _DAYS:
        return moment + timedelta(days=count * _DAYS[unit])
    if unit not in _MONTHS:
        raise _not_relative(text, step[0])
    months = moment.year * 12 + moment.month - 1 + count * _MONTHS[unit]
    year, month = divmod(months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _snapped(moment: datetime, snap: str, text: str) -> datetime:
    weekday = re.fullmatch(r"w([0-7])", snap)
    unit = "w" if weekday else TIME_UNITS.get(snap, "")
    if unit in ("s", "m", "h"):
        zeros = {"s": 0, "m": moment.second, "h": moment.minute * 60 + moment.second}[unit]
        whole = moment.astimezone(UTC) - timedelta(seconds=zeros, microseconds=moment.microsecond)
        return whole.astimezone(moment.tzinfo)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    match unit:
        case "d":
            return midnight
        case "w":
            first = int(weekday[1]) % 7 if weekday else 0
            return midnight - timedelta(days=(midnight.isoweekday() - first) % 7)
        case "mon":
            return midnight.replace(day=1)
        case "q":
            return midnight.replace(month=(midnight.month - 1) // 3 * 3 + 1, day=1)
        case "y":
            return midnight.replace(month=1, day=1)
    raise _not_relative(text, f"@{snap}")


def _formatted(text: str, timeformat: str, tz: tzinfo) -> float | None:
    if timeformat in ("%s", "%s.%Q", "%s.%N"):
        return float(text) if _EPOCH.match(text) else None
    pattern = _VARIABLE.sub(lambda m: _EXPANDED.get(re.sub(r"\d", "", m[0]), m[0]), timeformat)
    try:
        moment = datetime.strptime(text, pattern)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=tz)).timestamp()


_AGO = re.compile(
    r"(?P<side>start|end|searchtimespan|)(?P<unit>days|hours|minutes|months)(?:ago)?\Z"
)
_AGO_UNIT = {"days": "d", "hours": "h", "minutes": "m", "months": "mon"}


def time_range(modifiers: Sequence[TimeModifier], now: float, tz: tzinfo = UTC) -> TimeRange:
    """The range of ``_time`` that the modifiers of one search give together.

    Of several that set the same end the last counts. Where only the start is given, the end is
    ``now``. ``searchtimespan...`` reaches from the start that is given, or back from the end.

    >>> time_range([TimeModifier("starthoursago", "168"), TimeModifier("endhoursago", "1")], 7e5)
    TimeRange(earliest=95200.0, latest=696400.0)

    Raises:
        EscudoError: SPL120 at the modifier whose value is not a time.
    """
    timeformat = next((m.value for m in reversed(modifiers) if m.name == "timeformat"), None)
    ends: dict[str, float | None] = {}
    span: TimeModifier | None = None
    for modifier in modifiers:
        name = modifier.name
        if name in ("earliest", "starttime", "starttimeu"):
            ends["earliest"] = _value(modifier, now, tz, timeformat)
        elif name in ("latest", "endtime", "endtimeu"):
            ends["latest"] = _value(modifier, now, tz, timeformat)
        elif name.startswith("searchtimespan"):
            span = modifier
        elif match := _AGO.match(name):
            side = "latest" if match["side"] == "end" else "earliest"
            ends[side] = _ago(modifier, match["unit"], now, tz, -1)
    if span is not None:
        _apply_span(span, ends, now, tz)
    if ends.get("earliest") is not None:
        ends.setdefault("latest", now)
    return TimeRange(ends.get("earliest"), ends.get("latest"))


def is_index_time(modifier: TimeModifier) -> bool:
    """Whether it limits the time of indexing, not that of the event.

    >>> is_index_time(TimeModifier("_index_earliest", "-1h"))
    True
    """
    return modifier.name.lstrip("_").startswith("index_")


def index_time_range(modifiers: Sequence[TimeModifier], now: float, tz: tzinfo = UTC) -> TimeRange:
    """The range of ``_indextime`` that ``_index_earliest`` and ``_index_latest`` give.

    >>> index_time_range([TimeModifier("_index_earliest", "-1h")], 7200.0)
    TimeRange(earliest=3600.0, latest=None)
    """
    ends: dict[str, float | None] = {}
    for modifier in modifiers:
        if is_index_time(modifier):
            end = modifier.name.lstrip("_").removeprefix("index_")
            ends[end] = _value(modifier, now, tz, None)
    return TimeRange(ends.get("earliest"), ends.get("latest"))


def _value(modifier: TimeModifier, now: float, tz: tzinfo, timeformat: str | None) -> float | None:
    form = "%s" if modifier.name.endswith("timeu") else timeformat
    try:
        return parse_time(modifier.value, now, tz, form)
    except EscudoError as error:
        raise error.located(modifier.span) from None


def _ago(modifier: TimeModifier, unit: str, now: float, tz: tzinfo, sign: int) -> float:
    if not modifier.value.isdigit():
        raise EscudoError(
            "SPL120",
            f"'{modifier.name}' takes a whole number, not '{modifier.value}'",
            span=modifier.span,
        )
    direction = "-" if sign < 0 else "+"
    return relative_time(f"{direction}{modifier.value}{_AGO_UNIT[unit]}", now, tz)


def _apply_span(span: TimeModifier, ends: dict[str, float | None], now: float, tz: tzinfo) -> None:
    unit = span.name.removeprefix("searchtimespan")
    start, end = ends.get("earliest"), ends.get("latest")
    if start is not None and end is None:
        ends["latest"] = _ago(span, unit, start, tz, 1)
    else:
        ends["earliest"] = _ago(span, unit, now if end is None else end, tz, -1)
