"""The rows of a subsearch as conditions of the search around it.

Each row is an AND of ``field="value"`` over its non-null fields, the rows are joined by OR; a field
named ``search`` or ``query`` is inserted as text; internal fields (``_time`` and the like) are left
out; several values of a field are alternatives. No row matches nothing (Search Reference, format).
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from escudo.spl import coerce
from escudo.spl.ast import And, Compare, InList, Or, SearchExpr, Term, Value
from escudo.spl.parse_search import parse_search

MAX_ROWS = 10_000
"""Rows of a subsearch that become conditions (limits.conf, [subsearch] maxout)."""

NOTHING = Or(())
"""The condition that no event satisfies."""

_TEXT = ("search", "query")


def conditions(rows: pa.Table) -> SearchExpr:
    """The search expression of a table of rows, columns named by SPL field.

    >>> conditions(pa.table({"dest": ["a", "b"]}))
    ... # doctest: +NORMALIZE_WHITESPACE
    InList(field_name='dest', values=(Value(text='a', quoted=True, exact_case=False,
    exact_term=False), Value(text='b', quoted=True, exact_case=False, exact_term=False)))
    """
    names = [n for n in rows.column_names if not n.startswith("_")]
    records = rows.select(names).slice(0, MAX_ROWS).to_pylist()
    if len(names) == 1 and names[0] not in _TEXT:
        return _one_field(names[0], [r[names[0]] for r in records])
    parts = [p for r in records if (p := _row(r)) is not None]
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _one_field(name: str, cells: Sequence[object]) -> SearchExpr:
    values = [v for cell in cells for v in _values(cell)]
    if not values:
        return NOTHING
    unique = tuple(Value(v, quoted=True) for v in dict.fromkeys(values))
    return Compare(name, "=", unique[0]) if len(unique) == 1 else InList(name, unique)


def _row(record: dict[str, object]) -> SearchExpr | None:
    parts: list[SearchExpr] = []
    for name, cell in record.items():
        values = _values(cell)
        if not values:
            continue
        if name in _TEXT:
            parts += [_inserted(v) for v in values]
        else:
            parts.append(_one_field(name, values))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _inserted(text: str) -> SearchExpr:
    """Text of a ``search`` field: what ``format`` and ``return`` make is an expression, anything
    else (no operator, no quote) a term."""
    if text.strip().upper().replace(" ", "") in ("NOT()", "()"):
        return NOTHING
    if any(c in text for c in '="()'):
        return parse_search(text)
    return Term(Value(text, quoted=" " in text))


def _values(cell: object) -> list[str]:
    cells = cell if isinstance(cell, list) else [cell]
    out: list[str] = []
    for c in cells:
        if c is None:
            continue
        out.append(coerce.number_text(c) if isinstance(c, int | float) else str(c))
    return out
