"""The name of a lookup that another app computes -> what it gives; the command ``lookup`` calls it.

These are lookups of URL Toolbox (Splunkbase 2734) that security content leans on. In Splunk they
are scripts; here each output is an expression. A definition of the content goes before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from escudo.core.schema import FieldType
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.sql import prelude_call
from escudo.spl.relation.values import Typed, is_null, null_value


@dataclass(frozen=True, slots=True)
class ComputedLookup:
    """``inputs`` in the order in which the functions of ``outputs`` take them."""

    inputs: tuple[str, ...]
    outputs: Mapping[str, Callable[[Sequence[Typed]], Typed]]

    @property
    def fields(self) -> tuple[str, ...]:
        return (*self.inputs, *self.outputs)

    def compute(self, output: str, given: Mapping[str, Typed]) -> Typed:
        """An output for the values of the inputs; null where an input is."""
        values = [given.get(name, null_value()) for name in self.inputs]
        return null_value() if any(map(is_null, values)) else self.outputs[output](values)


def _shannon(values: Sequence[Typed]) -> Typed:
    return Typed(prelude_call("spl_entropy", as_text(values[0])), FieldType.NUMBER)


def _levenshtein(values: Sequence[Typed]) -> Typed:
    return Typed(prelude_call("spl_levenshtein", *map(as_text, values)), FieldType.INTEGER)


COMPUTED: Mapping[str, ComputedLookup] = {
    "ut_shannon_lookup": ComputedLookup(("word",), {"ut_shannon": _shannon}),
    "ut_levenshtein_lookup": ComputedLookup(("word1", "word2"), {"ut_levenshtein": _levenshtein}),
}
