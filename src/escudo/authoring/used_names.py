"""The text of searches -> the macros and lookups that they use; apps and differences ask."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from escudo.core.catalog import Macro
from escudo.core.errors import EscudoError
from escudo.spl.parse import parse

_COMMENT = re.compile(r"```.*?```", re.DOTALL)
_CALL = re.compile(r"`\s*([^\s(),`]+)")
_LOOKUP_COMMANDS = frozenset({"lookup", "inputlookup", "outputlookup"})
_LOOKUP_WORDS = re.compile(
    r"\b(?:input|output)?lookup\s+(?:\w+\s*=\s*\S+\s+)*\"?([\w.-]+)", re.IGNORECASE
)


def find_calls(text: str) -> frozenset[str]:
    """The macros that a text calls itself, by name.

    >>> sorted(find_calls("`a` | stats count by `b(x, \\"y\\")` ```not `c` ```"))
    ['a', 'b']
    """
    return frozenset(_CALL.findall(_split_calls(_COMMENT.sub(" ", text))))


def _split_calls(text: str) -> str:
    """Only what is between pairs of backquotes, each with one before it."""
    return " ".join(f"`{part}" for part in text.split("`")[1::2])


def find_macros(text: str, macros: Mapping[str, Sequence[Macro]]) -> frozenset[str]:
    """The macros that a text uses, those in macros counted; unknown ones as well."""
    found: set[str] = set()
    ahead = set(find_calls(text))
    while ahead:
        name = ahead.pop()
        found.add(name)
        for macro in macros.get(name, ()):
            ahead |= find_calls(macro.definition) - found
    return frozenset(found)


def find_lookups(expanded: str) -> frozenset[str]:
    """The lookups that a search names whose macros are expanded.

    Of a search that cannot be parsed they are what stands after the commands' names.

    >>> sorted(find_lookups('| inputlookup a | lookup b x OUTPUT y | append [| inputlookup c.csv]'))
    ['a', 'b', 'c.csv']
    """
    try:
        return frozenset(_list_tables(expanded))
    except EscudoError:
        return frozenset(_LOOKUP_WORDS.findall(expanded))


def _list_tables(expanded: str) -> Iterator[str]:
    for node in parse(expanded).walk():
        if getattr(node, "name", "") in _LOOKUP_COMMANDS:
            table = getattr(node, "table", None)
            if isinstance(table, str):
                yield table


def group_macros(macros: Iterable[Macro]) -> dict[str, list[Macro]]:
    """Macros by name: several where they differ in their arguments."""
    out: dict[str, list[Macro]] = {}
    for macro in macros:
        out.setdefault(macro.name, []).append(macro)
    return out
