"""The name of a field -> a text that such a field holds; ``kinds`` asks where nothing else is
known, so that what is made looks like what the source writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files

import yaml


@cache
def _table() -> Sequence[tuple[re.Pattern[str], str]]:
    text = files("escudo.synthesis").joinpath("likely.yml").read_text("utf-8")
    return [(re.compile(name), held) for name, held in yaml.load(text, yaml.CSafeLoader)]


@lru_cache(maxsize=4096)
def likely_text(name: str) -> str | None:
    """A text for a field of that name; None where the name says nothing.

    >>> likely_text("userIdentity.userName"), likely_text("records{}.properties.ipAddress")
    ('ida.lind', '198.51.100.23')
    """
    last = re.split(r"\.|\{\}\.?", name.removesuffix("{}"))[-1].lower()
    return next((held for form, held in _table() if form.fullmatch(last)), None)
