"""JSON functions (Search Reference, JSONFunctions)."""

from __future__ import annotations

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.functions.jsonvalue import as_json, is_json, json_typed
from escudo.spl.functions.row import Builder, Context, EvalFunction, Nulls
from escudo.spl.relation.coercion import as_boolean, as_list, as_text
from escudo.spl.relation.sql import coalesce, literal_text, prelude_call, text_array
from escudo.spl.relation.values import Typed

_PAGE = "JSONFunctions"
_NULL_JSON = "null"


def _json_values(args: list[Typed]) -> list[exp.Expression]:
    null = literal_text(_NULL_JSON)
    return [coalesce(as_json(a), null.copy()) for a in args]


def _document(value: Typed) -> exp.Expression:
    return value.sql if is_json(value) else as_text(value)


def _object(args: list[Typed], context: Context) -> Typed:
    if len(args) % 2:
        raise context.error("keys and values must come in pairs")
    keys = text_array([as_text(k) for k in args[::2]])
    return json_typed(prelude_call("spl_json_object", keys, text_array(_json_values(args[1::2]))))


def _array(args: list[Typed], _: Context) -> Typed:
    return json_typed(prelude_call("spl_json_list", text_array(_json_values(args))))


def _changing(name: str) -> Builder:
    """Functions of a document and (path, value) pairs."""

    def build(args: list[Typed], context: Context) -> Typed:
        document, *rest = args
        if len(rest) % 2:
            raise context.error("paths and values must come in pairs")
        paths = text_array([as_text(p) for p in rest[::2]])
        values = text_array(_json_values(rest[1::2]))
        return json_typed(prelude_call(f"spl_{name}", _document(document), paths, values))

    return build


def _paths(name: str, *, always: bool = False) -> Builder:
    """Functions of a document and paths."""

    def build(args: list[Typed], _: Context) -> Typed:
        document, *rest = args
        paths = text_array([as_text(p) for p in rest])
        return json_typed(prelude_call(f"spl_{name}", _document(document), paths))

    return build


def _plain(name: str) -> Builder:
    def build(args: list[Typed], _: Context) -> Typed:
        return json_typed(prelude_call(f"spl_{name}", _document(args[0])))

    return build


def _valid(args: list[Typed], _: Context) -> Typed:
    return Typed(prelude_call("spl_json_valid", _document(args[0])), FieldType.BOOLEAN)


def _has_key(args: list[Typed], _: Context) -> Typed:
    document, key = _document(args[0]), as_text(args[1])
    return Typed(prelude_call("spl_json_has_key_exact", document, key), FieldType.BOOLEAN)


def _to_mv(args: list[Typed], _: Context) -> Typed:
    quoted = as_boolean(args[1]) if len(args) > 1 else exp.false()
    found = prelude_call("spl_json_to_mv", _document(args[0]), quoted)
    return Typed(found, FieldType.MULTIVALUE)


def _from_mv(args: list[Typed], _: Context) -> Typed:
    infer = as_boolean(args[1]) if len(args) > 1 else exp.false()
    return json_typed(prelude_call("spl_mv_to_json", as_list(args[0]), infer))


JSON = (
    EvalFunction("json", 1, 1, "json", _plain("json"), _PAGE),
    EvalFunction("json_append", 3, None, "json", _changing("json_append"), _PAGE),
    EvalFunction("json_array", 0, None, "json array", _array, _PAGE, Nulls.OWN),
    EvalFunction("json_array_to_mv", 1, 2, "multivalue", _to_mv, _PAGE),
    EvalFunction("json_delete", 2, None, "json", _paths("json_delete"), _PAGE),
    EvalFunction("json_entries", 1, 1, "json array", _plain("json_entries"), _PAGE),
    EvalFunction("json_extend", 3, None, "json", _changing("json_extend"), _PAGE),
    EvalFunction("json_extract", 1, None, "json or string", _paths("json_extract"), _PAGE),
    EvalFunction(
        "json_extract_exact", 1, None, "json or string", _paths("json_extract_exact"), _PAGE
    ),
    EvalFunction("json_has_key_exact", 2, 2, "boolean", _has_key, _PAGE),
    EvalFunction("json_keys", 1, 1, "json array", _plain("json_keys"), _PAGE),
    EvalFunction("json_object", 0, None, "json object", _object, _PAGE, Nulls.OWN),
    EvalFunction("json_set", 3, None, "json", _changing("json_set"), _PAGE),
    EvalFunction("json_set_exact", 3, None, "json", _changing("json_set_exact"), _PAGE),
    EvalFunction("json_valid", 1, 1, "boolean", _valid, _PAGE),
    EvalFunction("mv_to_json_array", 1, 2, "json array", _from_mv, _PAGE),
)
