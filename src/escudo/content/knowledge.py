"""Loaded content -> macros, lookups and saved searches by name, as the binder asks for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import pyarrow as pa

from escudo.core.catalog import Lookup, Macro
from escudo.core.field_rules import NO_RULES, FieldRules

_FILTER_USE = re.compile(r"`\s*([A-Za-z0-9_:.-]+_filter)\s*`")
EVERYTHING = "search *"
"""What a filter macro says that nobody has defined."""
_WRITTEN = re.compile(r"\|\s*outputlookup\s+(?:\w+\s*=\s*\S+\s+)*\"?([\w.-]+)", re.IGNORECASE)


def _add_writers(lookups: Mapping[str, Lookup], searches: Mapping[str, str]) -> dict[str, Lookup]:
    """The lookups, with the name of the search that writes each.

    Of several the first by name is taken: what begins a lookup (``... - Initial``) goes before what
    goes on with it (``... - Update``).
    """
    writers: dict[str, str] = {}
    for search in sorted(searches):
        for name in _WRITTEN.findall(searches[search]):
            writers.setdefault(name, search)
    out = {name: replace(k, writer=writers.get(name)) for name, k in lookups.items()}
    for name, writer in writers.items():
        out.setdefault(name, Lookup(name, writer=writer))
    return out


class ContentKnowledge:
    """``core.catalog.Knowledge`` over loaded content.

    A filter macro (``name_filter``) that a search uses and no content defines lets everything
    pass, as contentctl generates it. Lookup tables are also known by the name of their file. A
    lookup that a search of the content writes is known without a definition, too.

    >>> knowledge = ContentKnowledge({}, {}, {}, ["... | `wmi_filter`"])
    >>> knowledge.macro("wmi_filter", 0).definition
    'search *'
    >>> knowledge.macro("wmi_filtre", 0) is None
    True
    """

    def __init__(
        self,
        macros: Mapping[tuple[str, int], Macro],
        lookups: Mapping[str, Lookup],
        searches: Mapping[str, str],
        filter_users: Iterable[str],
        *,
        field_rules: FieldRules = NO_RULES,
        origins: Mapping[str, frozenset[str]] = MappingProxyType({}),
        kept: tuple[object, ...] = (),
    ) -> None:
        self._kept = kept
        self._field_rules = field_rules
        self._origins = origins
        filters = {name for text in filter_users for name in _FILTER_USE.findall(text)}
        defaults = {(name, 0): Macro(name, EVERYTHING) for name in filters}
        self._macros = {**defaults, **macros}
        self._lookups = _add_writers(lookups, searches)
        self._searches = {name.lower(): text for name, text in searches.items()}

    def macro(self, name: str, arity: int) -> Macro | None:
        return self._macros.get((name, arity))

    def macros(self) -> Sequence[tuple[str, int]]:
        return tuple(self._macros)

    def lookup(self, name: str) -> Lookup | None:
        return self._lookups.get(name)

    def lookups(self) -> Sequence[str]:
        return tuple(self._lookups)

    def saved_search(self, name: str) -> str | None:
        return self._searches.get(name.lower())

    def field_rules(self) -> FieldRules:
        return self._field_rules

    def origins(self, field: str) -> frozenset[str]:
        return self._origins.get(field, frozenset())

    def fingerprint(self) -> bytes:
        return b""

    def model(self, name: str) -> bytes | None:
        """None: content has no models; those that ``fit`` makes are in a lake."""
        return None

    def job(self, name: str) -> pa.Table | None:
        """None, likewise."""
        return None
