"""Text functions (Search Reference, TextFunctions)."""

from __future__ import annotations

import re

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.functions.row import Context, EvalFunction
from escudo.spl.relation import pcre
from escudo.spl.relation.coercion import as_integer, as_text
from escudo.spl.relation.sql import literal_text, lower_case, prelude_call
from escudo.spl.relation.values import Typed, constant_of, is_null, null_value, number_text

_PAGE = "TextFunctions"
_BLANKS = " \t"
_TO_LAST_SEPARATOR = (r"^.*[\\/]", r"^.*[/\\]")
"""The idiom for the last part of a path; engines have a faster way than a regular expression."""


def _string(sql: exp.Expression) -> Typed:
    return Typed(sql, FieldType.STRING)


def _trim(name: str) -> EvalFunction:
    def build(args: list[Typed], _: Context) -> Typed:
        characters = as_text(args[1]) if len(args) > 1 else literal_text(_BLANKS)
        return _string(prelude_call(f"spl_{name}", as_text(args[0]), characters))

    return EvalFunction(name, 1, 2, "string", build, _PAGE, each=True)


def _substr(args: list[Typed], _: Context) -> Typed:
    value, start, *length = args
    parts = [as_text(value), as_integer(start), *map(as_integer, length)]
    return _string(prelude_call("spl_substr" if length else "spl_substr_from", *parts))


def _replace(args: list[Typed], context: Context) -> Typed:
    value, pattern, replacement = args
    if any(map(is_null, args)):
        return null_value()
    known = constant_of(pattern)
    if known in _TO_LAST_SEPARATOR and constant_of(replacement) == "":
        return _string(prelude_call("spl_basename", as_text(value)))
    if known is None:
        name, wanted, groups = "spl_pcre_replace", as_text(pattern), None
    else:
        text = known if isinstance(known, str) else number_text(known)
        translated = pcre.checked(text, context.span)
        name = "spl_regex_replace" if translated.regular_exact else "spl_pcre_replace"
        wanted, groups = literal_text(translated.exact), len(translated.groups)
    new = as_text(replacement)
    if groups is not None and isinstance(constant_of(replacement), str):
        new = literal_text(_references(str(constant_of(replacement)), groups))
    elif groups is not None:
        name = "spl_pcre_replace"
    return _string(prelude_call(name, as_text(value), wanted, new))


def _references(replacement: str, groups: int) -> str:
    r"""A replacement with ``\1`` for groups that exist; any other backslash is doubled.

    Two backslashes are one; a lone one before anything but a digit is itself.

    >>> _references(r"\1-\d\9\\", 1)
    '\\1-\\\\d\\\\'
    """

    def resolve(m: re.Match[str]) -> str:
        if m[1] is None or m[1] == "\\":
            return r"\\"
        return m[0] if int(m[1]) <= groups else ""

    return re.sub(r"\\(\d|\\)?", resolve, replacement)


def _spath(args: list[Typed], _: Context) -> Typed:
    found = prelude_call("spl_spath", *map(as_text, args))
    return Typed(found, FieldType.MULTIVALUE)


TEXT = (
    EvalFunction(
        "len",
        1,
        1,
        "integer",
        lambda args, _: Typed(exp.Length(this=as_text(args[0])), FieldType.INTEGER),
        _PAGE,
    ),
    EvalFunction(
        "lower",
        1,
        1,
        "string",
        lambda args, _: _string(lower_case(as_text(args[0]))),
        _PAGE,
        each=True,
    ),
    _trim("ltrim"),
    EvalFunction("replace", 3, 3, "string", _replace, _PAGE, each=True),
    _trim("rtrim"),
    EvalFunction("spath", 2, 2, "multivalue", _spath, _PAGE),
    EvalFunction("substr", 2, 3, "string", _substr, _PAGE, each=True),
    _trim("trim"),
    EvalFunction(
        "upper",
        1,
        1,
        "string",
        lambda args, _: _string(exp.Upper(this=as_text(args[0]))),
        _PAGE,
        each=True,
    ),
    EvalFunction(
        "urldecode",
        1,
        1,
        "string",
        lambda args, _: _string(prelude_call("spl_urldecode", as_text(args[0]))),
        _PAGE,
        each=True,
    ),
)
