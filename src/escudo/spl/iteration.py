"""Templates run again and again: ``foreach`` over fields or values, ``map`` over rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl import coerce
from escudo.spl.ast import Call, Command, FieldRef
from escudo.spl.bind import Binder
from escudo.spl.plan import Relation, Typed, alias, select
from escudo.spl.union import stacked
from escudo.spl.wildcards import pattern, select_names

if TYPE_CHECKING:
    from escudo.spl.commands.foreach import Foreach

_ITEM = "__foreach_item"
MOST_VALUES = 1000
"""Values that one ``foreach`` goes through."""


def iterated(relation: Relation, command: Foreach, binder: Binder) -> Relation:
    """``foreach``: the template once for each field, or once for each value of a field."""
    if command.mode == "multifield":
        return _each_field(relation, command, binder)
    if len(command.fields) != 1:
        raise EscudoError(
            "SPL105", f"foreach mode={command.mode} takes one field", span=command.span
        )
    (name,) = command.fields
    value = relation.field(name)
    if value is None:
        return relation
    is_list = value.type is FieldType.MULTIVALUE
    if command.mode == "json_array" or (command.mode == "auto_collections" and not is_list):
        value = binder.evaluate(Call("json_array_to_mv", (FieldRef(name),)), relation)
    return _each_value(relation, value, command, binder)


def _each_field(relation: Relation, command: Foreach, binder: Binder) -> Relation:
    known = binder.matching(relation, command.fields)
    visible = [n for n in known if not n.startswith("_")]
    number = 0
    for wanted in command.fields:
        for name in select_names([wanted], visible):
            if relation.bound(name) is None:
                continue
            found = pattern(wanted).fullmatch(name)
            segments = found.groups() if found else ()
            text = command.template.replace(command.fieldstr, name)
            text = text.replace(command.matchstr, "".join(segments) if segments else name)
            text = text.replace(command.iterstr, str(number))
            tokens = (command.matchseg1, command.matchseg2, command.matchseg3)
            for i, token in enumerate(tokens):
                text = text.replace(token, segments[i] if i < len(segments) else "")
            relation = _run(relation, text, binder)
            number += 1
    return relation


def _run(relation: Relation, template: str, binder: Binder) -> Relation:
    text = template.strip()
    return binder.pipeline(binder.parse(text if text.startswith("|") else f"| {text}"), relation)


def _each_value(relation: Relation, values: Typed, command: Foreach, binder: Binder) -> Relation:
    """Values in turn, so that a template may add up; rows with fewer values stay as they are."""
    relation = relation.extend([(f"{_ITEM}s", values)], binder.names)
    items = relation.bound(f"{_ITEM}s")
    assert items is not None
    length = coerce.call("spl_len", items.typed().sql)
    for number in range(_longest(relation, length, binder)):
        has_one = exp.GT(this=length.copy(), expression=exp.Literal.number(number))
        index = exp.Literal.number(number)
        item = coerce.call("spl_mvindex", items.typed().sql, index)
        with_item = relation.extend([(_ITEM, Typed(item, FieldType.STRING))], binder.names)
        text = command.template.replace(f'"{command.itemstr}"', _ITEM)
        text = text.replace(f"'{command.itemstr}'", _ITEM).replace(command.itemstr, _ITEM)
        done = _run(with_item, text.replace(command.iterstr, str(number)), binder)
        changed: list[tuple[str, Typed]] = []
        for name, bound in done.fields.items():
            if bound is None or name == _ITEM or with_item.fields.get(name) == bound:
                continue
            after = bound.typed()
            earlier = relation.field(name)
            held = Typed(_chosen(has_one, after, earlier), _kind(after, earlier))
            changed.append((name, held))
        relation = done.extend(changed, binder.names)
    hidden: dict[str, Any] = dict.fromkeys((_ITEM, f"{_ITEM}s"))
    return relation.with_fields({**relation.fields, **hidden})


def _kind(after: Typed, earlier: Typed | None) -> FieldType:
    return coerce.unify([after] if earlier is None else [after, earlier])


def _chosen(condition: exp.Expression, after: Typed, earlier: Typed | None) -> exp.Expression:
    kind = _kind(after, earlier)
    otherwise = coerce.null(kind) if earlier is None else earlier
    return exp.Case(
        ifs=[exp.If(this=condition.copy(), true=coerce.convert(after, kind))],
        default=coerce.convert(otherwise, kind).copy(),
    )


def _longest(relation: Relation, length: exp.Expression, binder: Binder) -> int:
    if binder.runner is None:
        binder.deferred.append("the number of values of foreach")
        return 1
    query = select([alias(exp.Max(this=length.copy()), "most")], relation.render())
    return min(binder.run(query, relation).column(0)[0].as_py() or 0, MOST_VALUES)


def mapped(relation: Relation, text: str, most: int, command: Command, binder: Binder) -> Relation:
    """``map``: the search once for each row, ``$field$`` replaced by the row's value.

    A row without one of the values has no search; SPL322 says so.
    """
    limited = relation.limit(most) if most else relation
    found = binder.collect(binder.closed(limited), "the rows that map runs a search for")
    if found is None:
        return binder.pipeline(binder.parse(_FIELD.sub(_SAMPLE, text)))
    results: list[Relation] = []
    for number, record in enumerate(found.to_pylist(), 1):
        values = {n: _token(v) for n, v in record.items() if v is not None}
        values["_serial_id"] = str(number)
        missing = [n for n in _FIELD.findall(text) if n not in values]
        if missing:
            binder.warn(
                "SPL322", f"row {number} has no {missing[0]}, map leaves it out", command.span
            )
            continue
        results.append(binder.pipeline(binder.parse(_filled(text, values))))
    if not results:
        return binder.empty(())
    return results[0] if len(results) == 1 else stacked(results, binder)


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda found: values[found[1]], text)


def _token(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, int | float):
        return coerce.number_text(value)
    return str(value)


_SAMPLE = "1"
"""Stands for a value while none is known: it is text, a number and a time."""
_FIELD = re.compile(r"\$([\w.:{}@-]+)\$")
