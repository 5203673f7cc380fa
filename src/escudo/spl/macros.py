"""Text with macro calls in backquotes and comments in three -> text that can be parsed.

A macro is plain text substitution: ``$argument$`` in its definition becomes the argument's text,
and the result may hold further calls. Backquotes inside double quotes are text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from escudo.core.catalog import Knowledge, Macro
from escudo.core.errors import Diagnostic, EscudoError
from escudo.spl.constant import constant_text
from escudo.spl.syntax.lexer import DOUBLE_QUOTED, FIELD_QUOTED, unescape
from escudo.spl.syntax.parse_eval import parse_eval
from escudo.spl.syntax.source import Expanded, Piece, suggest

_MARK = re.compile(
    rf"(?P<string>{DOUBLE_QUOTED}|{FIELD_QUOTED})|(?P<comment>```.*?```)|(?P<open>```)"
    r"|(?P<escaped>\\[\"\\])|(?P<call>`(?:[^`\"]|\"(?:[^\"\\]|\\.)*\")*`)|(?P<stray>`)",
    re.DOTALL,
)
_CALL = re.compile(r"\s*([^\s(),]+)\s*(?:\((.*)\))?\s*\Z", re.DOTALL)
_ARGUMENT = re.compile(rf"\s*(?:({DOUBLE_QUOTED})\s*(?=,|\Z)|([^,]*))(,|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"\$([\w.]+)\$")


def without_comments(text: str, *, file: str | None = None) -> Expanded:
    """Text whose comments are dropped; a macro call in it is an error."""
    return _Expansion(text, file, None).run()


def expand(text: str, knowledge: Knowledge, *, file: str | None = None) -> Expanded:
    """Substitute all macros and drop all comments.

    Raises:
        EscudoError: SPL110 for an unknown macro, SPL111 for a cycle, SPL112 for a malformed call,
            SPL113 for an eval-based definition that is not constant.
    """
    return _Expansion(text, file, knowledge).run()


def undefined(
    text: str, knowledge: Knowledge, *, file: str | None = None
) -> tuple[Expanded, tuple[Diagnostic, ...]]:
    """``expand`` that goes on: what is wrong with macro calls, and the text without those calls."""
    problems: list[Diagnostic] = []
    return _Expansion(text, file, knowledge, problems).run(), tuple(problems)


@dataclass(frozen=True, slots=True)
class _Call:
    """An outermost macro call: what every part of its text maps to."""

    name: str
    start: int
    end: int


MOST_CALLS = 10_000
"""Macro calls of one search, those in macros counted; ESCU's largest search has 60."""
MOST_TEXT = 10_000_000
"""Characters of all of them."""


