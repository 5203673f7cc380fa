"""Rows of a subsearch -> conditions or text of the search around it; for the binder and ``format``.

Each row is an AND of ``field="value"`` over its non-null fields, the rows are joined by OR; a field
named ``search`` or ``query`` is inserted as text; internal fields (``_time`` and the like) are left
out; several values of a field are alternatives. No row matches nothing (Search Reference, format).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from escudo.spl.relation.values import number_text
from escudo.spl.syntax.ast import (
    And,
    Compare,
    InList,
    Not,
    Or,
    SearchExpr,
    SubsearchTerm,
    Term,
    Value,
)
from escudo.spl.syntax.parse_search import parse_search

MAX_ROWS = int(os.environ.get("ESCUDO_SUBSEARCH_MAXOUT", "10000"))
"""Rows of a subsearch that become conditions (limits.conf, [subsearch] maxout)."""

NOTHING = Or(())
"""The condition that no event satisfies."""

_TEXT = ("search", "query")


def resolve_subsearches(
    expr: SearchExpr,
    run: Callable[[SubsearchTerm], SearchExpr | None],
    *,
    negated: bool = False,
) -> SearchExpr:
    """A search expression with the conditions of its subsearches in their places, so that each is
    run once, however many tables are searched. One that cannot be run leaves every event in: it
    holds, and behind a NOT (``negated``) it does not."""
    match expr:
        case And(operands) | Or(operands):
            resolved = (resolve_subsearches(o, run, negated=negated) for o in operands)
            return replace(expr, operands=tuple(resolved))
        case Not(operand):
            inner = resolve_subsearches(operand, run, negated=not negated)
            return replace(expr, operand=inner)
        case SubsearchTerm():
            found = run(expr)
            if found is not None:
                return found
            return Or(()) if negated else And(())
    return expr


def rows_as_conditions(rows: pa.Table) -> SearchExpr:
    """The search expression of a table of rows, columns named by SPL field.

    >>> rows_as_conditions(pa.table({"dest": ["a", "b"]}))
    ... # doctest: +NORMALIZE_WHITESPACE
    InList(field_name='dest', values=(Value(text='a', quoted=True, exact_case=False,
    exact_term=False), Value(text='b', quoted=True, exact_case=False, exact_term=False)))
    """
    names = [n for n in rows.column_names if not n.startswith("_")]
    records = rows.select(names).to_pylist()
    if len(names) == 1 and names[0] not in _TEXT:
        return _one_field(names[0], [r[names[0]] for r in records])
    parts = [p for r in records if (p := _row(r)) is not None]
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def rows_as_text(rows: pa.Table) -> str:
    """The rows as the text that takes the subsearch's place: what ``return`` and ``format`` made,
    else what ``format`` makes.

    >>> rows_as_text(pa.table({"search": ["5"]}))
    '5'
    """
    for name in _TEXT:
        if name in rows.column_names and rows.num_rows == 1:
            return " ".join(_values(rows.column(name)[0].as_py()))
    return formatted(rows, Layout())


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
        out.append(number_text(c) if isinstance(c, int | float) else str(c))
    return out


@dataclass(frozen=True)
class Layout:
    """The six strings of ``format``, what joins several values, and the text for no rows."""

    row_prefix: str = "("
    column_prefix: str = "("
    column_separator: str = "AND"
    column_end: str = ")"
    row_separator: str = "OR"
    row_end: str = ")"
    values: str = "OR"
    empty: str = "NOT( )"


def formatted(rows: pa.Table, layout: Layout, most: int = 0) -> str:
    """The rows as the text of a search expression (Search Reference, format).

    >>> formatted(pa.table({"a": ["1", "2"], "b": ["x", None]}), Layout())
    '( ( a="1" AND b="x" ) OR ( a="2" ) )'
    """
    names = [n for n in rows.column_names if not n.startswith("_")]
    records = rows.select(names).slice(0, most or None).to_pylist()
    parts = [t for r in records if (t := _row_text(r, layout))]
    if not parts:
        return layout.empty
    return f"{layout.row_prefix} {f' {layout.row_separator} '.join(parts)} {layout.row_end}"


def _row_text(record: dict[str, object], layout: Layout) -> str:
    cells: list[str] = []
    for name, cell in record.items():
        values = _values(cell)
        if name in _TEXT:
            cells += values
        elif len(values) == 1:
            cells.append(_pair(name, values[0]))
        elif values:
            inner = f" {layout.values} ".join(_pair(name, v) for v in values)
            cells.append(f"( {inner} )")
    if not cells:
        return ""
    joined = f" {layout.column_separator} ".join(cells)
    return f"{layout.column_prefix} {joined} {layout.column_end}"


def _pair(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    shown = f'"{name}"' if any(c in name for c in " ()=") else name
    return f'{shown}="{escaped}"'


def returned(rows: pa.Table, items: Sequence[tuple[str, str, bool]]) -> str:
    """What ``return`` makes of rows: ``items`` are (field, name shown, bare value or not).

    >>> returned(pa.table({"u": ["a", "b"]}), [("u", "user", False)])
    '(user="a") OR (user="b")'
    >>> returned(pa.table({"u": ["a"]}), [("u", "u", True)])
    'a'
    """
    parts: list[str] = []
    for record in rows.to_pylist():
        cells: list[str] = []
        for name, shown, bare in items:
            for value in _values(record.get(name)):
                cells.append(value if bare else _pair(shown, value))
        if cells:
            parts.append(" ".join(cells))
    if not parts:
        return "NOT( )"
    if len(parts) == 1:
        return parts[0] if all(bare for _, _, bare in items) else f"({parts[0]})"
    return " OR ".join(f"({p})" for p in parts)
