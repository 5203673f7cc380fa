"""The tables of SPL -> what an editor has to know of the language to colour it and explain it;
called by the server's language API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from escudo.actions.complete_search import describe_syntax
from escudo.spl import COMMANDS, eval_functions, options_of, stats_functions

WORDS = ("by", "as", "and", "or", "not", "in", "where", "over", "output", "outputnew", "sortby")
"""Words between arguments; none is a field there."""


@dataclass(frozen=True, slots=True)
class OptionRow:
    """An option of a command: what it takes, and what it does."""

    name: str
    takes: str
    help: str


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command by one of its names: how it is written; ``starts``: it makes rows of its own."""

    name: str
    syntax: str
    starts: bool
    options: Sequence[OptionRow]


@dataclass(frozen=True, slots=True)
class FunctionRow:
    """A function; ``arguments`` is how many it takes, as text."""

    name: str
    arguments: str
    result: str


@dataclass(frozen=True, slots=True)
class Language:
    """What there is of SPL, each by name."""

    commands: Sequence[CommandRow]
    functions: Sequence[FunctionRow]
    statistics: Sequence[FunctionRow]
    words: Sequence[str]


def describe_language() -> Language:
    """The commands and functions that the parser knows, and the words between their arguments.

    >>> language = describe_language()
    >>> next(f for f in language.functions if f.name == "coalesce")
    FunctionRow(name='coalesce', arguments='1 or more', result='that of the values')
    """
    commands = [
        CommandRow(
            name=name,
            syntax=describe_syntax(name),
            starts=COMMANDS[name].generating,
            options=[OptionRow(o.name, o.type.label, o.help) for o in options_of(COMMANDS[name])],
        )
        for name in sorted(COMMANDS)
    ]
    functions = [
        FunctionRow(f.name, _tell_count(f.least, f.most), f.result)
        for _, f in sorted(eval_functions.items())
    ]
    statistics = [
        FunctionRow(s.name, "1" if s.needs_argument else "0 or 1", s.result)
        for _, s in sorted(stats_functions.items())
    ]
    return Language(commands, functions, statistics, WORDS)


def _tell_count(least: int, most: int | None) -> str:
    if most is None:
        return f"{least} or more"
    return str(least) if least == most else f"{least} to {most}"
