"""One extraction of content and a text -> the fields in it; ``ruled_events`` calls it."""

from __future__ import annotations

import re

from sqlglot import exp

from escudo.core.field_rules import Capture, Columns, FieldRule, Pairs
from escudo.core.schema import MV_SEPARATOR, FieldType
from escudo.spl.lowering.lower_eval import map_entry
from escudo.spl.operators.extraction import capture_group, match_pattern
from escudo.spl.operators.null_filling import fill_from
from escudo.spl.relation.sql import case_when, literal_integer, literal_text, prelude_call
from escudo.spl.relation.values import Typed

MOST_PAIRS = 1000
"""Pairs of a name and a value that an event gives at most."""


def takes_names(rule: FieldRule) -> bool:
    """Whether an extraction takes the names of fields from the events."""
    return isinstance(rule.what, Pairs) or (
        isinstance(rule.what, Capture) and bool(rule.what.pairs)
    )


def capture_field(text: exp.Expression, what: Capture, group: int | str) -> Typed:
    """What a group of the pattern gives, or a constant where it matches."""
    if isinstance(group, str):
        matched = match_pattern(Typed(text.copy(), FieldType.STRING), what.pattern, None)
        return Typed(case_when((matched, literal_text(group))), FieldType.STRING)
    value = Typed(text.copy(), FieldType.STRING)
    if what.several:
        return capture_group(value, what.pattern, group, most=0)
    if what.repeated and "|" in what.pattern:
        every = capture_group(value, what.pattern, group, most=0)
        first = prelude_call("spl_mvindex", every.sql, literal_integer(0))
        return Typed(first, FieldType.STRING)
    return capture_group(value, what.pattern, group, most=1)


def take_column(text: exp.Expression, what: Columns, at: int) -> Typed:
    """The value at a place; delimiters in double quotes are part of it."""
    among = re.escape(what.delimiters)
    quoted = r'"(?:[^"\\]|\\.)*"'
    before = rf"^(?:(?:{quoted}|[^{among}])*[{among}]){{{at}}}" if at else "^"
    value = Typed(text, FieldType.STRING)
    inside = capture_group(value, rf'{before}\s*"((?:[^"\\]|\\.)*)"', 1, most=1)
    plain = capture_group(value, rf"{before}([^{among}]*)", 1, most=1)
    return fill_from(inside, plain)


def find_pairs(text: exp.Expression, what: Capture | Columns | Pairs) -> exp.Expression:
    """A map of the names and values that a text says."""
    if isinstance(what, Pairs):
        return prelude_call(
            "spl_pairs",
            text,
            literal_text(what.pair_delimiters),
            literal_text(what.key_delimiters),
            exp.true() if what.clean_keys else exp.false(),
            literal_integer(MOST_PAIRS),
            exp.true() if what.several else exp.false(),
        )
    assert isinstance(what, Capture)
    options = ["clean"] * what.clean_keys + ["several"] * what.several
    groups = ",".join(f"{key}:{value}" for key, value in what.pairs)
    return prelude_call(
        "spl_pattern_pairs",
        text,
        literal_text(what.pattern),
        literal_text(groups),
        literal_text(" ".join(options)),
    )


def pair_value(ident: str, name: str, *, several: bool) -> Typed:
    """A field of the column that holds such a map."""
    value = map_entry(ident, name)
    if not several:
        return Typed(value, FieldType.STRING)
    parts = prelude_call("spl_split", value, literal_text(MV_SEPARATOR))
    return Typed(parts, FieldType.MULTIVALUE)
