"""Arguments of one command -> options, names, terms: a cursor with the forms that commands share.

A command's ``parse`` reads from an ``Args``: options, field lists, keywords, strings, eval and
search expressions, subsearches. Whatever it leaves unread is an error, so no argument is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

from escudo.core.errors import Span
from escudo.spl.syntax.ast import EvalExpr, Pipeline, SearchExpr
from escudo.spl.syntax.lexer import Kind, Token, read_argument, squeeze_blanks, unescape
from escudo.spl.syntax.options import Options, option_names
from escudo.spl.syntax.parse_eval import EvalParser, Subsearch
from escudo.spl.syntax.parse_search import SearchParser
from escudo.spl.syntax.source import Expanded, suggest

T = TypeVar("T")

_CALL = re.compile(r"""\((?:[^()|"\[\]\s]|\([^()|"\[\]\s]*\))*\)""")


@dataclass
class Args:
    """A cursor over one command's arguments, the text ``[position, end)`` of ``source``."""

    command: str
    source: Expanded
    position: int
    end: int
    subsearch_at: Subsearch
    start: int = field(init=False)
    _peeked: tuple[int, Token] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.start = self.position

    # --- tokens -------------------------------------------------------------------------------

    def peek(self) -> Token:
        """The next token, not consumed."""
        if self._peeked is None or self._peeked[0] != self.position:
            self._peeked = (self.position, read_argument(self.source, self.position, self.end))
        return self._peeked[1]

    def next(self) -> Token:
        """The next token, consumed."""
        token = self.peek()
        self.position = token.end
        return token

    def more(self) -> bool:
        """Whether anything is left."""
        return self.peek().kind is not Kind.END

    def at(self, *ops: str) -> bool:
        """Whether the next token is one of these operators."""
        token = self.peek()
        return token.kind is Kind.OP and token.text in ops

    def accept(self, op: str) -> bool:
        """Consume an operator if it is next."""
        token = self.peek()
        if token.kind is Kind.OP and token.text == op:
            self.position = token.end
            return True
        return False

    def expect(self, op: str) -> None:
        """Consume an operator that must be next."""
        if not self.accept(op):
            self.expected(f"'{op}'")

    def at_word(self, *keywords: str) -> bool:
        """Whether the next token is one of these bare words (given in lower case)."""
        token = self.peek()
        return token.kind is Kind.WORD and token.text.lower() in keywords

    def accept_word(self, *keywords: str) -> str | None:
        """Consume one of these bare words if it is next; gives it in lower case."""
        token = self.peek()
        if token.kind is Kind.WORD and token.text.lower() in keywords:
            self.position = token.end
            return token.text.lower()
        return None

    def expect_word(self, *keywords: str) -> str:
        """Consume one of these bare words, which must be next."""
        found = self.accept_word(*keywords)
        if found is None:
            self.expected(" or ".join(k.upper() for k in keywords))
        return found

    # --- errors -------------------------------------------------------------------------------

    def expected(self, what: str) -> NoReturn:
        """Raise: something else was expected at the next token."""
        token = self.peek()
        if token.kind is Kind.END:
            at = self._last_offset()
            self.source.fail("SPL105", f"'{self.command}' needs {what} here", at, at + 1)
        self.source.fail("SPL100", f"expected {what}, found '{token.text}'", token.start, token.end)

    def _last_offset(self) -> int:
        text = self.source.text[: self.end].rstrip()
        return max(0, len(text) - 1)

    def fail(
        self, message: str, token: Token, *, code: str = "SPL100", hint: str | None = None
    ) -> NoReturn:
        """Raise an error at a token."""
        self.source.fail(code, message, token.start, token.end, hint)

    def missing(self, what: str) -> NoReturn:
        """Raise: the command as a whole lacks an argument."""
        start = self.start - len(self.command)
        self.source.fail("SPL105", f"'{self.command}' needs {what}", start, self.start)

    def finish(self) -> None:
        """Fail unless everything has been read."""
        token = self.peek()
        if token.kind is not Kind.END:
            self.fail(f"'{self.command}' does not take '{token.text}' here", token)

    def span(self, start: int | None = None) -> Span:
        """From an offset (the command's name by default) to what has been read."""
        begin = self.start - len(self.command) if start is None else start
        return self.source.span(begin, self.position)

    # --- names and values ---------------------------------------------------------------------

    def peek_name(self) -> Token | None:
        """The bare or quoted name that is next, not consumed; ``count(x)`` is a name, too."""
        token = self.peek()
        if token.kind is Kind.WORD:
            call = _CALL.match(self.source.text, token.end, self.end)
            if call is not None:
                return Token(Kind.WORD, token.text + call[0], token.start, call.end())
            return token
        return token if token.kind in (Kind.STRING, Kind.FIELD) else None

    def name(self, what: str = "a field") -> str:
        """A bare or quoted name."""
        token = self.peek_name()
        if token is None:
            self.expected(what)
        self.position = token.end
        return token.text

    def names(self, *stops: str, what: str = "a field", least: int = 1) -> tuple[str, ...]:
        """Names with commas or blanks between, up to one of the bare words ``stops``."""
        out: list[str] = []
        while True:
            if self.accept(","):
                continue
            token = self.peek_name()
            if token is None or (token.kind is Kind.WORD and token.text.lower() in stops):
                break
            self.position = token.end
            out.append(token.text)
        if len(out) < least:
            self.expected(what)
        return tuple(out)

    def value(self, what: str = "a value") -> Token:
        """The right side of an option: a word, a string, or words glued by ``,`` or ``=``."""
        token = self.next()
        if token.kind in (Kind.STRING, Kind.FIELD):
            return token
        if token.kind is not Kind.WORD:
            self.position = token.start
            self.expected(what)
        return token

    # --- options ------------------------------------------------------------------------------

    def read_options(
        self, *kinds: type, into: Options | None = None, strict: bool = True, one: bool = False
    ) -> Options:
        """Read the options of a command (and of groups) as long as they come, or just ``one``.

        Another option is an error if ``strict``, else it ends the options.
        """
        known = option_names(*kinds)
        options = Options(self.source) if into is None else into
        while (token := self.at_option()) is not None:
            name = token.text.lower()
            if name not in known:
                if not strict:
                    break
                self.unknown_option(token, known)
            self.position = token.end
            self.next()
            options.put(name, self.value(f"a value of option '{name}'"))
            self.accept(",")
            if one:
                break
        return options

    def read_names_and_options(
        self, *kinds: type, stops: Collection[str] = (), into: Options | None = None
    ) -> tuple[tuple[str, ...], Options]:
        """Names and options in any order, up to one of the bare words ``stops``."""
        options = Options(self.source) if into is None else into
        names: list[str] = []
        while True:
            if self.at_option() is not None:
                self.read_options(*kinds, into=options)
                continue
            more = self.names_before_option(stops)
            if not more:
                return tuple(names), options
            names += more

    def read_number(self, options: Options, name: str) -> None:
        """Take a bare whole number, if it is next, as the value of the option of that name."""
        token = self.peek()
        if token.kind is Kind.WORD and token.text.isdigit():
            self.position = token.end
            options.put(name, token)

    def names_before_option(self, stops: Collection[str]) -> list[str]:
        """Names up to an option, one of the words ``stops``, or something that is no name."""
        out: list[str] = []
        while True:
            if self.accept(","):
                continue
            token = self.peek_name()
            if token is None:
                return out
            if token.kind is Kind.WORD and (token.text.lower() in stops or self.at_option()):
                return out
            self.position = token.end
            out.append(token.text)

    def at_option(self) -> Token | None:
        """The name of the option that is next, not consumed; None if none is."""
        token = self.peek()
        if token.kind is not Kind.WORD:
            return None
        after = read_argument(self.source, token.end, self.end)
        return token if after.kind is Kind.OP and after.text == "=" else None

    def option(self) -> tuple[Token, Token] | None:
        """The next option, whatever its name, and its value; None if none is next."""
        name = self.at_option()
        if name is None:
            return None
        self.position = name.end
        self.next()
        return name, self.value(f"a value of option '{name.text}'")

    def unknown_option(self, token: Token, known: Iterable[str]) -> NoReturn:
        """Raise: the command has no such option."""
        known = tuple(known)
        hint = suggest(token.text, known)
        if hint is None:
            hint = f"it takes {', '.join(known)}" if known else "it takes no options"
        self.source.fail(
            "SPL103",
            f"'{self.command}' has no option '{token.text}'",
            token.start,
            token.end,
            hint,
        )

    # --- expressions --------------------------------------------------------------------------

    def eval(self) -> EvalExpr:
        """An eval expression, as far as it goes."""
        parser = EvalParser(self.source, self.position, self.end, self.subsearch_at)
        expr = parser.expression()
        self.position = parser.read_to
        return expr

    def condition(self, *stops: str) -> SearchExpr:
        """A search expression after WHERE, which must not be empty."""
        if not self.more() or self.at_word(*stops):
            self.expected("a condition after WHERE")
        return self.search(*stops)

    def search(self, *stops: str) -> SearchExpr:
        """A search expression, up to one of the bare words ``stops``."""
        parser = SearchParser(self.source, self.position, self.end, self.subsearch_at, stops)
        expr = parser.expression()
        self.position = parser.position
        return expr

    def subsearch(self) -> Pipeline:
        """``[ ... ]``."""
        token = self.peek()
        if not (token.kind is Kind.OP and token.text == "["):
            self.expected("a subsearch in '[ ]'")
        pipeline, self.position = self.subsearch_at(token.start)
        return pipeline

    def subsearch_text(self) -> str:
        """The text between ``[`` and its ``]``, which must parse, with blanks squeezed."""
        token = self.peek()
        _, after = self.subsearch_at(token.start)
        self.position = after
        return squeeze_blanks(self.source.text[token.start + 1 : after - 1])

    def pattern(self) -> str:
        """A quoted regular expression, or one without quotes that ends at a blank."""
        token = self.peek()
        if token.kind is Kind.STRING:
            self.position = token.end
            return token.text
        text = self.source.text[token.start : self.end].split(maxsplit=1)[0]
        self.position = token.start + len(text)
        return unescape(text)

    def rest(self) -> str:
        """Everything left as text, with blanks squeezed."""
        text = squeeze_blanks(self.source.text[self.position : self.end])
        self.position = self.end
        return text

    def separated(self, item: Callable[[], T], *stops: str) -> tuple[T, ...]:
        """Items with commas or blanks between, up to the end or one of the words ``stops``."""
        out: list[T] = []
        while self.more() and not self.at_word(*stops):
            if self.accept(","):
                continue
            out.append(item())
        return tuple(out)
