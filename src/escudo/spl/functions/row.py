"""What a function of SPL is, as a row: its name, arity, rules, SQL, and the manual's page.

Rows are data: the binder, the documentation and the conformance harness read the same tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlglot import exp

from escudo.core.errors import EscudoError, Span
from escudo.core.schema import FieldType
from escudo.spl.relation.coercion import as_number, as_text, convert_to
from escudo.spl.relation.scope import Scope
from escudo.spl.relation.sql import prelude_call
from escudo.spl.relation.values import Typed, constant_of, number_text
from escudo.spl.syntax.ast import EvalExpr

SEARCH_REFERENCE = "https://docs.splunk.com/Documentation/Splunk/latest/SearchReference/"


class Nulls(StrEnum):
    """What a function gives for a null argument."""

    NULL = "null"
    """A null argument makes the result null."""
    SKIP = "skip"
    """Null arguments are left out."""
    OWN = "own"
    """Nulls have a meaning of their own (``isnull``, ``if``)."""


@dataclass(frozen=True)
class Context:
    """Where a call stands: the scope, the place in the text, and the way to lower an argument."""

    scope: Scope
    span: Span | None
    lower: Callable[[EvalExpr, Scope], Typed]
    arguments: tuple[EvalExpr, ...]

    def error(self, message: str, hint: str | None = None) -> EscudoError:
        return EscudoError("SPL201", message, span=self.span, hint=hint)


Builder = Callable[[list[Typed], Context], Typed]


@dataclass(frozen=True)
class EvalFunction:
    """One evaluation function.

    ``most`` is None for any number of arguments. ``each`` maps the function over the values of a
    multivalue first argument. ``raw`` functions get no lowered arguments: they lower
    ``context.arguments`` themselves (``mvmap`` binds its field to each value). ``result`` is the
    type for the documentation; the built expression has the final say.
    """

    name: str
    least: int
    most: int | None
    result: str
    build: Builder
    page: str
    nulls: Nulls = Nulls.NULL
    each: bool = False
    raw: bool = False

    @property
    def url(self) -> str:
        return SEARCH_REFERENCE + self.page


@dataclass(frozen=True)
class Params:
    """What an aggregate needs beside its argument.

    ``percent`` is the N of ``percN``; ``order`` is the arrival order of the rows (smaller is
    earlier), for ``first``, ``last`` and ``list``; ``limit`` cuts ``list`` (100 in Splunk) and
    ``values`` (none).
    """

    percent: float | None = None
    order: exp.Expression | None = None
    limit: int | None = None


AggregateBuilder = Callable[[Typed | None, Typed | None, Params], Typed]


@dataclass(frozen=True)
class StatsFunction:
    """One statistical function; ``build(argument, time, params)`` is an aggregate in SQL.

    ``needs_argument`` is False for ``count``; ``needs_time`` is True where the function goes by
    ``_time``. ``map_aggregates`` puts the result over a window.
    """

    name: str
    result: str
    build: AggregateBuilder
    page: str
    needs_argument: bool = True
    needs_time: bool = False
    takes_number: bool = False
    """Whether a number may be part of the name (``perc95``)."""
    nulls: Nulls = Nulls.SKIP

    @property
    def url(self) -> str:
        return SEARCH_REFERENCE + self.page


def merge_tables(*groups: Iterable[EvalFunction]) -> Mapping[str, EvalFunction]:
    """One mapping of all rows; a name given twice is a programming error."""
    out: dict[str, EvalFunction] = {}
    for row in (row for group in groups for row in group):
        if row.name in out:
            raise ValueError(f"function {row.name!r} is defined twice")
        out[row.name] = row
    return out


# --- builders that most rows are made of ---------------------------------------------------------


def text_to(kind: FieldType, name: str) -> Builder:
    """A prelude function over the arguments as text."""
    return lambda args, _: Typed(prelude_call(name, *map(as_text, args)), kind)


def number_to(kind: FieldType, name: str) -> Builder:
    """A prelude function over the arguments as numbers."""
    return lambda args, _: Typed(prelude_call(name, *map(as_number, args)), kind)


def typed_call(kind: FieldType, name: str, *takes: FieldType) -> Builder:
    """A prelude function with the given argument types; missing arguments are left out."""

    def build(args: list[Typed], _: Context) -> Typed:
        converted = [convert_to(a, t) for a, t in zip(args, takes, strict=False)]
        return Typed(prelude_call(name, *converted), kind)

    return build


def constant_text(args: Sequence[Typed], position: int, context: Context, what: str) -> str:
    """The literal text at a position; an error where the manual wants a literal."""
    known = constant_of(args[position])
    if known is None:
        raise context.error(f"{what} must be a literal", hint="write it in double quotes")
    return known if isinstance(known, str) else number_text(known)
