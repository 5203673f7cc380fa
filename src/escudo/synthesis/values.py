"""SPL values as Python's, and how they compare; the evaluator of expressions calls it.

A value is None, a text, a number, a truth value or a list of texts. The rules are those of the
Search Reference (eval, comparison and conditional functions), written down apart from the engine:
what this module says of an event must not be learned from what the engine makes of it.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TypeAlias

Value: TypeAlias = str | int | float | bool | list[str] | None

ITEM_MARK = "\x1e"
"""What stands between the values of a field of an event that has several."""
NETWORK = re.compile(r"[\d.]+/\d{1,2}|[0-9a-fA-F:.]+:[0-9a-fA-F:.]*/\d{1,3}")
"""A value of a search that stands for a network of addresses."""
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def number_of(value: Value) -> float | None:
    """A value as a number; None if it does not look like one.

    >>> number_of("12"), number_of("0x1f"), number_of(3)
    (12.0, None, 3.0)
    """
    if isinstance(value, bool) or value is None or isinstance(value, list):
        return None
    if isinstance(value, int | float):
        return float(value)
    return float(value) if _NUMBER.fullmatch(value) else None


def text_of(value: Value) -> str | None:
    """A value as text; of several values, all of them with blanks between.

    >>> text_of(5.0), text_of(True), text_of(None)
    ('5', 'true', None)
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def texts_of(value: Value) -> list[str]:
    """The values of a field, one by one; none for null."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [str(text_of(value))]


def items_of(text: str) -> list[str]:
    """The values of a field of an event.

    >>> items_of("a\\x1eb")
    ['a', 'b']
    """
    return text.split(ITEM_MARK)


def compare(op: str, left: Value, right: Value) -> bool | None:
    """A comparison of ``eval`` and ``where``: as numbers if both look so, else as text with case.

    Null compares with nothing. Of several values any may hold.

    >>> compare("<", "9", "10"), compare("=", "a", "A"), compare("=", None, "a")
    (True, False, None)
    """
    if left is None or right is None:
        return None
    if isinstance(left, list) or isinstance(right, list):
        pairs = [(a, b) for a in texts_of(left) for b in texts_of(right)]
        if not pairs:
            return None
        held = [compare("=" if op == "!=" else op, a, b) for a, b in pairs]
        return not any(held) if op == "!=" else any(held)
    first, second = number_of(left), number_of(right)
    if first is not None and second is not None:
        return _ordered(op, first, second)
    return _ordered(op, str(text_of(left)), str(text_of(right)))


def _ordered(op: str, left: float | str, right: float | str) -> bool:
    match op:
        case "=" | "==":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right  # type: ignore[operator]
        case "<=":
            return left <= right  # type: ignore[operator]
        case ">":
            return left > right  # type: ignore[operator]
        case ">=":
            return left >= right  # type: ignore[operator]
    raise ValueError(f"no comparison {op!r}")


def is_in_network(address: str, network: str) -> bool:
    """Whether a network has an address; it has no text that is none.

    >>> is_in_network("10.1.2.3", "10.0.0.0/8"), is_in_network("x", "10.0.0.0/8")
    (True, False)
    """
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def wildcard_regex(pattern: str, *, case: bool = False) -> re.Pattern[str]:
    """The whole-text pattern of a value with ``*`` wildcards.

    >>> bool(wildcard_regex("*\\\\cmd.EXE").fullmatch("C:\\\\cmd.exe"))
    True
    """
    parts = [re.escape(part) for part in pattern.split("*")]
    return re.compile(".*".join(parts), re.DOTALL | (0 if case else re.IGNORECASE))


def like_regex(pattern: str) -> re.Pattern[str]:
    """The whole-text pattern of ``like()``: ``%`` is any text, ``_`` one character."""
    parts = [{"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern]
    return re.compile("".join(parts), re.DOTALL)
