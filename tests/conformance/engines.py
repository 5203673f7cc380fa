"""The engines that run the cases, and how a case runs on one."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pyarrow as pa
from sqlglot import exp

from escudo import content
from escudo.core.catalog import Knowledge, Lookup, Macro
from escudo.core.errors import EscudoError
from escudo.core.schema import Column, FieldType, TableSchema
from escudo.core.timerange import TimeRange
from escudo.detect.screening import Filled, count_needs, may_find, screen_detection
from escudo.engines.execute import Engine, Result, run_search
from escudo.spl.binding.effects import Deletion, IndexOutput, LookupOutput
from escudo.spl.lowering.lower_eval import compile_eval
from escudo.spl.relation.sql import alias, select
from tests.conformance.cases import Case, differences, same, unlike
from tests.conformance.catalog import (
    NOW,
    PlainKnowledge,
    Row,
    RowsCatalog,
    arrival_times,
    at_rest,
    columns_of,
    text,
)

Layout = Literal["columns", "rest", "other"]
ANY = content.load().detections[0]
_KNOWN = (Column("_time", FieldType.TIME, physical="_time"),)


def problem(
    case: Case,
    engine: Engine,
    folder: Path,
    *,
    layout: Layout = "columns",
    screened: bool = True,
) -> str | None:
    """What is wrong with a case on an engine; None if it is as expected.

    ``layout`` is how the events lie: their own fields in ``columns``, in the ``rest`` map, or in
    two tables, every ``other`` event in the second. ``screened`` asks on DuckDB, too, whether a
    hunt would run the search, which takes half as long again.
    """
    try:
        if case.eval is not None:
            found = evaluated([case], engine)[0]
            if case.error is not None:
                return f"{found!r} instead of the error {case.error}"
            return _unlike(found, case)
        catalog, known = make_world(case, folder, layout)
        within = TimeRange(*case.within)
        over = engine.over(catalog)
        assert case.spl is not None
        zone = _zone(case)
        result = run_search(case.spl, over, catalog, known, now=NOW, zone=zone, within=within)
        # A hunt is in UTC.
        asked = screened and zone is UTC
        finds = bool(result.table.num_rows or result.compiled.effects)
        missed = asked and finds and _is_missed(case.spl, over, known, within)
    except EscudoError as error:
        return None if error.code == case.error else str(error)
    if case.error is not None:
        return f"{result.table.to_pylist()} instead of the error {case.error}"
    wrong = _wrong(result, case)
    if missed:
        wrong.append("a hunt would not run it: what it needs is said not to be there")
    return "; ".join(wrong) or None


def find_rows(case: Case, engine: Engine, folder: Path) -> list[Row]:
    """The rows that a case gives, whatever it expects."""
    catalog, known = make_world(case, folder, "columns")
    assert case.spl is not None
    result = run_search(case.spl, engine.over(catalog), catalog, known, now=NOW)
    return list(result.table.to_pylist())


def find_missed(cases: Sequence[Case], engine: Engine, folder: Path) -> list[str]:
    """The names of cases that a hunt leaves out although they have rows, or ask for a change."""
    out = []
    for number, case in enumerate(cases):
        place = folder / str(number)
        place.mkdir()
        finds = bool(case.expect or case.writes or case.deletes)
        if finds and is_left_out(case, engine, place):
            out.append(case.name)
    return out


def is_left_out(case: Case, engine: Engine, folder: Path) -> bool:
    """Whether a hunt leaves out the search of a case."""
    assert case.spl is not None
    catalog, known = make_world(case, folder, "columns")
    return _is_missed(case.spl, engine.over(catalog), known, TimeRange(*case.within))


def _is_missed(search: str, engine: Engine, known: Knowledge, within: TimeRange) -> bool:
    """Whether a hunt leaves out a search.

    What a search needs is the same on all engines: it is asked of one.
    """
    if engine.name != "duckdb":
        return False
    detection = replace(ANY, search=search)
    screen = screen_detection(detection, Filled.of(engine.catalog), engine, known, NOW)
    return not may_find(screen, count_needs([screen], engine.catalog, engine, within))


def _wrong(result: Result, case: Case) -> list[str]:
    """Where a result is not as the case says."""
    out = differences(result.table.to_pylist(), case)
    names = result.table.column_names
    if case.columns is not None and names != list(case.columns):
        out.append(f"columns {names} instead of {list(case.columns)}")
    codes = sorted({d.code for d in result.diagnostics})
    if case.warns is not None and codes != sorted(case.warns):
        out.append(f"warnings {codes} instead of {list(case.warns)}")
    effects = result.compiled.effects
    written = {_target(e): e.rows.to_pylist() for e in effects if isinstance(e, _OUTPUTS)}
    if set(written) != set(case.writes):
        out.append(f"writes to {sorted(written)} instead of {sorted(case.writes)}")
    for name, rows in case.writes.items():
        out += [f"{name}: {d}" for d in unlike(written.get(name, []), rows, case)]
    deleted = [len(e.event_ids) for e in effects if isinstance(e, Deletion)]
    if case.deletes is not None and deleted != [case.deletes]:
        out.append(f"deletes {deleted} instead of {case.deletes}")
    return out


_OUTPUTS = (LookupOutput, IndexOutput)


def _target(effect: LookupOutput | IndexOutput) -> str:
    return effect.lookup if isinstance(effect, LookupOutput) else effect.index


def _unlike(found: Any, case: Case) -> str | None:
    if same(found, case.value, case.near):
        return None
    return f"{found!r} instead of {case.value!r}"


def problems_of(
    cases: Sequence[Case],
    engine: Engine,
    folder: Path,
    *,
    layout: Layout = "columns",
    screened: bool = True,
) -> list[str]:
    """The problems of many cases, each with the case's name; see ``problem``.

    The eval cases that have a value are one query, if the engine can do them all; every other case
    has a folder of its own below ``folder``.
    """
    values = [case for case in cases if case.eval is not None and case.error is None]
    try:
        found = dict(zip((c.id for c in values), evaluated(values, engine), strict=True))
    except Exception:  # which of them it is shows when each is alone
        found = {}
    out = []
    for number, case in enumerate(cases):
        if case.id in found:
            wrong = _unlike(found[case.id], case)
        else:
            wrong = _problem_alone(
                case, engine, folder / str(number), layout=layout, screened=screened
            )
        if wrong is not None:
            out.append(f"{case.name}: {wrong}")
    return out


def _problem_alone(
    case: Case, engine: Engine, folder: Path, *, layout: Layout, screened: bool
) -> str | None:
    folder.mkdir()
    try:
        return problem(case, engine, folder, layout=layout, screened=screened)
    except Exception as error:
        error.add_note(f"in the case {case.id}")
        raise


def evaluated(cases: Sequence[Case], engine: Engine) -> list[Any]:
    """The values of eval cases, each over its own given row."""
    row: dict[str, Any] = {}
    stored: list[pa.Field] = []
    expressions: list[exp.Expression] = []
    for number, case in enumerate(cases):
        assert case.eval is not None
        schema = _given(case, f"c{number}_")
        expressions.append(alias(compile_eval(case.eval, schema, now=NOW).sql, f"v{number}"))
        stored += list(schema.arrow())
        for c in schema.columns:
            value = case.given.get(c.name)
            row[str(c.physical)] = None if value is None else at_rest(value, c.type)
    if not expressions:
        return []
    table = pa.Table.from_pylist([row], schema=pa.schema(stored))
    query = select(expressions, exp.to_table("given", quoted=True))
    result = engine.run(query, [], {"given": table})
    return [result.column(f"v{n}").to_pylist()[0] for n in range(len(cases))]


def _given(case: Case, prefix: str) -> TableSchema:
    """A table for the given row of a case, whose columns no other case has."""
    columns = (*_KNOWN, *columns_of([case.given], _KNOWN))
    own = tuple(replace(c, physical=f"{prefix}{c.physical}") for c in columns)
    return TableSchema("given", own)


def searched(case: Case, engine: Engine, folder: Path, *, layout: Layout = "columns") -> Result:
    """The result of a case's search."""
    assert case.spl is not None
    catalog, known = make_world(case, folder, layout)
    within = TimeRange(*case.within)
    over = engine.over(catalog)
    return run_search(case.spl, over, catalog, known, now=NOW, zone=_zone(case), within=within)


