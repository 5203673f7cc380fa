"""Options of commands as rows: each is written once, on the command; who reads, writes or lists
them takes them from there.

An option is a field of the command's dataclass, made by one of the functions ``..._option``. Its
row has the name, the type, the default, the bounds and one sentence. ``Args.read_options`` reads
them out of text, ``format_options`` writes them back, the reference of commands lists them.

>>> @dataclass(frozen=True)
... class Top:
...     limit: int = integer_option(10, "Rows that are kept; 0 keeps all.", least=0)
...     useother: bool = boolean_option(False, "Whether the others are summed up in a row.")
>>> [(o.name, o.type.label, o.default) for o in options_of(Top)]
[('limit', 'a number of at least 0', 10), ('useother', 'true or false', False)]
>>> Top().limit, format_options(Top(limit=3))
(10, ' limit=3')
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Generic, NoReturn, TypeVar, cast

from escudo.spl.syntax.lexer import Token
from escudo.spl.syntax.source import Expanded, suggest
from escudo.spl.syntax.spans import BinSpan, parse_span
from escudo.spl.syntax.unparse import number, word

T = TypeVar("T")
G = TypeVar("G")


# --- types of options -------------------------------------------------------------------------


class BadValueError(ValueError):
    """A text that is no value of an option: what may be meant, and what is expected, if that is
    less than the type's label says."""

    def __init__(self, hint: str | None = None, expected: str | None = None) -> None:
        super().__init__(hint)
        self.hint = hint
        self.expected = expected


@dataclass(frozen=True)
class OptionType(Generic[T]):
    """How an option's value is read and written.

    ``label`` completes "it takes ..."; ``parse`` raises ``ValueError`` for a text that is no such
    value, ``BadValueError`` if it has more to say.
    """

    label: str
    parse: Callable[[str], T]
    write: Callable[[T], str]


def describe_bad_value(name: str, expected: str, text: str) -> str:
    """The message for a text that an option does not take."""
    return f"option '{name}' takes {expected}, not '{text}'"


TRUTHS: Mapping[str, bool] = {
    **dict.fromkeys(("t", "true", "1", "yes", "y"), True),
    **dict.fromkeys(("f", "false", "0", "no", "n"), False),
}
"""The words for true and false, in lower case (Splunk's options take t, f, true, false, 1, 0)."""


def parse_truth(text: str) -> bool:
    """``t``, ``true``, ``1``, ``yes`` or their opposites, without regard to case."""
    truth = TRUTHS.get(text.lower())
    if truth is None:
        raise ValueError
    return truth


def _parse_span(text: str) -> BinSpan:
    span = parse_span(text)
    if span is None:
        raise ValueError
    return span


def _write_number(value: float) -> str:
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    return number(int(value) if whole else value)


BOOLEAN = OptionType[bool]("true or false", parse_truth, lambda v: "true" if v else "false")
NUMBER = OptionType[float]("a number", float, _write_number)
TEXT = OptionType[str]("text", str, word)
SPAN = OptionType[BinSpan](
    "a span such as 5m, 1h, 1d or a number", _parse_span, lambda v: word(v.format())
)


