"""Condition that fails, event -> what may have been meant: the near values of the event.

All of it looks at one event, by the rules of ``spl.match``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from escudo.spl.lowering.lower_search import matches
from escudo.spl.relation.values import is_numeric_text
from escudo.spl.syntax.ast import Binary, Call, Compare, FieldRef, InList, Literal, Value
from escudo.spl.syntax.unparse import search_field, value_text
from escudo.spl.why.conditions import Expr

Fields = Mapping[str, Sequence[str]]
"""The fields of an event that are not null, with their values as text."""

_SHORT = 3


def find_hint(expr: Expr | None, event: Fields, others: Fields) -> str | None:
    """A hint why a condition fails for an event, or None.

    Args:
        event: the fields as they are where the condition stands.
        others: all fields of the event, where else a value may be.

    >>> condition = Compare("process_name", "=", Value("cmd.exe"))
    >>> find_hint(condition, {"process_name": ["C:\\\\Windows\\\\cmd.exe"]}, {})
    'the value ends with it: process_name=*cmd.exe would match'
    """
    match expr:
        case Compare(name, "=", value):
            return _search_hint(name, (value,), event, others)
        case InList(name, values):
            return _search_hint(name, values, event, others)
        case Compare(name, op, value) if name in event:
            return _order_hint(op, value, event[name])
        case Compare(name, _, _):
            return _missing(name, (), others)
        case Binary(op, left, right) if op in ("=", "==", "LIKE"):
            return _equality_hint(op, left, right, event, others)
        case Call(name, args):
            return _call_hint(name, args, event, others)
    return None


# --- search -------------------------------------------------------------------------------------


def _search_hint(name: str, values: Sequence[Value], event: Fields, others: Fields) -> str | None:
    if name not in event:
        return _missing(name, values, others)
    for value in values:
        for text in event[name]:
            found = _near(name, value, text)
            if found is not None:
                return found
    return _elsewhere(name, values, others)


def _near(name: str, value: Value, text: str) -> str | None:
    """How a value comes near a text that it does not match."""
    folded = Value(value.text, value.quoted)
    if value.exact_case and matches(folded, text):
        return f"it differs only in case, and CASE() minds it: the value is {text}"
    if matches(folded, text.strip()):
        return "the value has blanks around it"
    if "*" in value.text or len(value.text) < _SHORT:
        return None
    wanted, held = value.text.lower(), text.lower()
    where = (
        ("ends with it", f"*{value.text}")
        if held.endswith(wanted)
        else ("begins with it", f"{value.text}*")
        if held.startswith(wanted)
        else ("has it inside", f"*{value.text}*")
        if wanted in held
        else None
    )
    if where is None:
        return None
    spelled = value_text(Value(where[1], value.quoted, value.exact_case))
    return f"the value {where[0]}: {search_field(name)}={spelled} would match"


def _missing(name: str, values: Sequence[Value], others: Fields) -> str:
    return _elsewhere(name, values, others) or f"the event has no {name}"


def _elsewhere(name: str, values: Sequence[Value], others: Fields) -> str | None:
    """Another field that holds one of the values."""
    for other, texts in others.items():
        if other == name or other == "_raw":
            continue
        for value in values:
            plain = value.text.replace("*", "")
            if len(plain) >= _SHORT and any(matches(value, t) for t in texts):
                return f"the event has it in another field: {other}"
    return None


def _order_hint(op: str, value: Value, texts: Sequence[str]) -> str | None:
    if op not in ("<", ">", "<=", ">=") or not is_numeric_text(value.text):
        return None
    odd = [t for t in texts if not is_numeric_text(t)]
    return f"{odd[0]!r} is no number, so the two are compared as text" if odd else None


# --- eval ---------------------------------------------------------------------------------------


def _equality_hint(
    op: str, left: object, right: object, event: Fields, others: Fields
) -> str | None:
    for one, other in ((left, right), (right, left)):
        if not isinstance(one, FieldRef) or not isinstance(other, Literal):
            continue
        wanted = str(other.value)
        if one.name not in event:
            return _missing(one.name, (Value(wanted),), others)
        if op == "LIKE":
            return _like_hint(wanted, event[one.name])
        for text in event[one.name]:
            if text != wanted and text.lower() == wanted.lower():
                return f"it differs only in case: the value is {text}"
            if "*" in wanted and matches(Value(wanted, exact_case=True), text):
                return "'*' is no wildcard in where: use like() or match()"
            if text.strip() == wanted.strip():
                return "the value has blanks around it"
        return _elsewhere(one.name, (Value(wanted, exact_case=True),), others)
    return None


def _call_hint(name: str, args: Sequence[object], event: Fields, others: Fields) -> str | None:
    match name, tuple(args):
        case "match", (FieldRef(field), Literal(pattern)) if field in event:
            for text in event[field]:
                if _found(str(pattern), text):
                    return f"it differs only in case: (?i) in front ignores it; the value is {text}"
        case "like", (FieldRef(field), Literal(pattern)) if field in event:
            return _like_hint(str(pattern), event[field])
        case "in", (FieldRef(field), *literals) if field in event:
            wanted = [str(v.value) for v in literals if isinstance(v, Literal)]
            for text in event[field]:
                if text not in wanted and text.lower() in {w.lower() for w in wanted}:
                    return f"it differs only in case: the value is {text}"
        case (("match" | "like" | "in"), (FieldRef(field), *_)):
            if field not in event:
                return _missing(field, tuple(_literals(args)), others)
    return None


def _literals(args: Sequence[object]) -> Iterator[Value]:
    return (Value(str(a.value), exact_case=True) for a in args if isinstance(a, Literal))


def _found(pattern: str, text: str) -> bool:
    """Whether a pattern is found without regard to case (a pattern only SPL knows: no)."""
    try:
        return re.search(pattern, text, re.IGNORECASE) is not None
    except re.error:
        return False


def _like_hint(pattern: str, texts: Sequence[str]) -> str | None:
    regular = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
    for text in texts:
        if re.fullmatch(regular, text, re.IGNORECASE | re.DOTALL):
            return f"it differs only in case: the value is {text}"
        if "%" not in pattern and pattern.lower() in text.lower():
            return f"like() takes the whole value: '%{pattern}%' would match"
    return None
