"""A regular expression -> texts that it matches, simple ones first; ``texts`` calls it.

Python's own parser takes the pattern apart; each variant makes other choices (which branch, how
many times). Look-around and references are not solved: who calls checks each text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

from escudo.core.errors import EscudoError
from escudo.spl import adapt_to_python, translate

sre: Any = import_module("re._constants")
sre_parser: Any = import_module("re._parser")

VARIANTS = 12
"""Texts of a pattern that are tried: more found no further one (ESCU 5.0)."""
_LIKELY = "aA1 x.\\/-_:,;=\"'()[]{}<>|%$#@!&*+?~^`\t\n"
"""Characters in the order in which one is taken for a class."""
_MOST_REPEATS = 600


@lru_cache(maxsize=2048)
def _parse(pattern: str) -> Any:
    """The parsed pattern; None where Python's ``re`` does not read it."""
    try:
        text = adapt_to_python(translate(pattern).text)
        return sre_parser.parse(_without_atomic(text))
    except (EscudoError, re.error, OverflowError, RecursionError):
        return None


def _without_atomic(text: str) -> str:
    return text.replace("(?>", "(?:")


def find_groups(pattern: str) -> Sequence[str]:
    """The names of a pattern's groups; none where it cannot be read.

    >>> find_groups(r"user=(?<user>\\w+)")
    ['user']
    """
    return list(_number_groups(pattern))


def _number_groups(pattern: str) -> Mapping[str, int]:
    try:
        return translate(pattern).names()
    except EscudoError:
        return {}


def make_examples(pattern: str, groups: Mapping[str, str] | None = None) -> Iterator[str]:
    """Texts that a pattern matches as a whole, most of them; ``groups`` have these texts.

    >>> next(make_examples(r"^a(b|c)+\\d{2}$"))
    'ab11'
    >>> next(make_examples(r"user=(?<user>\\w+)", {"user": "bob"}))
    'user=bob'
    """
    parsed = _parse(pattern)
    if parsed is None:
        return
    numbers = _number_groups(pattern)
    given = {numbers[n]: text for n, text in (groups or {}).items() if n in numbers}
    seen: set[str] = set()
    for variant in range(VARIANTS):
        text = _Writer(given, variant).write(parsed)
        if text not in seen:
            seen.add(text)
            yield text


def is_anchored(pattern: str) -> tuple[bool, bool]:
    """Whether a pattern is bound to the begin and to the end of the text."""
    parsed = _parse(pattern)
    if parsed is None or not len(parsed):
        return False, False
    first, last = parsed[0], parsed[len(parsed) - 1]
    begins = first[0] is sre.AT and first[1] in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING)
    ends = last[0] is sre.AT and last[1] in (sre.AT_END, sre.AT_END_STRING)
    return begins, ends


class _Writer:
    def __init__(self, given: Mapping[int, str], variant: int) -> None:
        self.given = given
        self.variant = variant
        self.choices = variant
        self.captured: dict[int, str] = {}

    def write(self, parsed: Any) -> str:
        return "".join(self._part(op, value) for op, value in parsed)

    def _choose(self, options: int) -> int:
        """One of several ways: another one in the next variant."""
        chosen = self.choices % options
        self.choices //= options
        return chosen

    def _part(self, op: Any, value: Any) -> str:
        if op is sre.LITERAL:
            return chr(value)
        if op is sre.NOT_LITERAL:
            return next(c for c in _LIKELY if ord(c) != value)
        if op is sre.ANY:
            return "x \\"[self.variant % 3]
        if op is sre.IN:
            return _pick(value, self.variant)
        if op is sre.BRANCH:
            branches = value[1]
            return self.write(branches[self._choose(len(branches))])
        if op is sre.SUBPATTERN:
            return self._group(value)
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, getattr(sre, "POSSESSIVE_REPEAT", None)):
            return self._repeat(value)
        if op is getattr(sre, "ATOMIC_GROUP", None):
            return self.write(value)
        if op is sre.GROUPREF:
            return self.captured.get(value, "")
        if op is sre.ASSERT and value[0] > 0 and self.variant % 2:
            return self.write(value[1])
        return ""

    def _group(self, value: Any) -> str:
        number, inner = value[0], value[-1]
        text = self.given.get(number) if number is not None else None
        if text is None:
            text = self.write(inner)
        if number is not None:
            self.captured[number] = text
        return text

    def _repeat(self, value: Any) -> str:
        least, most, inner = value
        times = max(least, min(int(most), self.variant % 3)) if least == 0 else least
        return "".join(self.write(inner) for _ in range(min(times, _MOST_REPEATS)))


def _pick(items: Any, variant: int) -> str:
    """A character of a class: the likeliest, or another in later variants."""
    negated = items and items[0][0] is sre.NEGATE
    members = items[1:] if negated else items
    fitting = [c for c in _LIKELY if any(_is_member(c, m) for m in members) != negated]
    if fitting:
        return fitting[variant % min(len(fitting), 3)]
    for op, value in members:
        if op is sre.LITERAL:
            return chr(value)
        if op is sre.RANGE:
            return chr(value[0])
    return "a"


def _is_member(character: str, member: Any) -> bool:
    op, value = member
    code = ord(character)
    if op is sre.LITERAL:
        return bool(code == value)
    if op is sre.RANGE:
        return bool(value[0] <= code <= value[1])
    if op is sre.CATEGORY:
        belongs = _CATEGORIES.get(value)
        return belongs is not None and belongs(character)
    return False


_CATEGORIES: Mapping[Any, Callable[[str], bool]] = {
    sre.CATEGORY_DIGIT: lambda c: c.isdigit(),
    sre.CATEGORY_NOT_DIGIT: lambda c: not c.isdigit(),
    sre.CATEGORY_SPACE: lambda c: c.isspace(),
    sre.CATEGORY_NOT_SPACE: lambda c: not c.isspace(),
    sre.CATEGORY_WORD: lambda c: c.isalnum() or c == "_",
    sre.CATEGORY_NOT_WORD: lambda c: not (c.isalnum() or c == "_"),
}
