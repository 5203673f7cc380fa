"""Text -> search expression (``search``, the WHERE of ``tstats``).

OR binds tighter than AND, written or implied; NOT tighter than both; the keywords are upper case
(Search Manual, Boolean expressions with logical operators).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

from escudo.core.errors import Span
from escudo.spl.syntax.ast import (
    And,
    Compare,
    InList,
    Not,
    Or,
    Pipeline,
    SearchExpr,
    SubsearchTerm,
    Term,
    TimeModifier,
    Value,
)
from escudo.spl.syntax.lexer import DOUBLE_QUOTED, SINGLE_QUOTED, unescape
from escudo.spl.syntax.nesting import bound_nesting
from escudo.spl.syntax.parse_eval import Subsearch
from escudo.spl.syntax.source import Expanded, plain
from escudo.spl.syntax.unparse import search_field

TIME_MODIFIERS = frozenset(
    {
        "earliest",
        "latest",
        "_index_earliest",
        "_index_latest",
        "index_earliest",
        "index_latest",
        "starttime",
        "endtime",
        "starttimeu",
        "endtimeu",
        "timeformat",
        *(f"{unit}ago" for unit in ("days", "hours", "minutes", "months")),
        *(f"start{unit}ago" for unit in ("days", "hours", "minutes", "months")),
        *(f"end{unit}ago" for unit in ("days", "hours", "minutes", "months")),
        *(f"searchtimespan{unit}" for unit in ("days", "hours", "minutes", "months")),
    }
)
"""Names that set the time range instead of comparing a field (Search Reference, time modifiers)."""

_SPACE = re.compile(r"\s*")
_COMPARE = re.compile(
    rf"""(?:([^\s"'|\[\]()=<>!,]+)|({DOUBLE_QUOTED})|({SINGLE_QUOTED}))\s*(!=|<=|>=|==|=|<|>)\s*""",
    re.DOTALL,
)
_IN = re.compile(rf"""(?:([^\s"'|\[\]()=<>!,]+)|({DOUBLE_QUOTED})|({SINGLE_QUOTED}))\s+IN\s*\(""")
_OPERATOR = re.compile(r"[=<>]|!=")
_FUNCTION = re.compile(r"(CASE|TERM)\(")
_STRING = re.compile(DOUBLE_QUOTED, re.DOTALL)
_BARE = re.compile(r"""(?:[^\s"|\[\]()\\]|\\["\\|\[\]()]?)+""")
_BARE_IN_LIST = re.compile(r"""(?:[^\s"|\[\]()\\,]|\\["\\|\[\]()]?)+""")


@bound_nesting
def parse_search(text: str, *, file: str | None = None) -> SearchExpr:
    """Parse a search expression that has no subsearches.

    >>> parse_search("a OR b c")
    ... # doctest: +NORMALIZE_WHITESPACE
    And(operands=(Or(operands=(Term(value=Value(text='a', quoted=False, exact_case=False,
    exact_term=False)), Term(value=Value(text='b', quoted=False, exact_case=False,
    exact_term=False)))), Term(value=Value(text='c', quoted=False, exact_case=False,
    exact_term=False))))
    """
    source = plain(text, file=file)

    def refuse(offset: int) -> tuple[Pipeline, int]:
        source.fail("SPL100", "a subsearch cannot stand here", offset)

    parser = SearchParser(source, 0, len(text), refuse)
    expr = parser.expression()
    parser.finish()
    return expr


class SearchParser:
    """A cursor over ``[start, end)`` of a source that reads search expressions.

    It stops in front of a bare word among ``stops`` (lower case) outside parentheses.
    """

    def __init__(
        self,
        source: Expanded,
        start: int,
        end: int,
        subsearch: Subsearch,
        stops: Sequence[str] = (),
    ) -> None:
        self.source = source
        self.text = source.text
        self.position = start
        self.end = end
        self._subsearch = subsearch
        self._stops = frozenset(stops)
        self._depth = 0

    def expression(self) -> SearchExpr:
        """The expression here; an empty one is an ``And`` without operands."""
        start = self._skip()
        operands: list[SearchExpr] = []
        while True:
            if self._ends():
                break
            if operands and self._keyword("AND") and self._ends():
                self._expected("a search term after AND")
            operands.append(self._alternatives())
        if len(operands) == 1:
            return operands[0]
        return And(tuple(operands), span=self._span(start))

    def finish(self) -> None:
        """Fail unless everything has been read."""
        if self._skip() < self.end:
            self._expected("a search term or the end of the expression")

    def _skip(self) -> int:
        match = _SPACE.match(self.text, self.position, self.end)
        self.position = match.end() if match else self.position
        return self.position

    def _span(self, start: int, end: int | None = None) -> Span:
        if end is None:
            end = start + len(self.text[start : self.position].rstrip())
        return self.source.span(start, end)

    def _expected(self, what: str) -> NoReturn:
        found = self.text[self.position : self.end].split(maxsplit=1)
        shown = f"'{found[0]}'" if found else "the end"
        width = len(found[0]) if found else 1
        self.source.fail(
            "SPL100", f"expected {what}, found {shown}", self.position, self.position + width
        )

    def _word(self) -> str:
        match = _BARE.match(self.text, self.position, self.end)
        return match[0] if match else ""

    def _keyword(self, keyword: str) -> bool:
        if self.text.startswith(keyword, self.position) and self._word() == keyword:
            self.position += len(keyword)
            self._skip()
            return True
        return False

    def _ends(self) -> bool:
        if self._skip() >= self.end:
            return True
        char = self.text[self.position]
        if char == ")" or char in "|]":
            return True
        return bool(self._stops) and self._depth == 0 and self._word().lower() in self._stops

    def _alternatives(self) -> SearchExpr:
        start = self._skip()
        operands = [self._negation()]
        while not self._ends() and self._keyword("OR"):
            if self._ends():
                self._expected("a search term after OR")
            operands.append(self._negation())
        return operands[0] if len(operands) == 1 else Or(tuple(operands), span=self._span(start))

    def _negation(self) -> SearchExpr:
        start = self._skip()
        if self._keyword("NOT"):
            if self._ends():
                self._expected("a search term after NOT")
            operand = self._negation()
            return Not(operand, span=self._span(start))
        return self._primary()

    def _primary(self) -> SearchExpr:
        start = self.position
        char = self.text[start]
        if char == "(":
            return self._group()
        if char == "[":
            pipeline, self.position = self._subsearch(start)
            return SubsearchTerm(pipeline, span=self._span(start))
        if match := _COMPARE.match(self.text, start, self.end):
            return self._comparison(match)
        if match := _IN.match(self.text, start, self.end):
            return self._in_list(match)
        if self._word() in ("AND", "OR") or _OPERATOR.match(self.text, start, self.end):
            self._expected("a search term")
        value = self._value(_BARE)
        if value is None:
            self._expected("a search term")
        return Term(value, span=self._span(start))

    def _group(self) -> SearchExpr:
        start = self.position
        self.position += 1
        self._depth += 1
        inner = self.expression()
        self._depth -= 1
        if self._skip() >= self.end or self.text[self.position] != ")":
            self.source.fail("SPL102", "this '(' is never closed", start)
        self.position += 1
        return inner

    def _comparison(self, match: re.Match[str]) -> SearchExpr:
        start = match.start()
        name, op = _field_name(match), match[4]
        self.position = match.end()
        if self.text.startswith("[", self.position):
            pipeline, self.position = self._subsearch(self.position)
            before = f"{search_field(name)}{op}"
            return SubsearchTerm(pipeline, before, span=self._span(start))
        value = self._value(_BARE)
        if value is None:
            self._expected(f"a value after '{name}{op}'")
        span = self._span(start)
        if op in ("=", "==") and name in TIME_MODIFIERS:
            return TimeModifier(name, value.text, span=span)
        return Compare(name, "=" if op == "==" else op, value, span=span)

    def _in_list(self, match: re.Match[str]) -> SearchExpr:
        start = match.start()
        self.position = match.end()
        values: list[Value] = []
        while True:
            self._skip()
            if self.position >= self.end:
                self.source.fail("SPL102", "this '(' is never closed", match.end() - 1)
            char = self.text[self.position]
            if char == ")":
                break
            if char == ",":
                self.position += 1
                continue
            value = self._value(_BARE_IN_LIST)
            if value is None:
                self._expected("a value, ',' or ')'")
            values.append(value)
        self.position += 1
        if not values:
            self.source.fail("SPL105", "IN needs at least one value", match.end() - 1)
        return InList(_field_name(match), tuple(values), span=self._span(start))

    def _value(self, bare: re.Pattern[str]) -> Value | None:
        """A quoted or bare value, or one in CASE() or TERM(); None where there is none."""
        start = self._skip()
        if match := _STRING.match(self.text, start, self.end):
            self.position = match.end()
            return Value(unescape(match[0][1:-1]), quoted=True, span=self._span(start))
        if match := _FUNCTION.match(self.text, start, self.end):
            return self._exact(match)
        match = bare.match(self.text, start, self.end)
        if match and self.text[start] != "=":
            self.position = match.end()
            return Value(unescape(match[0]), span=self._span(start))
        return None

    def _exact(self, match: re.Match[str]) -> Value:
        """``CASE(x)`` or ``TERM(x)``, or one inside the other."""
        self.position = match.end()
        inner = self._value(_BARE)
        if inner is None or self._skip() >= self.end or self.text[self.position] != ")":
            self.source.fail("SPL102", "this '(' is never closed", match.end() - 1)
        self.position += 1
        is_case = match[1] == "CASE"
        return Value(
            inner.text,
            inner.quoted,
            inner.exact_case or is_case,
            inner.exact_term or not is_case,
            span=self._span(match.start()),
        )


def _field_name(match: re.Match[str]) -> str:
    if match[1] is not None:
        return match[1]
    return unescape((match[2] or match[3])[1:-1])
