"""The functions of ``convert``, in terms of evaluation functions (Search Reference, convert)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from escudo.core.schema import FieldType
from escudo.spl.ast import Binary, Call, EvalExpr, FieldRef, Literal
from escudo.spl.bind import Binder
from escudo.spl.plan import Relation, Typed


def converted(
    function: str, name: str, kind: FieldType, timeformat: str, relation: Relation, binder: Binder
) -> Typed:
    """The field after a conversion; each value of a multivalue by itself."""
    field = FieldRef(name)
    expr = _FUNCTIONS[function](field, timeformat)
    if kind is FieldType.MULTIVALUE:
        expr = Call("mvmap", (field, expr))
    return binder.evaluate(expr, relation)


def _call(function: str, *args: EvalExpr | str | float) -> Call:
    wrapped = (a if not isinstance(a, str | int | float) else Literal(a) for a in args)
    return Call(function, tuple(wrapped))


def _matches(field: EvalExpr, pattern: str) -> Call:
    return _call("match", field, pattern)


def _group(field: EvalExpr, pattern: str, group: int = 1) -> Call:
    """A capture group of a pattern that matches the whole value, as a number; null without."""
    return _call("tonumber", _call("replace", field, pattern, f"\\{group}"))


def _sum(*parts: EvalExpr) -> EvalExpr:
    out, *more = parts
    for p in more:
        out = Binary("+", out, p)
    return out


def _times(value: EvalExpr, factor: float) -> EvalExpr:
    return Binary("*", value, Literal(factor))


def _memory(field: EvalExpr, _: str) -> EvalExpr:
    """``memk``: kilobytes of a size with k, m or g; k where no unit is given."""
    pattern = r"^\s*(\d+(?:\.\d+)?)\s*([kKmMgG]?)[bB]?\s*$"
    size = _group(field, pattern)
    unit = _call("lower", _call("replace", field, pattern, r"\2"))
    factor = _call(
        "case", _equal(unit, "g"), 1024.0 * 1024, _equal(unit, "m"), 1024.0, _call("true"), 1.0
    )
    return _call("if", _matches(field, pattern), Binary("*", size, factor), _call("null"))


def _duration(field: EvalExpr, _: str) -> EvalExpr:
    """``dur2sec``: seconds of ``[D+]HH:MM:SS``."""
    days = r"^(\d+)\+(\d+):(\d+):(\d+(?:\.\d+)?)$"
    hours = r"^(\d+):(\d+):(\d+(?:\.\d+)?)$"
    with_days = _sum(
        _times(_group(field, days), 86400.0),
        _times(_group(field, days, 2), 3600.0),
        _times(_group(field, days, 3), 60.0),
        _group(field, days, 4),
    )
    without = _sum(
        _times(_group(field, hours), 3600.0),
        _times(_group(field, hours, 2), 60.0),
        _group(field, hours, 3),
    )
    return _call("case", _matches(field, days), with_days, _matches(field, hours), without)


def _minutes(field: EvalExpr, _: str) -> EvalExpr:
    """``mstime``: seconds of ``[MM:]SS.SSS``."""
    pattern = r"^(\d+):(\d+(?:\.\d+)?)$"
    seconds = _sum(_times(_group(field, pattern), 60.0), _group(field, pattern, 2))
    return _call("case", _matches(field, pattern), seconds, _call("true"), _call("tonumber", field))


def _equal(left: EvalExpr, text: str) -> EvalExpr:
    return Binary("==", left, Literal(text))


def _number(field: EvalExpr, timeformat: str) -> EvalExpr:
    """``num`` and ``auto``: the first of the readings that gives a number."""
    without_comma = _call("tonumber", _call("replace", field, ",", ""))
    return _call(
        "coalesce",
        _call("tonumber", field),
        _duration(field, timeformat),
        _minutes(field, timeformat),
        _memory(field, timeformat),
        without_comma,
    )


_FUNCTIONS: Mapping[str, Callable[[EvalExpr, str], EvalExpr]] = {
    "auto": lambda f, t: _call("coalesce", _number(f, t), f),
    "ctime": lambda f, t: _call("strftime", f, t),
    "dur2sec": _duration,
    "memk": _memory,
    "mktime": lambda f, t: _call("strptime", f, t),
    "mstime": _minutes,
    "num": _number,
    "rmcomma": lambda f, t: _call("replace", f, ",", ""),
    "rmunit": lambda f, t: _group(f, r"^\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?).*$"),
}
