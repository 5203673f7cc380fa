"""Loaded content -> macros, lookups and saved searches by name, as the binder asks for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from escudo.core.catalog import Lookup, Macro

_FILTER_USE = re.compile(r"`\s*([A-Za-z0-9_:.-]+_filter)\s*`")
_EVERYTHING = "search *"


class ContentKnowledge:
    """``core.catalog.Knowledge`` over loaded content.

    A filter macro (``name_filter``) that a search uses and no content defines lets everything
    pass, as contentctl generates it. Lookup tables are also known by the name of their file.

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
    ) -> None:
        filters = {name for text in filter_users for name in _FILTER_USE.findall(text)}
        defaults = {(name, 0): Macro(name, _EVERYTHING) for name in filters}
        self._macros = {**defaults, **macros}
        self._lookups = dict(lookups)
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

    def model(self, name: str) -> bytes | None:
        """None: content has no models; those that ``fit`` makes are in a lake."""
        return None

    def job(self, name: str) -> pa.Table | None:
        """None, likewise."""
        return None
