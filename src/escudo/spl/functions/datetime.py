"""Date and time functions (Search Reference, DateandTimeFunctions). Times are UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import groupby

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl import coerce
from escudo.spl.functions.row import Context, EvalFunction, Nulls
from escudo.spl.functions.timeformat import Part, parts
from escudo.spl.plan import Typed
from escudo.spl.spans import TIME_UNITS
from escudo.spl.timemod import relative_time

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
    return coerce.number(float(int(context.scope.now)))


def _time(_: list[Typed], context: Context) -> Typed:
    return coerce.number(context.scope.now)


def _strftime(args: list[Typed], _: Context) -> Typed:
    value, wanted = args
    if coerce.is_null(value) or coerce.is_null(wanted):
        return coerce.null()
    known = coerce.constant(wanted)
    seconds = coerce.as_number(value)
    if known is None:
        return Typed(coerce.call("spl_strftime_any", seconds, coerce.as_text(wanted)), _STRING)
    text = known if isinstance(known, str) else coerce.number_text(known)
    return Typed(format_time(seconds, text), _STRING)


def format_time(seconds: exp.Expression, text: str) -> exp.Expression:
    """A time (epoch seconds, DOUBLE) as text in a literal format.

    >>> format_time(exp.column("t"), "%F").sql()
    "SPL_STRFTIME(t, '%Y-%m-%d')"
    """
    pieces: list[exp.Expression] = []
    for plain, group in groupby(parts(text), key=lambda p: _native(p) is not None):
        run = list(group)
        if plain:
            formatted = "".join(str(_native(p)) for p in run)
            if all(p.kind == "text" for p in run):
                pieces.append(coerce.literal_text("".join(p.value for p in run)))
            else:
                native = coerce.literal_text(formatted)
                pieces.append(coerce.call("spl_strftime", seconds.copy(), native))
        else:
            pieces += [_own(p, seconds.copy()) for p in run]
    if not pieces:
        return coerce.literal_text("")
    sql = pieces[0]
    for piece in pieces[1:]:
        sql = exp.DPipe(this=sql, expression=piece)
    if all(isinstance(p, exp.Literal) for p in pieces):
        present = exp.Not(this=exp.Is(this=seconds.copy(), expression=exp.Null()))
        return exp.Case(ifs=[exp.If(this=present, true=sql)])
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
            return coerce.call("spl_text", exp.Floor(this=seconds))
        case "subseconds":
            microseconds = coerce.call("spl_strftime", seconds, coerce.literal_text("%f"))
            if part.digits > 6:
                zeros = coerce.literal_text("0" * (part.digits - 6))
                return exp.DPipe(this=microseconds, expression=zeros)
            length = exp.Literal.number(part.digits)
            return exp.Substring(this=microseconds, start=exp.Literal.number(1), length=length)
        case "text":
            return coerce.literal_text(part.value)
        case "common":
            return coerce.literal_text("UTC" if part.value == "Z" else "+0000")
        case "zone":
            return coerce.literal_text("+00:00" if len(part.value) == 1 else "+00:00:00")
        case kind:
            native = coerce.literal_text(_PADDED[kind])
            return coerce.call("spl_blank_padded", coerce.call("spl_strftime", seconds, native))


def _strptime(args: list[Typed], context: Context) -> Typed:
    value, wanted = args
    if coerce.is_null(value) or coerce.is_null(wanted):
        return coerce.null(_NUMBER)
    known = coerce.constant(wanted)
    if known is None:
        return Typed(coerce.call("spl_strptime_any", *map(coerce.as_text, args)), _NUMBER)
    text = known if isinstance(known, str) else coerce.number_text(known)
    return Typed(parse_time(coerce.as_text(value), text, context.scope.now), _NUMBER)


def parse_time(value: exp.Expression, text: str, now: float) -> exp.Expression:
    """Text in a literal format as epoch seconds; NULL where it does not have the format.

    A format without a date means today, one without a year this year, both by ``now``.

    >>> parse_time(exp.column("t"), "%F %T.%3N", 0.0).sql("duckdb")
    "SPL_STRPTIME(t, '%Y-%m-%d %H:%M:%S.%f')"
    """
    found = parts(text)
    kinds = [p.kind for p in found]
    if kinds in (["epoch"], ["epoch", "text", "subseconds"]):
        return coerce.call("spl_num", value)
    given = {p.value for p in found if p.kind == "common"} | {p.kind for p in found}
    if "epoch" not in kinds and not given & {"Y", "y"}:
        dated = bool(given & {"m", "b", "B", "d", "j", "day"})
        prefix = "%Y " if dated else "%Y-%m-%d "
        today = datetime.fromtimestamp(now, UTC).strftime(prefix)
        value = exp.DPipe(this=coerce.literal_text(today), expression=coerce.paren(value))
        text = prefix + text
        found = parts(text)
    native = [_parsed(p) for p in found]
    if any(n is None for n in native):
        return coerce.call("spl_strptime_any", value, coerce.literal_text(text))
    joined = coerce.literal_text("".join(str(n) for n in native))
    return coerce.call("spl_strptime", value, joined)


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
    if coerce.is_null(base) or coerce.is_null(modifier):
        return coerce.null(_NUMBER)
    at, known = coerce.constant(base), coerce.constant(modifier)
    if isinstance(known, str):
        if isinstance(at, float):
            try:
                return coerce.number(relative_time(known, at))
            except EscudoError as e:  # null, as where a field holds it
                context.scope.warn("SPL201", e.diagnostic.message, context.span)
                return coerce.null(_NUMBER)
        shifted = _shifted(coerce.as_number(base), known)
        if shifted is not None:
            return Typed(shifted, _NUMBER)
    moved = coerce.call("spl_relative_time", coerce.as_number(base), coerce.as_text(modifier))
    return Typed(moved, _NUMBER)


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
            months = exp.Literal.number(_MONTHS[unit])
            seconds = coerce.call("spl_month_bin", seconds, months)
        elif unit not in _SECONDS:
            return None
        elif step["sign"] is None:
            seconds = _snapped(seconds, _SECONDS[unit], _THURSDAY * _DAY if unit == "w" else 0)
        else:
            count = int(f"{step['sign']}{step['count'] or 1}") * _SECONDS[unit]
            seconds = exp.Add(this=coerce.paren(seconds), expression=coerce.literal_number(count))
    return seconds


def _snapped(seconds: exp.Expression, width: int, shift: int) -> exp.Expression:
    """Rounded down to a multiple of ``width``, counted from ``shift`` seconds before the epoch."""
    moved = coerce.paren(seconds)
    if shift:
        moved = exp.Paren(this=exp.Add(this=moved, expression=coerce.literal_number(shift)))
    steps = coerce.call("spl_floor", exp.Div(this=moved, expression=coerce.literal_number(width)))
    out: exp.Expression = exp.Mul(this=steps, expression=coerce.literal_number(width))
    if shift:
        out = exp.Sub(this=out, expression=coerce.literal_number(shift))
    return out


DATE_AND_TIME = (
    EvalFunction("now", 0, 0, "number", _now, _PAGE, Nulls.OWN),
    EvalFunction("relative_time", 2, 2, "number", _relative_time, _PAGE),
    EvalFunction("strftime", 2, 2, "string", _strftime, _PAGE),
    EvalFunction("strptime", 2, 2, "number", _strptime, _PAGE),
    EvalFunction("time", 0, 0, "number", _time, _PAGE, Nulls.OWN),
)
