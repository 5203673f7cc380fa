"""The lookups of content, as the solver and the evaluator ask for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

from escudo.core.catalog import Knowledge
from escudo.core.catalog import Lookup as Definition
from escudo.core.errors import EscudoError
from escudo.spl import Call, EvalExpr, Literal, read_lookup
from escudo.synthesis.demands import Check, Kind, exact
from escudo.synthesis.evaluate import Scope, evaluate
from escudo.synthesis.functions import UnknownValueError
from escudo.synthesis.values import Value, text_of, wildcard_regex

_MOST_AVOIDED = 100
"""Rows of a lookup that the solver keeps a text from matching; larger tables match little."""
_MOST_WAYS = 40
"""Rows of a lookup that the solver tries."""


Way: TypeAlias = tuple[tuple[EvalExpr, Check, bool], ...]
"""Expressions with the checks that they must pass, or must not."""


class Table:
    """The rows of a lookup, and how its keys match."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition

    @cached_property
    def rows(self) -> Sequence[Mapping[str, str | None]]:
        try:
            rows: list[dict[str, str | None]] = read_lookup(self.definition, None).to_pylist()
        except EscudoError as error:
            raise UnknownValueError(f"lookup {self.definition.name}") from error
        return rows

    def key_matches(self, name: str, key: str, text: str) -> bool:
        """Whether a row's key takes a text."""
        case = self.definition.case_sensitive
        kind = self.definition.match_types.get(name, "").upper()
        if kind == "WILDCARD":
            return wildcard_regex(key, case=case).fullmatch(text) is not None
        if kind == "CIDR":
            raise UnknownValueError("a lookup of networks")
        return key == text if case else key.lower() == text.lower()


class Lookups:
    """Lookups by name; their rows are read when they are asked for."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._tables: dict[str, Table] = {}

    def table(self, name: str) -> Table:
        if name not in self._tables:
            definition = self._knowledge.lookup(name)
            if definition is None or definition.path is None:
                raise UnknownValueError(f"lookup {name}")
            self._tables[name] = Table(definition)
        return self._tables[name]

    def is_collection(self, name: str) -> bool:
        """Whether a lookup is of a collection, whose rows other searches write."""
        definition = self._knowledge.lookup(name)
        return definition is not None and definition.path is None

    def evaluate(self, expr: Call, scope: Scope) -> Value:
        """``lookup(table, output, key, value, ...)`` of an event."""
        table, output, keys = self._take_apart(expr)
        texts = [(name, text_of(evaluate(value, scope))) for name, value in keys]
        if any(text is None for _, text in texts):
            return None
        found = [
            str(row[output])
            for row in table.rows
            if row.get(output) is not None
            and all(table.key_matches(n, str(row.get(n) or ""), str(t)) for n, t in texts)
        ]
        found = found[: table.definition.max_matches]
        default = table.definition.default_match
        if not found and default is not None and table.definition.min_matches > 0:
            return default
        return (found if len(found) > 1 else found[0]) if found else None

    def ways(self, expr: Call, check: Check, wanted: bool) -> Iterator[Way]:
        """What the keys must be for an output to pass a check, or not to pass it."""
        try:
            table, output, keys = self._take_apart(expr)
            rows = table.rows
        except UnknownValueError:
            yield ()
            return
        default = table.definition.default_match
        unmatched = default if table.definition.min_matches > 0 else None
        if check.holds(unmatched) == wanted:
            yield tuple(_avoid(rows, *keys[0])) if len(rows) <= _MOST_AVOIDED else ()
        number = 0
        for row in rows:
            if check.holds(row.get(output)) != wanted or row.get(output) is None:
                continue
            texts = [(value, str(row.get(n) or "").replace("*", "")) for n, value in keys]
            if all(text for _, text in texts):
                yield tuple((value, exact(text), True) for value, text in texts)
                number += 1
                if number == _MOST_WAYS:
                    return

    def _take_apart(self, expr: Call) -> tuple[Table, str, list[tuple[str, EvalExpr]]]:
        table, output, *rest = expr.args
        assert isinstance(table, Literal)
        assert isinstance(output, Literal)
        names = [str(n.value) for n in rest[::2] if isinstance(n, Literal)]
        pairs = list(zip(names, rest[1::2], strict=True))
        return self.table(str(table.value)), str(output.value), pairs


def _avoid(
    rows: Sequence[Mapping[str, str | None]], name: str, value: EvalExpr
) -> Iterator[tuple[EvalExpr, Check, bool]]:
    """What a key must not be, so that no row matches it."""
    for text in dict.fromkeys(row.get(name) for row in rows):
        if text:
            yield value, Check(Kind.WILD, text), False
