"""The rows of a lookup -> what it says of a value, as an expression of that value.

It is found without a join: so a filter of what a lookup says is asked of stored rows, and before
they are grouped (``relation.scans``, ``Relation.render``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TypeAlias

import pyarrow as pa
from sqlglot import exp

from escudo.core.catalog import Lookup
from escudo.spl.relation.comparison import any_value
from escudo.spl.relation.scans import Member
from escudo.spl.relation.sql import case_when, literal_text, prelude_call
from escudo.spl.relation.values import null_value

MOST_KEYS = 1_000
"""Keys of a lookup that is described: their pattern is compiled for each query."""

_END = r"\z"

MOST_RUNS = 8
"""Stretches of rows with one output."""


def is_lasting(lookup: Lookup) -> bool:
    """Whether no search writes a lookup: what it says now, it says when another search runs."""
    return lookup.writer is None and lookup.collection is None and lookup.path is not None


def describe_output(
    value: exp.Expression,
    keys: pa.ChunkedArray,
    outputs: pa.ChunkedArray,
    *,
    wildcards: bool,
    several: bool = False,
) -> exp.Expression | None:
    """The output of the first row whose key is that of a value, or (``several``) of any value of a
    list; with either of ``wildcards`` and ``several``, of those rows that have an output. With
    ``wildcards``, ``*`` in a key stands for any characters.

    None where too many are told apart.

    >>> from escudo.spl.relation.sql import column
    >>> keys, outputs = pa.chunked_array([["a*", "b"]]), pa.chunked_array([["1", "1"]])
    >>> print(describe_output(column("v"), keys, outputs, wildcards=True).sql("duckdb"))
    CASE WHEN SPL_REGEX_MATCH("v", '(?s)^(?:a|b\\z)') THEN '1' END
    """
    rows = _list_rows(keys, outputs)
    if not wildcards and not several:  # each key once: then their order does not matter
        rows = sorted(dict(reversed(rows)).items(), key=_output_first)
    return _describe(value, rows, wildcards, several)


def describe_member(
    value: exp.Expression,
    keys: pa.ChunkedArray,
    outputs: pa.ChunkedArray,
    *,
    wildcards: bool,
    several: bool = False,
) -> Member | None:
    """The outputs of all rows whose keys are that of a value, if all rows have the same."""
    described = _describe(value, _list_rows(keys, outputs), wildcards, several)
    if not isinstance(described, exp.Case):
        return None
    one, *others = described.args["ifs"]
    if others:
        return None
    return Member(one.this, one.args["true"])


_Row: TypeAlias = tuple[str, str | None]


def _list_rows(keys: pa.ChunkedArray, outputs: pa.ChunkedArray) -> list[_Row]:
    both = zip(keys.to_pylist(), outputs.to_pylist(), strict=True)
    return [(key, output) for key, output in both if key is not None]


def _output_first(row: _Row) -> tuple[str, str]:
    key, output = row
    return output or "", key


def _describe(
    value: exp.Expression, rows: Sequence[_Row], wildcards: bool, several: bool
) -> exp.Expression | None:
    """The output of the first row whose key is that of a value, and that has an output."""
    runs = [
        (output, [key for key, _ in run])
        for output, run in groupby(rows, key=lambda row: row[1])
        if output is not None
    ]
    if len(rows) > MOST_KEYS or len(runs) > MOST_RUNS:
        return None
    if not runs:
        return null_value().sql
    return case_when(
        *(
            (_match_any(value, some, wildcards, several), literal_text(output))
            for output, some in runs
        )
    )


def _match_any(
    value: exp.Expression, keys: Sequence[str], wildcards: bool, several: bool
) -> exp.Expression:
    parts = sorted({_translate(key) if wildcards else re.escape(key) + _END for key in keys})
    pattern = literal_text(_either(parts))

    def match(text: exp.Expression) -> exp.Expression:
        return prelude_call("spl_regex_match", text.copy(), pattern.copy())

    return any_value(value.copy(), lambda one: match(one.sql)) if several else match(value)


def _either(parts: Iterable[str]) -> str:
    """A pattern for values that one of some parts begins at the start of."""
    return f"(?s)^(?:{'|'.join(parts)})"


def _translate(key: str) -> str:
    """A key with wildcards as a pattern of what a value begins with."""
    pieces = [re.escape(piece) for piece in key.split("*")]
    return ".*".join(pieces[:-1]) if not pieces[-1] else ".*".join(pieces) + _END
