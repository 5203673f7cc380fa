"""Texts and regular expressions beyond RE2 -> matches, by the ``regex`` module; kernels."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import count

import regex

from escudo.core.errors import EscudoError
from escudo.engines.kernels.kernel import BOOLEAN, INTEGER, LIST, TEXT, Kernel
from escudo.spl import adapt_to_python, translate

VALUE_SECONDS = 1.0
"""Seconds that an expression may take for one value: then it backtracks without end, and the search
ends with ENG007 (``TimeoutError`` here)."""


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> regex.Pattern[str] | None:
    """The pattern ready to use; None if it is not one (a pattern from a field may not be)."""
    try:
        return regex.compile(adapt_to_python(translate(pattern).exact), regex.ASCII)
    except (EscudoError, regex.error):
        return None


def match(value: str, pattern: str) -> bool | None:
    """Whether the pattern matches somewhere.

    >>> match("foobar", r"foo(?=bar)")
    True
    """
    expression = compile_pattern(pattern)
    return (
        None
        if expression is None
        else expression.search(value, timeout=VALUE_SECONDS, concurrent=True) is not None
    )


def replace(value: str, pattern: str, replacement: str) -> str | None:
    r"""Every match replaced; ``\1`` is the first group, ``\\`` a backslash.

    >>> replace("a1b2", r"(\d)", r"<\1>")
    'a<1>b<2>'
    """
    expression = compile_pattern(pattern)
    return (
        None
        if expression is None
        else expression.sub(
            build_expander(expression, replacement), value, timeout=VALUE_SECONDS, concurrent=True
        )
    )


def build_expander(
    pattern: regex.Pattern[str], replacement: str
) -> Callable[[regex.Match[str]], str]:
    r"""What stands for a match: the replacement with its ``\1`` filled in."""

    def expand(m: regex.Match[str]) -> str:
        def reference(r: regex.Match[str]) -> str:
            if r[1] == "\\":
                return "\\"
            number = int(r[1])
            return (m[number] or "") if number <= pattern.groups else ""

        return str(regex.sub(r"\\(\d|\\)", reference, replacement))

    return expand


def sed(value: str, script: str) -> str | None:
    r"""``s/pattern/replacement/flags`` (``g``, or the number of the match) or ``y/from/to/``.

    >>> sed("a.b.c", r"s/\./-/g"), sed("a.b.c", r"s/\./-/2"), sed("abc", "y/ac/xz/")
    ('a-b-c', 'a.b-c', 'xbz')
    """
    parts = _sed_parts(script)
    if parts is None:
        return None
    command, wanted, new, flags = parts
    if command == "y":
        return value.translate(str.maketrans(wanted, new)) if len(wanted) == len(new) else None
    expression = compile_pattern(f"(?i){wanted}" if "i" in flags.lower() else wanted)
    if expression is None:
        return None
    fill = build_expander(expression, new)
    number = "".join(c for c in flags if c.isdigit())
    if number:
        seen = count(1)
        return str(
            expression.sub(
                lambda m: fill(m) if next(seen) == int(number) else m[0],
                value,
                timeout=VALUE_SECONDS,
                concurrent=True,
            )
        )
    return str(
        expression.sub(
            fill, value, count=0 if "g" in flags else 1, timeout=VALUE_SECONDS, concurrent=True
        )
    )


@lru_cache(maxsize=512)
def _sed_parts(script: str) -> tuple[str, str, str, str] | None:
    """(command, from, to, flags); an escaped delimiter is the delimiter itself."""
    if len(script) < 4 or script[0] not in "sy":
        return None
    delimiter = script[1]
    parts = [""]
    at = 2
    while at < len(script):
        char = script[at]
        if char == "\\" and at + 1 < len(script):
            escaped = script[at + 1]
            parts[-1] += escaped if escaped == delimiter else char + escaped
            at += 2
            continue
        if char == delimiter and len(parts) < 3:
            parts.append("")
        else:
            parts[-1] += char
        at += 1
    return (script[0], parts[0], parts[1], parts[2]) if len(parts) == 3 else None


def group(value: str, pattern: str, number: int) -> str | None:
    """A group of the first match; None if there is no match or the group took no part."""
    expression = compile_pattern(pattern)
    m = (
        None
        if expression is None
        else expression.search(value, timeout=VALUE_SECONDS, concurrent=True)
    )
    return None if m is None else m[number]


def groups(value: str, pattern: str, number: int, limit: int) -> list[str] | None:
    """A group of every match, at most ``limit`` of them (0: no limit)."""
    expression = compile_pattern(pattern)
    if expression is None:
        return None
    out: list[str] = []
    for m in expression.finditer(value, timeout=VALUE_SECONDS, concurrent=True):
        if limit and len(out) >= limit:
            break
        if m[number] is not None:
            out.append(m[number])
    return out or None


def offset(value: str, pattern: str, number: int) -> str | None:
    """``start-end`` of a group in the first match, the end inclusive, counted from 0."""
    expression = compile_pattern(pattern)
    m = (
        None
        if expression is None
        else expression.search(value, timeout=VALUE_SECONDS, concurrent=True)
    )
    return None if m is None or m[number] is None else f"{m.start(number)}-{m.end(number) - 1}"


PATTERNS = (
    Kernel("spl_pcre_match", (TEXT, TEXT), BOOLEAN, match),
    Kernel("spl_pcre_replace", (TEXT, TEXT, TEXT), TEXT, replace),
    Kernel("spl_sed", (TEXT, TEXT), TEXT, sed),
    Kernel("spl_pcre_group", (TEXT, TEXT, INTEGER), TEXT, group),
    Kernel("spl_pcre_groups", (TEXT, TEXT, INTEGER, INTEGER), LIST, groups),
    Kernel("spl_pcre_offset", (TEXT, TEXT, INTEGER), TEXT, offset),
)
