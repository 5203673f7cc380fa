"""The name of a lookup that another app computes -> what it gives; the command ``lookup`` calls it.

These are lookups of URL Toolbox (Splunkbase 2734) that security content leans on. In Splunk they
are scripts; here each output is an expression. A definition of the content goes before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from escudo.core.schema import FieldType
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.sql import literal_text, prelude_call
from escudo.spl.relation.values import Typed, is_null, null_value, text_value


@dataclass(frozen=True, slots=True)
class ComputedLookup:
    """``inputs`` in the order in which the functions of ``outputs`` take them; ``optional`` ones
    have a value where none is given."""

    inputs: tuple[str, ...]
    outputs: Mapping[str, Callable[[Sequence[Typed]], Typed]]
    optional: Mapping[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        return (*self.inputs, *self.outputs)

    def compute(self, output: str, given: Mapping[str, Typed]) -> Typed:
        """An output for the values of the inputs; null where an input is."""
        values = [given.get(name, null_value()) for name in self.inputs]
        for i, name in enumerate(self.inputs):
            if name in self.optional and is_null(values[i]):
                values[i] = text_value(self.optional[name])
        return null_value() if any(map(is_null, values)) else self.outputs[output](values)


def _shannon(values: Sequence[Typed]) -> Typed:
    return Typed(prelude_call("spl_entropy", as_text(values[0])), FieldType.NUMBER)


def _levenshtein(values: Sequence[Typed]) -> Typed:
    return Typed(prelude_call("spl_levenshtein", *map(as_text, values)), FieldType.INTEGER)


def _part(name: str) -> Callable[[Sequence[Typed]], Typed]:
    def compute(values: Sequence[Typed]) -> Typed:
        url, tld_list = as_text(values[0]), as_text(values[1])
        return Typed(
            prelude_call("spl_url_part", url, tld_list, literal_text(name)), FieldType.STRING
        )

    return compute


def _simple_part(name: str) -> Callable[[Sequence[Typed]], Typed]:
    return lambda values: _part(name)([values[0], text_value(_IANA)])


_IANA = "iana"
_SIMPLE = ("scheme", "netloc", "path", "params", "query", "fragment")
_EXTENDED = (
    *_SIMPLE,
    "domain",
    "tld",
    "domain_without_tld",
    "subdomain",
    "port",
    "subdomain_parts",
    "subdomain_count",
)

COMPUTED: Mapping[str, ComputedLookup] = {
    "ut_shannon_lookup": ComputedLookup(("word",), {"ut_shannon": _shannon}),
    "ut_levenshtein_lookup": ComputedLookup(("word1", "word2"), {"ut_levenshtein": _levenshtein}),
    "ut_parse_simple_lookup": ComputedLookup(
        ("url",), {f"ut_{name}": _simple_part(name) for name in _SIMPLE}
    ),
    "ut_parse_extended_lookup": ComputedLookup(
        ("url", "list"), {f"ut_{name}": _part(name) for name in _EXTENDED}, {"list": _IANA}
    ),
}
