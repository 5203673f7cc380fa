"""Date and time functions (Search Reference, DateandTimeFunctions); dates are those of the search's
time zone. Where a zone is not UTC and SQL would be long, a kernel does it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from itertools import groupby

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl.functions.row import Context, EvalFunction, Nulls
from escudo.spl.functions.timeformat import Part, split_format
from escudo.spl.relation.coercion import as_number, as_text
from escudo.spl.relation.sql import (
    case_when,
    concatenate,
    divided_by,
    has_value,
    in_parentheses,
    literal_integer,
    literal_number,
    literal_text,
    minus,
    parenthesise,
    plus,
    prelude_call,
    times,
)
from escudo.spl.relation.time_modifiers import relative_time
from escudo.spl.relation.values import (
    Typed,
    constant_of,
    is_null,
    null_value,
    number_text,
    number_value,
)
from escudo.spl.relation.zones import from_clock, to_clock
from escudo.spl.syntax.spans import TIME_UNITS

_PAGE = "DateandTimeFunctions"
_STRING = FieldType.STRING
_NUMBER = FieldType.NUMBER
_SUBSECONDS = {3: "%g", 6: "%f"}
_STEP = re.compile(
    r"(?P<sign>[+-])(?P<count>\d*)(?P<unit>[a-z]+)|@(?:w(?P<day>[0-7])|(?P<snap>[a-z]+))"
)
_DAY = 86_400
_THURSDAY = 4
"""The epoch's day of the week."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": _DAY, "w": 7 * _DAY}
_MONTHS = {"mon": 1, "q": 3, "y": 12}
_PADDED = {"hour24": "%H", "hour12": "%I", "day": "%d"}


def _now(_: list[Typed], context: Context) -> Typed:
    return number_value(float(int(context.scope.now)))


def _time(_: list[Typed], context: Context) -> Typed:
    return number_value(context.scope.now)


def _strftime(args: list[Typed], context: Context) -> Typed:
    value, wanted = args
    if is_null(value) or is_null(wanted):
        return null_value()
    known = constant_of(wanted)
    seconds = as_number(value)
    zone = context.scope.zone
    if known is None:
        if zone is not UTC:
            place = literal_text(str(zone))
            arguments = (seconds, as_text(wanted), place)
            return Typed(prelude_call("spl_strftime_in", *arguments), _STRING)
        return Typed(prelude_call("spl_strftime_any", seconds, as_text(wanted)), _STRING)
    text = known if isinstance(known, str) else number_text(known)
    if zone is not UTC and _names_zone(text):
        arguments = (seconds, literal_text(text), literal_text(str(zone)))
        return Typed(prelude_call("spl_strftime_in", *arguments), _STRING)
    return Typed(format_time(seconds, text, zone), _STRING)


def _names_zone(text: str) -> bool:
    """Whether a format writes the zone or the seconds since the epoch beside the clock's time."""
    names = {p.value if p.kind == "common" else p.kind for p in split_format(text)}
    return bool(names & {"zone", "epoch", "z", "Z"})


def format_time(seconds: exp.Expression, text: str, zone: tzinfo = UTC) -> exp.Expression:
    """A time (epoch seconds, DOUBLE) as text in a literal format, by the clock of a zone.

    >>> format_time(exp.column("t"), "%F").sql()
    "SPL_STRFTIME(t, '%Y-%m-%d')"
    """
    seconds = to_clock(seconds, zone)
    pieces: list[exp.Expression] = []
    for plain, group in groupby(split_format(text), key=lambda p: _native(p) is not None):
        run = list(group)
        if plain:
            formatted = "".join(str(_native(p)) for p in run)
            if all(p.kind == "text" for p in run):
                pieces.append(literal_text("".join(p.value for p in run)))
            else:
                native = literal_text(formatted)
                pieces.append(prelude_call("spl_strftime", seconds.copy(), native))
        else:
            pieces += [_own(p, seconds.copy()) for p in run]
    if not pieces:
        return literal_text("")
    sql = pieces[0]
    for piece in pieces[1:]:
        sql = concatenate(sql, piece)
    if all(isinstance(p, exp.Literal) for p in pieces):
        return case_when((has_value(seconds.copy()), sql))
    return sql


def _native(part: Part) -> str | None:
    """The piece in the engines' common vocabulary; None if it needs an expression of its own."""
    match part.kind:
        case "text":
            return None if "%" in part.value else part.value
        case "common":
            return None if part.value in "zZ" else f"%{part.value}"
        case "subseconds":
            return _SUBSECONDS.get(part.digits)
        case _:
            return None


def _own(part: Part, seconds: exp.Expression) -> exp.Expression:
    match part.kind:
        case "epoch":
            return prelude_call("spl_text", exp.Floor(this=seconds))
        case "subseconds":
            microseconds = prelude_call("spl_strftime", seconds, literal_text("%f"))
            if part.digits > 6:
                zeros = literal_text("0" * (part.digits - 6))
                return concatenate(microseconds, zeros)
            length = literal_integer(part.digits)
            return exp.Substring(this=microseconds, start=literal_integer(1), length=length)
        case "text":
            return literal_text(part.value)
        case "common":
            return literal_text("UTC" if part.value == "Z" else "+0000")
        case "zone":
            return literal_text("+00:00" if len(part.value) == 1 else "+00:00:00")
        case kind:
            native = literal_text(_PADDED[kind])
            return prelude_call("spl_blank_padded", prelude_call("spl_strftime", seconds, native))


