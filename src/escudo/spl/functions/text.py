"""Text functions (Search Reference, TextFunctions)."""

from __future__ import annotations

import re

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl import coerce, regex
from escudo.spl.functions.row import Context, EvalFunction, constant_text
from escudo.spl.plan import Typed

_PAGE = "TextFunctions"
_BLANKS = " \t"
_TO_LAST_SEPARATOR = (r"^.*[\\/]", r"^.*[/\\]")
"""The idiom for the last part of a path; engines have a faster way than a regular expression."""


def _string(sql: exp.Expression) -> Typed:
    return Typed(sql, FieldType.STRING)


def _trim(name: str) -> EvalFunction:
    def build(args: list[Typed], _: Context) -> Typed:
        characters = coerce.as_text(args[1]) if len(args) > 1 else coerce.literal_text(_BLANKS)
        return _string(coerce.call(f"spl_{name}", coerce.as_text(args[0]), characters))

    return EvalFunction(name, 1, 2, "string", build, _PAGE, each=True)


def _substr(args: list[Typed], _: Context) -> Typed:
    value, start, *length = args
    parts = [coerce.as_text(value), coerce.as_integer(start), *map(coerce.as_integer, length)]
    return _string(coerce.call("spl_substr" if length else "spl_substr_from", *parts))


def _replace(args: list[Typed], context: Context) -> Typed:
    value, pattern, replacement = args
    if any(map(coerce.is_null, args)):
        return coerce.null()
    known = coerce.constant(pattern)
    if known in _TO_LAST_SEPARATOR and coerce.constant(replacement) == "":
        return _string(coerce.call("spl_basename", coerce.as_text(value)))
    if known is None:
        name, wanted, groups = "spl_pcre_replace", coerce.as_text(pattern), None
    else:
        text = known if isinstance(known, str) else coerce.number_text(known)
        translated = regex.checked(text, context.span)
        name = "spl_regex_replace" if translated.regular else "spl_pcre_replace"
        wanted, groups = coerce.literal_text(translated.text), len(translated.groups)
    new = coerce.as_text(replacement)
    if groups is not None and isinstance(coerce.constant(replacement), str):
        new = coerce.literal_text(_references(str(coerce.constant(replacement)), groups))
    elif groups is not None:
        name = "spl_pcre_replace"
    return _string(coerce.call(name, coerce.as_text(value), wanted, new))


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


def _spath(args: list[Typed], context: Context) -> Typed:
    path = constant_text(args, 1, context, "the path")
    found = coerce.call("spl_spath", coerce.as_text(args[0]), coerce.literal_text(path))
    return Typed(found, FieldType.MULTIVALUE)


TEXT = (
    EvalFunction(
        "len",
        1,
        1,
        "integer",
        lambda args, _: Typed(exp.Length(this=coerce.as_text(args[0])), FieldType.INTEGER),
        _PAGE,
    ),
    EvalFunction(
        "lower",
        1,
        1,
        "string",
        lambda args, _: _string(exp.Lower(this=coerce.as_text(args[0]))),
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
        lambda args, _: _string(exp.Upper(this=coerce.as_text(args[0]))),
        _PAGE,
        each=True,
    ),
    EvalFunction(
        "urldecode",
        1,
        1,
        "string",
        lambda args, _: _string(coerce.call("spl_urldecode", coerce.as_text(args[0]))),
        _PAGE,
        each=True,
    ),
)
