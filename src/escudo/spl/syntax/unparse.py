"""Syntax tree -> text on one line. ``parse(unparse(x)) == x`` for every tree."""

from __future__ import annotations

import re
from collections.abc import Iterable

from escudo.spl.syntax.ast import (
    And,
    Binary,
    Call,
    Compare,
    EvalExpr,
    FieldRef,
    InList,
    Literal,
    Not,
    Or,
    SearchExpr,
    SubsearchTerm,
    SubsearchText,
    Term,
    TimeModifier,
    Unary,
    Value,
)

EVAL_RESERVED = frozenset({"and", "or", "not", "xor", "like", "in", "true", "false", "null"})
"""Words that are not field names in an eval expression unless quoted (without regard to case)."""

BINDING: dict[str, int] = {
    "XOR": 1,
    "OR": 2,
    "AND": 3,
    **dict.fromkeys(("=", "==", "!=", "<", ">", "<=", ">=", "LIKE"), 5),
    ".": 6,
    **dict.fromkeys(("+", "-"), 7),
    **dict.fromkeys(("*", "/", "%"), 8),
}
"""How tight a binary operator binds. NOT stands at 4, a sign at 9.

The order of the Boolean operators is the Search Manual's (Boolean expressions with logical
operators). The manual is silent on ``.``: here it binds weaker than ``+``.
"""
NOT_BINDING = 4
SIGN_BINDING = 9

_EVAL_NAME = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)
_WORD = re.compile(r"""[^\s"',=()\[\]|<>!\\`]+\Z""")
_SEARCH_FIELD = re.compile(r"""[^\s"'|\[\]()=<>!,\\`]+\Z""")
_SEARCH_WORD = re.compile(r"""(?:[^\s"|\[\]()`\\]|\\["\\|\[\]()]?)+\Z""")
_LISTED_WORD = re.compile(r"""(?:[^\s"|\[\]()`\\,]|\\["\\|\[\]()]?)+\Z""")


QUOTE = '"'
_LITERAL_SPECIAL = '"ntr\n\t\r'
_BACKSLASHES = re.compile(r'(\\+)(.|\Z)|"', re.DOTALL)


def _escaped(text: str, special: str) -> str:
    """Text between double quotes. A lone backslash before a character that is not ``special``
    stands for itself there, so patterns stay readable."""

    def double(match: re.Match[str]) -> str:
        if match[0] == '"':
            return '\\"'
        run, after = match[1], match[2]
        if len(run) > 1 or not after or after in special:
            run *= 2
        return run + ('\\"' if after == '"' else after)

    return _BACKSLASHES.sub(double, text)


def quoted(text: str) -> str:
    r"""Text as a quoted argument: backslashes and quotes escaped where they must be.

    >>> print(quoted(r'a\b "c" \\d'))
    "a\b \"c\" \\\\d"
    """
    return f'"{_escaped(text, QUOTE)}"'


def literal(text: str) -> str:
    r"""Text as a string literal of an eval expression, with ``\t`` and ``\n`` besides.

    >>> print(literal("a\tb\\d\\n"))
    "a\tb\d\\n"
    """
    inner = f'"{_escaped(text, _LITERAL_SPECIAL)}"'
    return inner.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def word(text: str, *reserved: str) -> str:
    """A name or a value of a plain argument, quoted where it must be.

    >>> word("Processes.*"), word("a b"), word("by", "by")
    ('Processes.*', '"a b"', '"by"')
    """
    return text if _WORD.match(text) and text.lower() not in reserved else quoted(text)


def words(texts: Iterable[str], *reserved: str, separator: str = ", ") -> str:
    """A list of names."""
    return separator.join(word(t, *reserved) for t in texts)


def number(value: float) -> str:
    """A number so that it reads back as the same number."""
    return repr(value)


def field(name: str) -> str:
    """A field name in an eval expression.

    >>> field("user"), field("a.b"), field("it's")
    ('user', "'a.b'", "'it\\\\'s'")
    """
    if _EVAL_NAME.match(name) and name.lower() not in EVAL_RESERVED:
        return name
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


def eval_text(expr: EvalExpr) -> str:
    """An eval expression.

    >>> eval_text(Binary("AND", FieldRef("a"), Binary("OR", FieldRef("b"), FieldRef("c"))))
    'a AND (b OR c)'
    """
    return _eval(expr)[0]


def _eval(expr: EvalExpr) -> tuple[str, int]:
    """The text of an expression, and how tight its outermost operator binds."""
    match expr:
        case Literal(value):
            return (literal(value) if isinstance(value, str) else number(value)), 10
        case FieldRef(name):
            return field(name), 10
        case Call(name, args):
            if name in ("true", "false", "null") and not args:
                return f"{name}()", 10
            return f"{name}({', '.join(eval_text(a) for a in args)})", 10
        case SubsearchText(pipeline):
            return f"[{pipeline.format(nested=True)}]", 10
        case Unary(op, operand):
            binding = NOT_BINDING if op == "NOT" else SIGN_BINDING
            inner = _grouped(operand, binding)
            if op == "NOT":
                return f"NOT {inner}", binding
            return op + inner, binding
        case Binary(op, left, right):
            binding = BINDING[op]
            return f"{_grouped(left, binding)} {op} {_grouped(right, binding + 1)}", binding


def _grouped(expr: EvalExpr, least: int) -> str:
    text, binding = _eval(expr)
    return text if binding >= least else f"({text})"


def value_text(value: Value, *, listed: bool = False) -> str:
    """The right side of a comparison, or a term; ``listed`` inside ``IN (...)``."""
    inner = _escaped(value.text, QUOTE)
    bare = _LISTED_WORD if listed else _SEARCH_WORD
    if value.quoted or not bare.match(inner):
        inner = f'"{inner}"'
    if value.exact_term:
        inner = f"TERM({inner})"
    return f"CASE({inner})" if value.exact_case else inner


def search_field(name: str) -> str:
    """The left side of a comparison in a search expression.

    >>> search_field("a.b"), search_field("by")
    ('a.b', '"by"')
    """
    plain = _SEARCH_FIELD.match(name) and name not in ("NOT", "AND", "OR")
    plain = plain and name.lower() not in ("by", "groupby")
    return name if plain else quoted(name)


def search_text(expr: SearchExpr) -> str:
    """A search expression.

    >>> search_text(And((Term(Value("a")), Or((Term(Value("b")), Term(Value("c")))))))
    'a (b OR c)'
    """
    match expr:
        case Compare(field_name, op, value):
            return f"{search_field(field_name)}{op}{value_text(value)}"
        case InList(field_name, values):
            inner = ", ".join(value_text(v, listed=True) for v in values)
            return f"{search_field(field_name)} IN ({inner})"
        case Term(value):
            return value_text(value)
        case TimeModifier(name, value):
            return f"{name}={value_text(Value(value))}"
        case SubsearchTerm(pipeline, before):
            return f"{before}[{pipeline.format(nested=True)}]"
        case Not(operand):
            return f"NOT {_operand(operand)}"
        case And(operands):
            return " ".join(_operand(o) for o in operands) if operands else "()"
        case Or(operands):
            return " OR ".join(_operand(o) for o in operands)


def _operand(expr: SearchExpr) -> str:
    text = search_text(expr)
    return (
        f"({text})" if isinstance(expr, Or) or (isinstance(expr, And) and expr.operands) else text
    )
