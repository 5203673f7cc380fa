"""A subsearch that lists a table -> the conditions that its rows become; ``walk`` calls it."""

from __future__ import annotations

from functools import partial

from escudo.spl import And, Compare, Eval, InputLookup, Or, Pipeline, Rename, SearchExpr
from escudo.spl import Value as Wanted
from escudo.synthesis.evaluate import Scope, evaluate
from escudo.synthesis.functions import UnknownValueError
from escudo.synthesis.lookups import Lookups
from escudo.synthesis.values import Value, text_of

_MOST_ROWS = 300
"""Rows that become conditions."""


def reads_table(pipeline: Pipeline) -> bool:
    """Whether a subsearch begins with the rows of a lookup."""
    return isinstance(pipeline.commands[0], InputLookup)


def table_conditions(pipeline: Pipeline, lookups: Lookups) -> SearchExpr:
    """``(field=value ...) OR ...``: what the rows of a subsearch stand for in a condition.

    Raises:
        UnknownValueError: it does more with the rows than to name, make and choose fields.
    """
    first, *others = pipeline.commands
    assert isinstance(first, InputLookup)
    rows: list[dict[str, Value]] = [dict(row) for row in lookups.table(first.table).rows]
    for command in others:
        match command:
            case Rename(pairs) if not any("*" in old for old, _ in pairs):
                for row in rows:
                    for old, new in pairs:
                        row[new] = row.pop(old, None)
            case Eval():
                for row in rows:
                    for made in command.assignments:
                        row[made.field] = evaluate(made.expr, Scope(partial(_read, row)))
            case _ if command.name in ("table", "fields"):
                names = getattr(command, "fields", ())
                rows = [{n: row.get(n) for n in names} for row in rows]
            case _ if command.name in ("dedup", "format", "return"):
                pass
            case _:
                raise UnknownValueError(f"'{command.name}' in a subsearch")
    parts = [
        And(
            tuple(
                Compare(name, "=", Wanted(str(text_of(value)), quoted=True))
                for name, value in row.items()
                if value is not None
            )
        )
        for row in rows[:_MOST_ROWS]
    ]
    return Or(tuple(parts))


def _read(row: dict[str, Value], name: str) -> Value:
    return row.get(name)
