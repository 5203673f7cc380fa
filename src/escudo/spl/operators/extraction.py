"""Text and a regular expression -> fields, conditions, values; called by ``rex``, ``regex``,
``makemv`` and ``why``.

The expression is a PCRE, matched anywhere (Search Reference, rex). A field keeps its value where
the expression does not match; a group that matches nothing gives no value.
"""

from __future__ import annotations

from sqlglot import exp

from escudo.core.errors import EscudoError, Span
from escudo.core.schema import FieldType
from escudo.spl.operators.null_filling import fill_from
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.comparison import any_value, flat_map_values, map_values
from escudo.spl.relation.pcre import Pattern, checked
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import list_of, literal_integer, literal_text, prelude_call
from escudo.spl.relation.values import Typed


def extract_groups(
    value: Typed, text: str, *, most: int, relation: Relation, span: Span | None
) -> list[tuple[str, Typed]]:
    """The named groups of a pattern in a value; ``most`` matches (0: all) as multivalues.

    Raises ``SPL316`` for a pattern without a named group.
    """
    pattern = checked(text, span)
    names = pattern.names()
    if not names:
        raise EscudoError(
            "SPL316",
            "the regular expression has no named group",
            span=span,
            hint="name what is to become a field: (?<name>...)",
        )
    return [
        (name, fill_from(_capture_values(value, pattern, number, most), relation.field(name)))
        for name, number in names.items()
    ]


def capture_group(value: Typed, text: str, group: int, *, most: int) -> Typed:
    """A group of a pattern (0: the whole match) in a value; see ``extract_groups``."""
    return _capture_values(value, checked(text, None), group, most)


def _capture_values(value: Typed, pattern: Pattern, number: int, most: int) -> Typed:
    if value.type is FieldType.MULTIVALUE:
        if most == 1:
            each = map_values(value.sql.copy(), lambda v: _capture_first(v.sql, pattern, number))
            return Typed(prelude_call("spl_values", each), FieldType.MULTIVALUE)
        every = flat_map_values(
            value.sql.copy(), lambda v: _capture_many(v.sql, pattern, number, most)
        )
        return Typed(every, FieldType.MULTIVALUE)
    text = as_text(value).copy()
    if most == 1:
        return Typed(_capture_first(text, pattern, number), FieldType.STRING)
    return Typed(_capture_many(text, pattern, number, most), FieldType.MULTIVALUE)


def _capture_many(text: exp.Expression, pattern: Pattern, number: int, most: int) -> exp.Expression:
    return _capture("groups", text, pattern, number, literal_integer(most))


def _capture_first(text: exp.Expression, pattern: Pattern, number: int) -> exp.Expression:
    group = _capture("group", text, pattern, number)
    return exp.Nullif(this=group, expression=literal_text(""))


def _capture(
    kind: str, text: exp.Expression, pattern: Pattern, number: int, *rest: exp.Expression
) -> exp.Expression:
    """A call that takes one group; a plain pattern is left with that group only, which is faster
    and has no limit to the number of groups."""
    if pattern.exact != pattern.text and (not number or pattern.groups[number - 1] is None):
        arguments = [literal_text(pattern.exact), literal_integer(number), *rest]
        return prelude_call(f"spl_pcre_{kind}", text, *arguments)
    if pattern.regular:
        pattern, number = pattern.only(number), min(number, 1)
    name = f"spl_{'regex' if pattern.regular else 'pcre'}_{kind}"
    return prelude_call(name, text, literal_text(pattern.text), literal_integer(number), *rest)


def match_pattern(value: Typed, text: str, span: Span | None) -> exp.Expression:
    """Whether a pattern matches somewhere in a value (any value of a multivalue)."""
    pattern = checked(text, span)
    name = "spl_regex_match" if pattern.regular else "spl_pcre_match"

    def test(v: Typed) -> exp.Expression:
        return prelude_call(name, as_text(v), literal_text(pattern.text))

    if value.type is FieldType.MULTIVALUE:
        return any_value(value.sql, test)
    return test(value)


def locate_groups(value: Typed, text: str, span: Span | None) -> Typed:
    """``name=start-end`` of each group of the first match, joined by ``&``."""
    pattern = checked(text, span)
    parts: list[exp.Expression] = []
    for name, number in pattern.names().items():
        regex, group = literal_text(pattern.text), literal_integer(number)
        place = prelude_call("spl_pcre_offset", as_text(value).copy(), regex, group)
        parts.append(exp.DPipe(this=literal_text(f"{name}="), expression=place))
    listed = prelude_call("spl_values", list_of(parts))
    return Typed(prelude_call("spl_mvjoin", listed, literal_text("&")), FieldType.STRING)


def edit_text(value: Typed, script: str) -> Typed:
    """``mode=sed``: ``s/regex/replacement/flags`` or ``y/from/to/``."""

    def edit(text: exp.Expression) -> exp.Expression:
        return prelude_call("spl_sed", text, literal_text(script))

    if value.type is FieldType.MULTIVALUE:
        edited = map_values(value.sql, lambda v: edit(v.sql))
        return Typed(edited, FieldType.MULTIVALUE)
    return Typed(edit(as_text(value)), FieldType.STRING)


def find_tokens(value: Typed, text: str, span: Span | None) -> exp.Expression:
    """The first group of every match, or the whole match where there is no group."""
    pattern = checked(text, span)
    group = 1 if pattern.groups else 0
    return _capture("groups", as_text(value), pattern, group, literal_integer(0))
