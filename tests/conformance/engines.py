"""The engines that run the cases, and how a case runs on one."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlglot import exp

from escudo.core.catalog import Lookup, Macro
from escudo.core.schema import Column, FieldType, TableSchema
from escudo.engines.execute import Engine, run_search
from escudo.spl.evaluate import compile_eval
from tests.conformance.cases import Case
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog, at_rest, columns_of, text

_KNOWN = (Column("_time", FieldType.TIME, physical="_time"),)


def evaluated(case: Case, engine: Engine) -> Any:
    """The value of a case's eval expression over its given row."""
    assert case.eval is not None
    schema = TableSchema("given", (*_KNOWN, *columns_of([case.given], _KNOWN)))
    row = {c.physical: None for c in schema.columns}
    for c in schema.columns:
        if case.given.get(c.name) is not None:
            row[c.physical] = at_rest(case.given[c.name], c.type)
    table = pa.Table.from_pylist([row], schema=schema.arrow())
    value = compile_eval(case.eval, schema, now=NOW)
    query = exp.Select(
        expressions=[exp.alias_(value.sql, "value", quoted=True)],
        from_=exp.From(this=exp.to_table("given", quoted=True)),
    )
    return engine.run(query, [], {"given": table}).column("value").to_pylist()[0]


def searched(case: Case, engine: Engine, folder: Path) -> list[dict[str, Any]]:
    """The rows of a case's search."""
    assert case.spl is not None
    catalog = RowsCatalog(folder)
    if case.rows or not case.models:
        catalog.events(case.rows)
    for name, rows in case.models.items():
        catalog.model(name, rows)
    known = knowledge(case, folder)
    return run_search(case.spl, engine.over(catalog), catalog, known, now=NOW).table.to_pylist()


def knowledge(case: Case, folder: Path) -> PlainKnowledge:
    """Macros (``name`` or ``name(a,b)`` -> text) and lookups (name -> rows) of a case."""
    macros: dict[tuple[str, int], Macro] = {}
    for signature, definition in case.macros.items():
        name, _, rest = signature.partition("(")
        arguments = tuple(a.strip() for a in rest.rstrip(")").split(",") if a.strip())
        macros[name, len(arguments)] = Macro(name, definition, arguments)
    lookups: dict[str, Lookup] = {}
    for name, rows in case.lookups.items():
        path = folder / f"{name}.csv"
        names = list(dict.fromkeys(n for row in rows for n in row))
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, names)
            writer.writeheader()
            writer.writerows({n: text(v) for n, v in row.items()} for row in rows)
        lookups[name] = Lookup(name, str(path), fields=tuple(names))
    return PlainKnowledge(macros, lookups)
