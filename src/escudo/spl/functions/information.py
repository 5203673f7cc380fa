"""Informational functions (Search Reference, InformationalFunctions).

Field values are text that may look like a number; a value that looks like one counts as one.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.functions.jsonvalue import is_json
from escudo.spl.functions.row import Context, EvalFunction, Nulls
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.scope import NamedScope
from escudo.spl.relation.sql import (
    case_when,
    coalesce,
    has_no_value,
    has_value,
    list_of,
    literal_integer,
    literal_text,
    more_than,
    parenthesise,
    prelude_call,
)
from escudo.spl.relation.values import NUMERIC, Typed, constant_of, is_null, null_value, text_value

_PAGE = "InformationalFunctions"


def _boolean(sql: exp.Expression) -> Typed:
    return Typed(sql, FieldType.BOOLEAN)


def _fixed(value: Typed, answer: bool) -> exp.Expression:
    """An answer known from the type; a null value has no type, so it is false then."""
    if not answer or is_null(value):
        return exp.false()
    return has_value(parenthesise(value.sql))


def _isnull(args: list[Typed], _: Context) -> Typed:
    if is_null(args[0]):
        return _boolean(exp.true())
    return _boolean(has_no_value(parenthesise(args[0].sql)))


def _isnotnull(args: list[Typed], _: Context) -> Typed:
    if is_null(args[0]):
        return _boolean(exp.false())
    return _boolean(_fixed(args[0], True))


def _is(
    static: Callable[[Typed], bool | None], text_test: str
) -> Callable[[list[Typed], Context], Typed]:
    """A type test: decided by the static type where that is enough, else from the text."""

    def build(args: list[Typed], _: Context) -> Typed:
        value = args[0]
        if is_null(value):
            return _boolean(exp.false())
        answer = static(value)
        if answer is not None:
            return _boolean(_fixed(value, answer))
        tested = prelude_call(text_test, as_text(value))
        return _boolean(coalesce(tested, exp.false()))

    return build


def _kind_is_number(value: Typed) -> bool | None:
    if value.type in NUMERIC:
        return True
    return None if value.type is FieldType.STRING and _is_field(value) else False


def _kind_is_integer(value: Typed) -> bool | None:
    known = constant_of(value)
    if isinstance(known, float):
        return known.is_integer()
    if value.type is FieldType.INTEGER:
        return True
    return False if value.type is FieldType.BOOLEAN or not _is_field(value) else None


def _kind_is_double(value: Typed) -> bool | None:
    known = constant_of(value)
    if isinstance(known, float):
        return not known.is_integer()
    if value.type is FieldType.INTEGER:
        return False
    return False if value.type is FieldType.BOOLEAN or not _is_field(value) else None


def _kind_is_string(value: Typed) -> bool | None:
    if value.type is FieldType.STRING:
        return None if _is_field(value) else True
    return value.type is FieldType.MULTIVALUE


def _is_field(value: Typed) -> bool:
    """Not a literal string: those are text, even if they look like a number."""
    return not isinstance(constant_of(value), str)


def _json_kind(_: Typed) -> bool | None:
    return None


def _typeof(args: list[Typed], _: Context) -> Typed:
    value = args[0]
    if is_null(value):
        return text_value("Invalid")
    present: exp.Expression
    match value.type:
        case FieldType.BOOLEAN:
            present = literal_text("Boolean")
        case FieldType.STRING if _is_field(value) and not is_json(value):
            present = prelude_call("spl_kind", value.sql)
        case FieldType.STRING | FieldType.MULTIVALUE:
            present = literal_text("String")
        case _:
            present = literal_text("Number")
    missing = (has_no_value(parenthesise(value.sql.copy())), literal_text("Invalid"))
    return Typed(case_when(missing, otherwise=present), FieldType.STRING)


def _ismv(args: list[Typed], _: Context) -> Typed:
    value = args[0]
    if value.type is not FieldType.MULTIVALUE:
        return _boolean(exp.false())
    length = coalesce(prelude_call("spl_len", value.sql), literal_integer(0))
    return _boolean(more_than(length, literal_integer(1)))


def _getfields(args: list[Typed], context: Context) -> Typed:
    scope = context.scope
    if not isinstance(scope, NamedScope):
        raise context.error("getfields() needs the events of a search")
    names: list[exp.Expression] = []
    pattern = constant_of(args[0]) if args else "*"
    if not isinstance(pattern, str):
        raise context.error("the filter of getfields() must be a literal")
    for name in scope.field_names():
        value = scope.field(name)
        if value is None or not _matches(name, pattern):
            continue
        names.append(case_when((has_value(value.sql.copy()), literal_text(name))))
    if not names:
        return null_value(FieldType.MULTIVALUE)
    found = prelude_call("spl_values", list_of(names))
    return Typed(found, FieldType.MULTIVALUE)


def _matches(name: str, pattern: str) -> bool:
    """A field filter of getfields: an exact name, or a prefix with ``*``."""
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def _cluster(args: list[Typed], context: Context) -> Typed:
    raise context.error(
        "cluster() labels depend on the order of all events; it cannot be computed a row at a time",
        hint="use the cluster command's threshold with a stats over punct, or group by a pattern",
    )


INFORMATION = (
    EvalFunction("cluster", 1, 4, "number", _cluster, _PAGE),
    EvalFunction("getfields", 0, 1, "multivalue", _getfields, _PAGE, Nulls.OWN),
    EvalFunction(
        "isarray", 1, 1, "boolean", _is(_json_kind, "spl_is_json_array"), _PAGE, Nulls.OWN
    ),
    EvalFunction(
        "isbool",
        1,
        1,
        "boolean",
        lambda args, _: _boolean(_fixed(args[0], args[0].type is FieldType.BOOLEAN)),
        _PAGE,
        Nulls.OWN,
    ),
    EvalFunction(
        "isdouble", 1, 1, "boolean", _is(_kind_is_double, "spl_is_double"), _PAGE, Nulls.OWN
    ),
    EvalFunction("isint", 1, 1, "boolean", _is(_kind_is_integer, "spl_is_int"), _PAGE, Nulls.OWN),
    EvalFunction("ismv", 1, 1, "boolean", _ismv, _PAGE, Nulls.OWN),
    EvalFunction("isnotnull", 1, 1, "boolean", _isnotnull, _PAGE, Nulls.OWN),
    EvalFunction("isnull", 1, 1, "boolean", _isnull, _PAGE, Nulls.OWN),
    EvalFunction("isnum", 1, 1, "boolean", _is(_kind_is_number, "spl_is_num"), _PAGE, Nulls.OWN),
    EvalFunction(
        "isobject", 1, 1, "boolean", _is(_json_kind, "spl_is_json_object"), _PAGE, Nulls.OWN
    ),
    EvalFunction("isstr", 1, 1, "boolean", _is(_kind_is_string, "spl_is_str"), _PAGE, Nulls.OWN),
    EvalFunction("typeof", 1, 1, "string", _typeof, _PAGE, Nulls.OWN),
)
