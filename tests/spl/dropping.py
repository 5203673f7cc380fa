"""Which ``name=value`` of a text its tree does not hold: what the parser would drop silently."""

from __future__ import annotations

import re
from collections.abc import Iterator

from escudo.core.errors import EscudoError
from escudo.spl.parse import parse
from escudo.spl.syntax.ast import Pipeline

_OPTION = re.compile(r'(?<=\s)(\w+)\s?=\s?("(?:[^"\\]|\\.)*"|\([^()]*\)|[^\s,()\[\]|]+)')


def without_effect(text: str, tree: Pipeline) -> Iterator[str]:
    """The options of a text without which it makes the same tree."""
    for option in _OPTION.finditer(text):
        try:
            without = parse(f"{text[: option.start()]} {text[option.end() :]}")
        except EscudoError:
            continue
        if without == tree:
            yield option[0]
