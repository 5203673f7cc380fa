"""Knowledge objects in dicts, for tests of the language alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from escudo.core.catalog import Lookup, Macro
from escudo.core.field_rules import NO_RULES, FieldRules


@dataclass
class Book:
    """Macros, lookups and saved searches by name."""

    named: dict[tuple[str, int], Macro] = field(default_factory=dict)
    tables: dict[str, Lookup] = field(default_factory=dict)
    searches: dict[str, str] = field(default_factory=dict)
    rules: FieldRules = NO_RULES

    def define(
        self, name: str, definition: str, arguments: Iterable[str] = (), *, is_eval: bool = False
    ) -> Book:
        given = tuple(arguments)
        self.named[name, len(given)] = Macro(name, definition, given, is_eval)
        return self

    def macro(self, name: str, arity: int) -> Macro | None:
        return self.named.get((name, arity))

    def macros(self) -> Sequence[tuple[str, int]]:
        return sorted(self.named)

    def lookup(self, name: str) -> Lookup | None:
        return self.tables.get(name)

    def lookups(self) -> Sequence[str]:
        return sorted(self.tables)

    def saved_search(self, name: str) -> str | None:
        return self.searches.get(name)

    def field_rules(self) -> FieldRules:
        return self.rules

    def origins(self, field: str) -> frozenset[str]:
        return frozenset()

    def fingerprint(self) -> bytes:
        return b""

    def model(self, name: str) -> bytes | None:
        return None

    def job(self, name: str) -> pa.Table | None:
        return None
