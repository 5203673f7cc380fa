"""Patterns with ``*`` -> the fields that they name, and what a renaming makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache


@lru_cache(maxsize=4096)
def pattern(text: str) -> re.Pattern[str]:
    """A field-name pattern as a regular expression with a group for each ``*``."""
    return re.compile("(.*)".join(re.escape(p) for p in text.split("*")), re.DOTALL)


def select_names(patterns: Sequence[str], names: Iterable[str]) -> list[str]:
    """The names that the patterns give, in the order of the patterns; a pattern without ``*``
    names itself, whether or not such a field exists.

    Internal fields (``_time``, ``_raw``) are named only by patterns that begin with ``_`` too.

    >>> select_names(["b", "a*"], ["a1", "b", "a2"])
    ['b', 'a1', 'a2']
    >>> select_names(["*"], ["_time", "a"]), select_names(["_*"], ["_time", "a"])
    (['a'], ['_time'])
    """
    known = list(names)
    out: dict[str, None] = {}
    for p in patterns:
        if "*" not in p:
            out[p] = None
        else:
            internal = p.startswith("_")
            out.update(
                (n, None)
                for n in known
                if n.startswith("_") == internal and pattern(p).fullmatch(n)
            )
    return list(out)


def renamed(old: str, new: str, name: str) -> str | None:
    """What ``rename old AS new`` makes of a name; None if it does not match.

    Each ``*`` of ``new`` takes what the ``*`` at its place in ``old`` matched (Search Reference,
    rename).

    >>> renamed("Processes.*", "*", "Processes.dest"), renamed("a*b*", "x*y*", "a1b2")
    ('dest', 'x1y2')
    """
    found = pattern(old).fullmatch(name)
    if found is None:
        return None
    parts = new.split("*")
    taken = (*found.groups(), *("" for _ in parts))
    return parts[0] + "".join(taken[i] + part for i, part in enumerate(parts[1:]))