def _zone(case: Case) -> tzinfo:
    return UTC if case.zone == "UTC" else ZoneInfo(case.zone)


def make_world(case: Case, folder: Path, layout: Layout) -> tuple[RowsCatalog, PlainKnowledge]:
    """The tables of a case, and its macros and lookups."""
    catalog = RowsCatalog(folder)
    if case.rows or not case.models:
        _lay_out(case.rows, catalog, layout)
    for name, model in case.models.items():
        if isinstance(model, list):
            catalog.model(name, model)
        elif "child_of" in model:
            catalog.child(name, model["child_of"], model["constraint"])
        else:
            catalog.model(name, model["rows"], model.get("fields", ()))
    return catalog, knowledge(case, folder)


def _lay_out(rows: Sequence[Row], catalog: RowsCatalog, layout: Layout) -> None:
    if layout != "other":
        catalog.events(rows, in_rest=layout == "rest")
        return
    timed = arrival_times(rows)
    catalog.events(timed[0::2], table="even")
    several = any(isinstance(v, list) for row in timed[1::2] for v in row.values())
    catalog.events(timed[1::2], table="odd", in_rest=not several)


def knowledge(case: Case, folder: Path) -> PlainKnowledge:
    """Macros (``name`` or ``name(a,b)`` -> text) and lookups (name -> rows) of a case."""
    macros: dict[tuple[str, int], Macro] = {}
    for signature, definition in case.macros.items():
        name, _, rest = signature.partition("(")
        arguments = tuple(a.strip() for a in rest.rstrip(")").split(",") if a.strip())
        macros[name, len(arguments)] = Macro(name, definition, arguments)
    lookups: dict[str, Lookup] = {}
    for name, given in case.lookups.items():
        settings: dict[str, Any] = {"rows": given} if isinstance(given, list) else dict(given)
        rows = settings.pop("rows", ())
        names = tuple(settings.pop("fields", dict.fromkeys(n for row in rows for n in row)))
        path = folder / f"{name}.csv"
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, names)
            writer.writeheader()
            writer.writerows({n: text(v) for n, v in row.items()} for row in rows)
        lookups[name] = Lookup(name, str(path), fields=names, **settings)
    return PlainKnowledge(macros, lookups, case.searches)