def integer_type(least: int | None = None) -> OptionType[int]:
    """Whole numbers, perhaps from a lowest one on."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError as error:
            raise BadValueError(expected="a whole number") from error
        if least is not None and value < least:
            raise ValueError
        return value

    label = "a whole number" if least is None else f"a number of at least {least}"
    return OptionType(label, parse, number)


def choice_type(
    choices: Collection[str], synonyms: Mapping[str, str] | None = None
) -> OptionType[str]:
    """One of several words, without regard to case; a synonym is read as the word it stands for.

    >>> choice_type(("inner", "left"), {"outer": "left"}).parse("OUTER")
    'left'
    """
    meant = {**dict(zip(choices, choices, strict=True)), **(synonyms or {})}

    def parse(text: str) -> str:
        lower = text.lower()
        if lower not in meant:
            raise BadValueError(suggest(lower, meant))
        return meant[lower]

    return OptionType(" or ".join(", ".join(meant).rsplit(", ", 1)), parse, word)


# --- rows -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Option:
    """One option of a command: ``name`` as it is written, ``attribute`` where its value goes."""

    name: str
    attribute: str
    type: OptionType[Any]
    default: Any
    help: str
    repeated: bool = False
    """Whether it may be given several times; the attribute is a tuple then."""
    bare: bool = False
    """Whether it is written as a value alone; ``Args.read_number`` reads it."""


_ROW, _GROUP, _APART = "option", "options", "apart"


def typed_option(
    kind: OptionType[T],
    default: G,
    help: str,
    *,
    name: str | None = None,
    repeated: bool = False,
    bare: bool = False,
) -> T | G:
    """A field of a command that is an option of the given type; ``name`` if it is written unlike
    the field is called."""
    row = Option(name or "", "", kind, default, help, repeated, bare)
    return cast(T, dataclasses.field(default=default, metadata={_ROW: row}))


def boolean_option(default: G, help: str, *, name: str | None = None) -> bool | G:
    """An option that is true or false."""
    return typed_option(BOOLEAN, default, help, name=name)


def integer_option(
    default: G,
    help: str,
    *,
    least: int | None = None,
    name: str | None = None,
    bare: bool = False,
) -> int | G:
    """An option that is a whole number, perhaps from a lowest one on; ``bare``: ``head 5``."""
    return typed_option(integer_type(least), default, help, name=name, bare=bare)


def number_option(default: G, help: str, *, name: str | None = None) -> float | G:
    """An option that is a number."""
    return typed_option(NUMBER, default, help, name=name)


def text_option(default: G, help: str, *, name: str | None = None) -> str | G:
    """An option that is any text."""
    return typed_option(TEXT, default, help, name=name)


def texts_option(help: str, *, name: str | None = None) -> tuple[str, ...]:
    """An option that is any text and may be given several times."""
    return cast(tuple[str, ...], typed_option(TEXT, (), help, name=name, repeated=True))


def choice_option(
    choices: Collection[str],
    default: G,
    help: str,
    *,
    name: str | None = None,
    synonyms: Mapping[str, str] | None = None,
) -> str | G:
    """An option that is one of several words; synonyms are read as words of ``choices``."""
    return typed_option(choice_type(choices, synonyms), default, help, name=name)


def span_option(default: G, help: str, *, name: str | None = None) -> BinSpan | G:
    """An option that is a span of time or of numbers."""
    return typed_option(SPAN, default, help, name=name)


def option_group(kind: type[G], *, apart: bool = False) -> G:
    """A field that holds options which several commands share, as a dataclass of their own.

    ``apart``: the command reads and writes them itself, since it takes them at several places.
    """
    return dataclasses.field(default_factory=kind, metadata={_GROUP: kind, _APART: apart})


@cache
def _rows(kind: type, *, apart: bool = False) -> tuple[tuple[str, Option | type], ...]:
    """The options and the groups of options of a command, by attribute."""
    rows: list[tuple[str, Option | type]] = []
    for field in dataclasses.fields(kind):
        if (group := field.metadata.get(_GROUP)) is not None:
            if apart or not field.metadata[_APART]:
                rows.append((field.name, group))
        elif (row := field.metadata.get(_ROW)) is not None:
            name = row.name or field.name
            rows.append((field.name, replace(row, name=name, attribute=field.name)))
    return tuple(rows)


@cache
def options_of(kind: type, *, apart: bool = True) -> tuple[Option, ...]:
    """The options of a command, those of its groups included, in the order of its fields.

    ``apart``: with the groups that the command reads itself.
    """
    rows = (
        options_of(r, apart=apart) if isinstance(r, type) else (r,)
        for _, r in _rows(kind, apart=apart)
    )
    return tuple(dict.fromkeys(option for group in rows for option in group))


@cache
def option_names(*kinds: type) -> tuple[str, ...]:
    """The names of the options of commands and groups."""
    return tuple(o.name for kind in kinds for o in options_of(kind, apart=False))


def format_options(node: object, *, leave_out: Collection[str] = ()) -> str:
    """The options of a command (or group) as text, each with a blank before it.

    Values that are the default are left out, and options that ``leave_out`` names.
    """
    parts: list[str] = []
    kind: type = type(node)
    for attribute, row in _rows(kind):
        value = getattr(node, attribute)
        if isinstance(row, type):
            parts.append(format_options(value))
        elif value is not None and value != row.default and row.name not in leave_out:
            values = value if row.repeated else (value,)
            name = "" if row.bare else f"{row.name}="
            parts += [f" {name}{row.type.write(v)}" for v in values]
    return "".join(parts)


# --- values -----------------------------------------------------------------------------------


class Options:
    """The options that a command was given, by name in lower case, with their places."""

    def __init__(self, source: Expanded) -> None:
        self._source = source
        self._tokens: dict[str, list[Token]] = {}
        self._values: dict[str, Any] = {}

    def put(self, name: str, value: Token) -> None:
        """Record an option as text; the last of several counts, but for repeated ones."""
        self._tokens.setdefault(name, []).append(value)

    def set(self, name: str, value: object) -> None:
        """Record an option whose value the command has read by itself."""
        self._values[name] = value

    def fresh(self) -> Options:
        """Empty options over the same text."""
        return Options(self._source)

    def update(self, other: Options) -> None:
        """Add the options of another part of the command."""
        self._tokens.update(other._tokens)
        self._values.update(other._values)

    def __contains__(self, name: str) -> bool:
        return name in self._tokens or name in self._values

    def fail(self, name: str, message: str, hint: str | None = None) -> NoReturn:
        """Raise SPL104 at an option's value."""
        token = self._tokens[name][-1]
        self._source.fail("SPL104", message, token.start, token.end, hint)

    def values(self, kind: type) -> dict[str, Any]:
        """The given options as arguments for a command (or group): attribute -> value.

        Options that were not given are left to their defaults. SPL104 for a value that an option
        cannot take.
        """
        arguments: dict[str, Any] = {}
        for attribute, row in _rows(kind):
            if isinstance(row, type):
                arguments[attribute] = self.read(row)
            elif row.name in self:
                arguments[attribute] = self._value(row)
        return arguments

    def read(self, kind: type[G]) -> G:
        """A group of options as they were given."""
        return kind(**self.values(kind))

    def _value(self, option: Option) -> Any:
        if option.name in self._values:
            return self._values[option.name]
        if option.repeated:
            tokens = self._tokens[option.name]
            return tuple(self._parse(option.name, option.type, token) for token in tokens)
        return self.parse_as(option.name, option.type)

    def parse_as(self, name: str, kind: OptionType[T]) -> T:
        """The value of an option that was given, read as of a type that the command chooses."""
        return self._parse(name, kind, self._tokens[name][-1])

    def _parse(self, name: str, kind: OptionType[T], token: Token) -> T:
        try:
            return kind.parse(token.text)
        except ValueError as error:
            bad = error if isinstance(error, BadValueError) else BadValueError()
            message = describe_bad_value(name, bad.expected or kind.label, token.text)
            self._source.fail("SPL104", message, token.start, token.end, bad.hint)