class _Expansion:
    def __init__(
        self,
        text: str,
        file: str | None,
        knowledge: Knowledge | None,
        problems: list[Diagnostic] | None = None,
    ) -> None:
        self.problems = problems
        self.text = text
        self.file = file
        self.knowledge = knowledge
        self._calls = 0
        self._length = 0
        self.original = Expanded(text, text, (Piece(0, 0, len(text)),), file)

    def run(self) -> Expanded:
        if "`" not in self.text:
            return self.original
        parts: list[str] = []
        pieces: list[Piece] = []
        length = done = 0
        for match in _MARK.finditer(self.text):
            kind = match.lastgroup
            if kind in ("string", "escaped"):
                continue
            start, end = match.span()
            if start > done:
                pieces.append(Piece(length, done, start))
                parts.append(self.text[done:start])
                length += start - done
            done = end
            if kind == "comment":
                inserted = " "
                pieces.append(Piece(length, start, end, "comment"))
            elif kind == "call":
                call = _Call(match[0].strip("` ").split("(")[0].strip(), start, end)
                inserted = self._tolerated(match[0][1:-1], call)
                pieces.append(Piece(length, start, end, call.name))
            else:
                self.original.fail("SPL102", "this backquote is never closed", start, end)
            parts.append(inserted)
            length += len(inserted)
        if done < len(self.text) or not pieces:
            pieces.append(Piece(length, done, len(self.text)))
            parts.append(self.text[done:])
        return Expanded("".join(parts), self.text, tuple(pieces), self.file)

    def _tolerated(self, inner: str, call: _Call) -> str:
        """The expansion of a call; where problems are collected, a neutral text for a bad one."""
        try:
            return self._expand_call(inner, call, ())
        except EscudoError as error:
            if self.problems is None:
                raise
            self.problems.append(error.diagnostic)
            return "search *" if self.text[: call.start].rstrip().endswith("|") else ""

    def _expand_call(self, inner: str, call: _Call, path: tuple[str, ...]) -> str:
        """The full expansion of the call whose text between the backquotes is ``inner``."""
        match = _CALL.match(inner)
        if match is None:
            self._fail("SPL112", f"not a macro call: `{inner}`", call)
        name, arguments = match[1], _split_arguments(match[2])
        key = f"{name}({len(arguments)})" if arguments else name
        if key in path:
            cycle = " -> ".join((*path[path.index(key) :], key))
            self._fail("SPL111", f"macro calls itself: {cycle}", call)
        macro = self._macro(name, arguments, call)
        text = _substitute(macro, arguments)
        self._calls += 1
        self._length += len(text)
        if self._calls > MOST_CALLS or self._length > MOST_TEXT:
            message = f"macros expand to more than {MOST_CALLS:,} calls or {MOST_TEXT:,} characters"
            self._fail("SPL114", message, call)
        if macro.is_eval:
            text = self._evaluated(text, key, call)
        return self._expand_text(text, call, (*path, key))

    def _expand_text(self, text: str, call: _Call, path: tuple[str, ...]) -> str:
        """Expand the calls in a macro's own text."""
        if "`" not in text:
            return text

        def replace(match: re.Match[str]) -> str:
            kind = match.lastgroup
            if kind in ("string", "escaped"):
                return match[0]
            if kind == "comment":
                return " "
            if kind != "call":
                self._fail("SPL102", f"unclosed backquote in macro `{path[-1]}`", call)
            return self._expand_call(match[0][1:-1], call, path)

        return _MARK.sub(replace, text)

    def _macro(self, name: str, arguments: tuple[str, ...], call: _Call) -> Macro:
        if self.knowledge is None:
            self._fail("SPL110", f"macro `{name}` cannot be used here", call)
        macro = self.knowledge.macro(name, len(arguments))
        if macro is None:
            self._unknown(name, len(arguments), self.knowledge.macros(), call)
        return macro

    def _unknown(
        self, name: str, arity: int, known: Sequence[tuple[str, int]], call: _Call
    ) -> NoReturn:
        arities = sorted(n for other, n in known if other == name)
        if arities:
            takes = " or ".join(str(n) for n in arities)
            plural = "" if takes == "1" else "s"
            message = f"macro `{name}` takes {takes} argument{plural}, not {arity}"
            self._fail("SPL110", message, call)
        hint = suggest(name, (other for other, _ in known))
        self._fail("SPL110", f"unknown macro `{name}`", call, hint)

    def _evaluated(self, definition: str, key: str, call: _Call) -> str:
        try:
            return constant_text(parse_eval(definition))
        except EscudoError as error:
            mine = error.diagnostic
            self._fail(mine.code, f"macro `{key}`: {mine.message}", call, mine.hint)

    def _fail(self, code: str, message: str, call: _Call, hint: str | None = None) -> NoReturn:
        self.original.fail(code, message, call.start, call.end, hint)


def _split_arguments(text: str | None) -> tuple[str, ...]:
    """Arguments at commas outside double quotes; a quoted argument loses its quotes."""
    if text is None or not text.strip():
        return ()
    out: list[str] = []
    position = 0
    while True:
        match = _ARGUMENT.match(text, position)
        assert match is not None
        out.append(unescape(match[1][1:-1]) if match[1] else match[2].strip())
        if not match[3]:
            return tuple(out)
        position = match.end()


def _substitute(macro: Macro, arguments: tuple[str, ...]) -> str:
    values = dict(zip(macro.arguments, arguments, strict=True))
    return _PARAMETER.sub(lambda m: values.get(m[1], m[0]), macro.definition)
