"""Regular expressions beyond RE2 (look-around, backreferences), by the ``regex`` module."""

from __future__ import annotations

from functools import lru_cache

import regex

from escudo.core.errors import EscudoError
from escudo.engines.kernels.row import BOOLEAN, INTEGER, LIST, TEXT, Kernel
from escudo.spl.regex import for_python, translate


@lru_cache(maxsize=512)
def compiled(pattern: str) -> regex.Pattern[str] | None:
    """The pattern ready to use; None if it is not one (a pattern from a field may not be)."""
    try:
        return regex.compile(for_python(translate(pattern).text), regex.ASCII)
    except (EscudoError, regex.error):
        return None


def match(value: str, pattern: str) -> bool | None:
    """Whether the pattern matches somewhere.

    >>> match("foobar", r"foo(?=bar)")
    True
    """
    found = compiled(pattern)
    return None if found is None else found.search(value) is not None


def replace(value: str, pattern: str, replacement: str) -> str | None:
    r"""Every match replaced; ``\1`` is the first group, ``\\`` a backslash.

    >>> replace("a1b2", r"(\d)", r"<\1>")
    'a<1>b<2>'
    """
    found = compiled(pattern)
    if found is None:
        return None

    def expand(m: regex.Match[str]) -> str:
        def reference(r: regex.Match[str]) -> str:
            if r[1] == "\\":
                return "\\"
            number = int(r[1])
            return (m[number] or "") if number <= found.groups else ""

        return str(regex.sub(r"\\(\d|\\)", reference, replacement))

    return str(found.sub(expand, value))


def group(value: str, pattern: str, number: int) -> str | None:
    """A group of the first match; None if there is no match or the group took no part."""
    found = compiled(pattern)
    m = None if found is None else found.search(value)
    return None if m is None else m[number]


def groups(value: str, pattern: str, number: int, limit: int) -> list[str] | None:
    """A group of every match, at most ``limit`` of them (0: no limit)."""
    found = compiled(pattern)
    if found is None:
        return None
    out: list[str] = []
    for m in found.finditer(value):
        if limit and len(out) >= limit:
            break
        if m[number] is not None:
            out.append(m[number])
    return out or None


def offset(value: str, pattern: str, number: int) -> str | None:
    """``start-end`` of a group in the first match, the end inclusive, counted from 0."""
    found = compiled(pattern)
    m = None if found is None else found.search(value)
    return None if m is None or m[number] is None else f"{m.start(number)}-{m.end(number) - 1}"


PATTERNS = (
    Kernel("spl_pcre_match", (TEXT, TEXT), BOOLEAN, match),
    Kernel("spl_pcre_replace", (TEXT, TEXT, TEXT), TEXT, replace),
    Kernel("spl_pcre_group", (TEXT, TEXT, INTEGER), TEXT, group),
    Kernel("spl_pcre_groups", (TEXT, TEXT, INTEGER, INTEGER), LIST, groups),
    Kernel("spl_pcre_offset", (TEXT, TEXT, INTEGER), TEXT, offset),
)
