"""Text -> eval expression.

Boolean operators bind NOT, AND, OR, XOR (Search Manual, Boolean expressions with logical
operators); keywords are read without regard to case. ``true``, ``false`` and ``null`` without
parentheses are literals (Search Manual, Types of expressions). ``!`` is NOT, as searches in use
write it (``!match(x, "y")``); the manual does not name it. An unquoted ``.`` concatenates, so
a field with a dot in its name must stand in single quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from escudo.core.errors import EscudoError, Span
from escudo.spl.syntax.ast import (
    Binary,
    Call,
    EvalExpr,
    FieldRef,
    Literal,
    Pipeline,
    SubsearchText,
    Unary,
)
from escudo.spl.syntax.lexer import DOUBLE_QUOTED, SINGLE_QUOTED, unescape_single
from escudo.spl.syntax.nesting import bound_nesting
from escudo.spl.syntax.source import Expanded, plain
from escudo.spl.syntax.unparse import BINDING, NOT_BINDING, SIGN_BINDING

Subsearch = Callable[[int], tuple[Pipeline, int]]
"""Parses the subsearch whose ``[`` is at an offset; gives it and the offset after its ``]``."""

_NAME = r"(?:[A-Za-z_@$\#]|<<\w+>>)(?:[\w@$\#]|<<\w+>>)*"
_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w))
    | (?P<name>{_NAME}(?:\.{_NAME})*\{{\d*\}}(?:\.?[\w@]|\.?\{{\d*\}})* | {_NAME})
    | (?P<string>{DOUBLE_QUOTED})
    | (?P<field>{SINGLE_QUOTED})
    | (?P<op>[<>!=]=|[-+*/%.=<>!(),\[])
    )""",
    re.VERBOSE | re.DOTALL,
)

_OPERAND = "a value, a field or a function"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r'\\([ntr"\\])')


def unescape_literal(text: str) -> str:
    r"""Resolve the escapes of an eval string; others (``\d``) keep their backslash.

    >>> unescape_literal(r"c:\\temp\t\d")
    'c:\\temp\t\\d'
    """
    return _ESCAPE.sub(lambda m: _ESCAPES[m[1]], text) if "\\" in text else text


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


@bound_nesting
def parse_eval(text: str, *, file: str | None = None) -> EvalExpr:
    """Parse one eval expression.

    >>> parse_eval("a=1 OR b=2 AND c")  # doctest: +ELLIPSIS
    Binary(op='OR', left=Binary(op='=', ...), right=Binary(op='AND', ...))
    """
    source = plain(text, file=file)
    parser = EvalParser(source, 0, len(text))
    expr = parser.expression()
    parser.finish()
    return expr


