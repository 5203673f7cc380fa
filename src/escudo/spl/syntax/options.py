"""The ``name=value`` options that a command was given, read as the types they have."""

from __future__ import annotations

from collections.abc import Collection
from typing import NoReturn, TypeVar

from escudo.spl.syntax.lexer import Token
from escudo.spl.syntax.source import Expanded, suggest
from escudo.spl.syntax.spans import BinSpan, parse_span

T = TypeVar("T")

_TRUE = frozenset({"t", "true", "1", "yes", "y"})
_FALSE = frozenset({"f", "false", "0", "no", "n"})


class Options:
    """The ``name=value`` options that a command was given, by lower-case name.

    Each getter converts, with an error at the value's place, or gives the default.
    """

    def __init__(self, source: Expanded) -> None:
        self._source = source
        self._values: dict[str, Token] = {}
        self._repeated: dict[str, list[Token]] = {}

    def put(self, name: str, value: Token) -> None:
        """Record an option; the last of several counts, but for ``texts``."""
        self._values[name] = value
        self._repeated.setdefault(name, []).append(value)

    def fresh(self) -> Options:
        """Empty options over the same text."""
        return Options(self._source)

    def update(self, other: Options) -> None:
        """Add the options of another part of the command."""
        self._values.update(other._values)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def _bad(self, name: str, expected: str, hint: str | None = None) -> NoReturn:
        token = self._values[name]
        self._source.fail(
            "SPL104",
            f"option '{name}' takes {expected}, not '{token.text}'",
            token.start,
            token.end,
            hint,
        )

    def fail(self, name: str, message: str) -> NoReturn:
        """Raise an error at an option's value."""
        token = self._values[name]
        self._source.fail("SPL104", message, token.start, token.end)

    def text(self, name: str, default: T) -> str | T:
        """The value as text."""
        token = self._values.get(name)
        return default if token is None else token.text

    def texts(self, name: str) -> tuple[str, ...]:
        """All values of an option that may be repeated."""
        return tuple(token.text for token in self._repeated.get(name, ()))

    def boolean(self, name: str, default: T) -> bool | T:
        """``t``/``true``/``1`` or ``f``/``false``/``0``."""
        token = self._values.get(name)
        if token is None:
            return default
        lower = token.text.lower()
        if lower not in _TRUE and lower not in _FALSE:
            self._bad(name, "true or false")
        return lower in _TRUE

    def integer(self, name: str, default: T, *, least: int | None = None) -> int | T:
        """A whole number, perhaps with a lower bound."""
        token = self._values.get(name)
        if token is None:
            return default
        try:
            value = int(token.text)
        except ValueError:
            self._bad(name, "a whole number")
        if least is not None and value < least:
            self._bad(name, f"a number of at least {least}")
        return value

    def number(self, name: str, default: T) -> float | T:
        """A number."""
        token = self._values.get(name)
        if token is None:
            return default
        try:
            return float(token.text)
        except ValueError:
            self._bad(name, "a number")

    def choice(self, name: str, choices: Collection[str], default: T) -> str | T:
        """One of several words, without regard to case."""
        token = self._values.get(name)
        if token is None:
            return default
        lower = token.text.lower()
        if lower not in choices:
            listed = " or ".join(", ".join(choices).rsplit(", ", 1))
            self._bad(name, listed, suggest(lower, choices))
        return lower

    def span(self, name: str, default: T) -> BinSpan | T:
        """The width of a bucket."""
        token = self._values.get(name)
        if token is None:
            return default
        parsed = parse_span(token.text)
        if parsed is None:
            self._bad(name, "a span such as 5m, 1h, 1d or a number")
        return parsed