def _strptime(args: list[Typed], context: Context) -> Typed:
    value, wanted = args
    if is_null(value) or is_null(wanted):
        return null_value(_NUMBER)
    known = constant_of(wanted)
    zone = context.scope.zone
    if known is None:
        if zone is not UTC:
            arguments = (*map(as_text, args), literal_text(str(zone)))
            return Typed(prelude_call("spl_strptime_in", *arguments), _NUMBER)
        return Typed(prelude_call("spl_strptime_any", *map(as_text, args)), _NUMBER)
    text = known if isinstance(known, str) else number_text(known)
    parsed = parse_time(as_text(value), text, context.scope.now, zone)
    return Typed(parsed if _names_zone(text) else from_clock(parsed, zone), _NUMBER)


def parse_time(value: exp.Expression, text: str, now: float, zone: tzinfo = UTC) -> exp.Expression:
    """Text in a literal format as epoch seconds, or those of a clock where the format names no
    zone; NULL where it does not have the format.

    A format without a date means today, one without a year this year, both by ``now``.

    >>> parse_time(exp.column("t"), "%F %T.%3N", 0.0).sql("duckdb")
    "SPL_STRPTIME(t, '%Y-%m-%d %H:%M:%S.%f')"
    """
    found = split_format(text)
    kinds = [p.kind for p in found]
    if kinds in (["epoch"], ["epoch", "text", "subseconds"]):
        return prelude_call("spl_num", value)
    given = {p.value for p in found if p.kind == "common"} | {p.kind for p in found}
    if "epoch" not in kinds and not given & {"Y", "y"}:
        dated = bool(given & {"m", "b", "B", "d", "j", "day"})
        prefix = "%Y " if dated else "%Y-%m-%d "
        today = datetime.fromtimestamp(now, zone).strftime(prefix)
        value = concatenate(literal_text(today), parenthesise(value))
        text = prefix + text
        found = split_format(text)
    native = [_parsed(p) for p in found]
    if any(n is None for n in native):
        return prelude_call("spl_strptime_any", value, literal_text(text))
    joined = literal_text("".join(str(n) for n in native))
    return prelude_call("spl_strptime", value, joined)


def _parsed(part: Part) -> str | None:
    match part.kind:
        case "subseconds":
            return "%f" if part.digits <= 6 else "%n"
        case "text":
            return part.value.replace("%", "%%")
        case "zone":
            return "%z"
        case "day" | "hour24" | "hour12":
            return _PADDED[part.kind]
        case "common" if part.value not in "wUWVGu":
            return f"%{part.value}"
        case _:
            return None


def _relative_time(args: list[Typed], context: Context) -> Typed:
    base, modifier = args
    if is_null(base) or is_null(modifier):
        return null_value(_NUMBER)
    at, known = constant_of(base), constant_of(modifier)
    if isinstance(known, str):
        if isinstance(at, float):
            try:
                return number_value(relative_time(known, at, context.scope.zone))
            except EscudoError as e:  # null, as where a field holds it
                context.scope.warn("SPL201", e.diagnostic.message, context.span)
                return null_value(_NUMBER)
        shifted = None if context.scope.zone is not UTC else _shifted(as_number(base), known)
        if shifted is not None:
            return Typed(shifted, _NUMBER)
    arguments = (as_number(base), as_text(modifier))
    if context.scope.zone is not UTC:
        place = literal_text(str(context.scope.zone))
        return Typed(prelude_call("spl_relative_time_in", *arguments, place), _NUMBER)
    return Typed(prelude_call("spl_relative_time", *arguments), _NUMBER)


def _shifted(seconds: exp.Expression, modifier: str) -> exp.Expression | None:
    """The arithmetic of a modifier, in UTC; None where a month has to be moved by.

    >>> _shifted(exp.column("t"), "-1d@d").sql("duckdb")
    'SPL_FLOOR((t + -86400e0) / 86400e0) * 86400e0'
    """
    position = 0
    while position < len(modifier):
        step = _STEP.match(modifier, position)
        if step is None:
            return None
        position = step.end()
        unit = TIME_UNITS.get(step["unit"] or step["snap"] or "")
        if step["day"]:
            seconds = _snapped(seconds, 7 * _DAY, (_THURSDAY - int(step["day"]) % 7) * _DAY)
        elif step["sign"] is None and unit in _MONTHS:
            months = literal_integer(_MONTHS[unit])
            seconds = prelude_call("spl_month_bin", seconds, months)
        elif unit not in _SECONDS:
            return None
        elif step["sign"] is None:
            seconds = _snapped(seconds, _SECONDS[unit], _THURSDAY * _DAY if unit == "w" else 0)
        else:
            count = int(f"{step['sign']}{step['count'] or 1}") * _SECONDS[unit]
            seconds = plus(parenthesise(seconds), literal_number(count))
    return seconds


def _snapped(seconds: exp.Expression, width: int, shift: int) -> exp.Expression:
    """Rounded down to a multiple of ``width``, counted from ``shift`` seconds before the epoch."""
    moved = parenthesise(seconds)
    if shift:
        moved = in_parentheses(plus(moved, literal_number(shift)))
    steps = prelude_call("spl_floor", divided_by(moved, literal_number(width)))
    out: exp.Expression = times(steps, literal_number(width))
    if shift:
        out = minus(out, literal_number(shift))
    return out


DATE_AND_TIME = (
    EvalFunction("now", 0, 0, "number", _now, _PAGE, Nulls.OWN),
    EvalFunction("relative_time", 2, 2, "number", _relative_time, _PAGE),
    EvalFunction("strftime", 2, 2, "string", _strftime, _PAGE),
    EvalFunction("strptime", 2, 2, "number", _strptime, _PAGE),
    EvalFunction("time", 0, 0, "number", _time, _PAGE, Nulls.OWN),
)