class EvalParser:
    """A cursor over ``[start, end)`` of a source that reads eval expressions.

    It stops in front of the first token that cannot continue an expression; ``position`` tells
    where that is.
    """

    def __init__(
        self, source: Expanded, start: int, end: int, subsearch: Subsearch | None = None
    ) -> None:
        self.source = source
        self._subsearch = subsearch
        self.end = end
        self.read_to = start
        self.token = self._read(start)

    @property
    def position(self) -> int:
        """The offset of the next token."""
        return self.token.start

    def _read(self, position: int) -> _Token:
        match = _TOKEN.match(self.source.text, position, self.end)
        if match is None:
            rest = self.source.text[position : self.end]
            at = position + len(rest) - len(rest.lstrip())
            return _Token("end" if at >= self.end else "bad", rest.strip()[:1], at, at + 1)
        kind = match.lastgroup or ""
        start, end = match.span(kind)
        return _Token(kind, match[kind], start, end)

    def _next(self) -> _Token:
        token = self.token
        self.read_to = token.end
        self.token = self._read(token.end)
        return token

    def finish(self) -> None:
        """Fail unless everything has been read."""
        if self.token.kind != "end":
            raise self._unexpected("an operator or the end of the expression")

    def _unexpected(self, expected: str) -> EscudoError:
        token = self.token
        if token.kind == "bad" and token.text == "'":
            return self.source.error("SPL102", "this quote is never closed", token.start)
        found = "the end" if token.kind == "end" else f"'{token.text}'"
        if token.text == "*" and expected == _OPERAND:
            hint: str | None = 'there are no wildcards here: write like(field, "%text%")'
        elif token.kind == "bad" and token.text.isdigit():
            hint = "a name that begins with a digit stands in single quotes"
        else:
            hint = None
        return self.source.error(
            "SPL100", f"expected {expected}, found {found}", token.start, token.end, hint
        )

    def _at(self, op: str) -> bool:
        return self.token.kind == "op" and self.token.text == op

    def _operator(self) -> str | None:
        """The binary operator that the next token is, in its canonical spelling."""
        token = self.token
        if token.kind == "op":
            return token.text if token.text in BINDING else None
        if token.kind == "name":
            upper = token.text.upper()
            return upper if upper in _WORD_OPERATORS else None
        return None

    def expression(self, least: int = 0) -> EvalExpr:
        """The longest expression here whose outermost operator binds at least this tight."""
        start = self.token.start
        left = self._prefix()
        while (op := self._operator()) is not None:
            binding = BINDING.get(op, BINDING["="])
            if binding < least:
                break
            token = self._next()
            if op in ("IN", "NOT"):
                left = self._membership(left, start, token)
            else:
                right = self.expression(binding + 1)
                left = Binary(op, left, right, span=self._span(start))
        return left

    def _span(self, start: int) -> Span:
        """From ``start`` to the end of the last token read."""
        return self.source.span(start, self.read_to)

    def _membership(self, left: EvalExpr, start: int, first: _Token) -> EvalExpr:
        """``x IN (...)`` and ``x NOT IN (...)``; the first word has been read."""
        negated = first.text.upper() == "NOT"
        if negated:
            if self.token.text.upper() != "IN":
                raise self._unexpected("IN after NOT")
            self._next()
        if not self._at("("):
            raise self._unexpected("'(' after IN")
        bracket = self._next()
        call = Call("in", (left, *self._arguments(bracket)), span=self._span(start))
        return Unary("NOT", call, span=call.span) if negated else call

    def _arguments(self, bracket: _Token) -> tuple[EvalExpr, ...]:
        """Arguments up to and with the closing parenthesis; ``bracket`` is the opening one."""
        if self._at(")"):
            self._next()
            return ()
        args = [self.expression()]
        while self._at(","):
            self._next()
            args.append(self.expression())
        self._close(bracket, "',' or ')'")
        return tuple(args)

    def _close(self, bracket: _Token, expected: str) -> None:
        """Read the parenthesis that closes ``bracket``."""
        if self.token.kind == "end":
            self.source.fail("SPL102", "this '(' is never closed", bracket.start)
        if not self._at(")"):
            raise self._unexpected(expected)
        self._next()

    def _prefix(self) -> EvalExpr:
        token = self._next()
        start = token.start
        match token.kind:
            case "number":
                return Literal(_number(token.text), span=self._span(start))
            case "string":
                text = unescape_literal(token.text[1:-1])
                return Literal(text, span=self._span(start))
            case "field":
                return FieldRef(unescape_single(token.text[1:-1]), span=self._span(start))
            case "name":
                return self._name(token)
            case "op" if token.text == "(":
                inner = self.expression()
                self._close(token, "an operator or ')'")
                return inner
            case "op" if token.text == "[" and self._subsearch is not None:
                pipeline, after = self._subsearch(start)
                self.read_to = after
                self.token = self._read(after)
                return SubsearchText(pipeline, span=self._span(start))
            case "op" if token.text == "!":
                return Unary("NOT", self.expression(NOT_BINDING), span=self._span(start))
            case "op" if token.text in ("-", "+"):
                operand = self.expression(SIGN_BINDING)
                return Unary(token.text, operand, span=self._span(start))
            case "op" if (
                token.text == "."
                and self.token.kind == "number"
                and self.token.start == token.end
                and self.token.text.isdigit()
            ):
                digits = self._next().text
                return Literal(float(f"0.{digits}"), span=self._span(start))
        self.token = token
        raise self._unexpected(_OPERAND)

    def _name(self, token: _Token) -> EvalExpr:
        start, lower = token.start, token.text.lower()
        if lower == "not":
            return Unary("NOT", self.expression(NOT_BINDING), span=self._span(start))
        if self._at("("):
            bracket = self._next()
            return Call(lower, self._arguments(bracket), span=self._span(start))
        if lower in _WORD_LITERALS:
            return Call(lower, (), span=self._span(start))
        if token.text.upper() in _WORD_OPERATORS:
            self.token = token
            raise self._unexpected(_OPERAND)
        return FieldRef(token.text, span=self._span(start))


_WORD_OPERATORS = frozenset({"AND", "OR", "XOR", "LIKE", "IN", "NOT"})
_WORD_LITERALS = frozenset({"true", "false", "null"})


def _number(text: str) -> int | float:
    return int(text) if text.isdigit() else float(text)
