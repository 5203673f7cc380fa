"""A row as one JSON object: ``tojson`` (Search Reference)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl import coerce
from escudo.spl.plan import Relation, Typed


def json_object(names: Sequence[tuple[str, str]], relation: Relation, *, fill_null: bool) -> Typed:
    """The fields (name, kind) as an object; null fields are left out unless ``fill_null``.

    Kinds: ``str`` and ``none`` give text, ``num``, ``bool`` and ``json`` what the text says where
    it says so, ``auto`` a number, boolean or document where the text is one.
    """
    keys: list[exp.Expression] = []
    values: list[exp.Expression] = []
    for name, kind in names:
        value = relation.field(name)
        if value is None:
            continue
        text = _json(value, kind)
        known = exp.Not(this=exp.Is(this=text.copy(), expression=exp.null()))
        key: exp.Expression = coerce.literal_text(name)
        if fill_null:
            text = exp.Coalesce(this=text, expressions=[coerce.literal_text("null")])
        else:
            key = exp.Case(ifs=[exp.If(this=known, true=key)])
        keys.append(key)
        values.append(text)
    if not keys:
        return coerce.text("{}")
    lists = [coerce.call("spl_values", exp.Array(expressions=items)) for items in (keys, values)]
    made = coerce.call("spl_json_object", *lists)
    return Typed(exp.Coalesce(this=made, expressions=[coerce.literal_text("{}")]), FieldType.STRING)


def _json(value: Typed, kind: str) -> exp.Expression:
    if value.type is FieldType.MULTIVALUE:
        return coerce.call("spl_json_array", value.sql)
    text = coerce.as_text(value)
    quoted = coerce.call("spl_json_quote", text.copy())
    number = coerce.call("spl_text", coerce.as_number(Typed(text.copy(), FieldType.STRING)))
    match kind:
        case "num":
            return number
        case "bool":
            flag = coerce.call("spl_bool", text)
            truth = exp.If(this=flag.copy(), true=coerce.literal_text("true"))
            return exp.Case(
                ifs=[truth, exp.If(this=exp.Not(this=flag), true=coerce.literal_text("false"))]
            )
        case "json":
            return coerce.call("spl_json", text)
        case "auto":
            document = coerce.call("spl_json", text.copy())
            return exp.Coalesce(this=document, expressions=[quoted])
    if value.type in coerce.NUMERIC:
        return number
    return quoted
