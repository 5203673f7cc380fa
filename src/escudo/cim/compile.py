"""A family's mappings -> one DuckDB statement for each dataset; ``normalise`` calls it.

Four steps, each a SELECT over the one before: the source's expressions; the dataset's calculated
fields; defaults and lower-cased copies; the dataset's own condition. Columns that need no SQL are
left out of the statement: those that are the same for every row (half of a dataset's fields are
null for any one source), and those that a row has from its event as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from sqlglot import exp

from escudo.cim.mapping import DatasetMapping, read_mappings
from escudo.cim.models import Dataset, ModelField, Models
from escudo.core.errors import EscudoError
from escudo.core.schema import COMMON_COLUMNS, FieldType, TableSchema
from escudo.sources import Family
from escudo.sources.definition import Definition
from escudo.spl import (
    Typed,
    alias,
    all_hold,
    any_holds,
    as_boolean,
    cast_to,
    coalesce,
    column,
    compile_eval,
    constant_of,
    convert_to,
    is_null,
    is_one_of,
    list_of,
    literal_text,
    lower_case,
    null_if,
    table,
)

Constant = str | list[str] | None

ROW = "_row"
"""The column of a batch that numbers its events, and that of a statement's rows that names them."""

_COMMON = tuple(c.name for c in COMMON_COLUMNS)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Copied:
    """A column of raw events that rows have as it is, but that empty text is no value."""

    column: str
    default: str | None = None


@dataclass(frozen=True)
class Statement:
    """The SQL that makes the rows of one dataset's table out of a batch of raw events.

    A row begins with the number of its event (``ROW``). Left out are the common columns, and two
    kinds of columns, by their physical name: ``constants``, with the value of every row, and
    ``copies``. The statement reads a table ``{batch}_{table of the dataset}``.
    """

    dataset: Dataset
    sql: str
    constants: Mapping[str, Constant]
    copies: Mapping[str, Copied]


@dataclass(frozen=True)
class Program:
    """All that a family's batches are normalised by.

    ``census`` tells of each event (``ROW``) which statements take it: a column of booleans each.
    """

    census: str
    statements: tuple[Statement, ...]


def compile_family(family: Family, entries: Sequence[DatasetMapping], batch: str) -> Program:
    """One statement for each dataset that the entries feed; ``batch`` is the census's table."""
    groups: dict[str, list[DatasetMapping]] = {}
    for entry in entries:
        groups.setdefault(entry.dataset.schema.table, []).append(entry)
    statements = tuple(_statement(family, group, batch) for group in groups.values())
    taken = {t: any_holds([_taken(family, e) for e in group]) for t, group in groups.items()}
    belongs = [alias(_known(condition), name) for name, condition in taken.items()]
    census = exp.select(column(ROW), *belongs).from_(table(batch))
    return Program(census.sql("duckdb"), statements)


def check_family(family: Family, models: Models) -> None:
    """Compiles all that a source's definition says of the data models; CIM010 to CIM012."""
    compile_family(family, read_mappings(family, models), "events")


def _statement(family: Family, entries: Sequence[DatasetMapping], batch: str) -> Statement:
    dataset = entries[0].dataset
    batch = f"{batch}_{dataset.schema.table}"
    inputs = _inputs(dataset)
    given = [f for f in dataset.fields if f.name not in dataset.calculated]
    constants = {f.name: v for f in given for v in _constant(family, entries, f)}
    copies = {f.name: c for f in given for c in _copied(family, entries, f)}
    elsewhere = (constants.keys() | copies.keys()) - inputs
    mapped = sorted({n for e in entries for n in (*e.fields, "tag") if n not in elsewhere})
    common = [n for n in _COMMON if n in inputs]
    rows: exp.Query = _mapped(family, entries[0], mapped, common, batch)
    for entry in entries[1:]:
        more = _mapped(family, entry, mapped, common, batch)
        rows = exp.union(rows, more, distinct=False, copy=False)
    rows = _calculated(dataset, rows, mapped, common)
    rows = _filled(dataset, rows, elsewhere, common)
    physical = {_physical(dataset, name): value for name, value in constants.items()}
    for stored in dataset.schema.columns:
        if stored.lower is not None and stored.name in constants:
            physical[stored.lower] = str(constants[stored.name]).lower()
    as_they_are = {_physical(dataset, name): copied for name, copied in copies.items()}
    without = {*common, *physical, *as_they_are}
    made = [column(n) for n in rows.named_selects if n not in without]
    out = exp.select(*made).from_(rows.subquery("filled", copy=False))
    if dataset.where is not None:
        out = out.where(_condition(dataset.where, dataset.schema, _Place(dataset.name)), copy=False)
    return Statement(dataset, out.sql("duckdb"), physical, as_they_are)


def _copied(
    family: Family, entries: Sequence[DatasetMapping], model_field: ModelField
) -> Iterator[Copied]:
    """The field of the event that a field is as it is, whichever entry takes the event."""
    dataset = entries[0].dataset
    texts = {e.fields.get(model_field.name) for e in entries}
    if len(texts) > 1 or model_field.type is not FieldType.STRING:
        return
    [text] = texts
    stored = dataset.schema.by_name[model_field.name]
    if text is None or stored.lower is not None or model_field.fill == "sourcetype":
        return
    typed = _compile(text, family.schema, _Place.of_field(family, entries[0], model_field.name))
    if isinstance(typed.sql, exp.Column) and typed.type is FieldType.STRING:
        yield Copied(typed.sql.name, model_field.fill)


def _constant(
    family: Family, entries: Sequence[DatasetMapping], model_field: ModelField
) -> Iterator[Constant]:
    """The value that a field has in every row, if there is one such value."""
    dataset, name = entries[0].dataset, model_field.name
    texts = {e.fields.get(name) for e in entries}
    if len(texts) > 1:
        return
    [text] = texts
    if name == "tag" and text is None:
        yield list(dataset.tags)
    elif text is None and model_field.fill != "sourcetype":
        missing = model_field.fill
        many = model_field.type is FieldType.MULTIVALUE and missing is not None
        yield [str(missing)] if many else missing
    elif text is not None and model_field.type is FieldType.STRING:
        place = _Place.of_field(family, entries[0], name)
        value = constant_of(_compile(text, family.schema, place))
        if isinstance(value, str):
            yield value


def _inputs(dataset: Dataset) -> frozenset[str]:
    """The fields that must be columns: the dataset's own expressions and defaults read them."""
    texts = [*dataset.calculated.values(), dataset.where or ""]
    words = {word for text in texts for word in _WORD.findall(text)}
    words.update(f.fill for f in dataset.fields if f.fill == "sourcetype")
    return frozenset(words & {*_COMMON, *(f.name for f in dataset.fields)})


def _mapped(
    family: Family,
    entry: DatasetMapping,
    names: Iterable[str],
    common: Sequence[str],
    batch: str,
) -> exp.Select:
    """The events that an entry takes, with its expressions, in the types of the dataset."""
    columns: list[exp.Expression] = [column(n) for n in (ROW, *common)]
    for name in names:
        kind = entry.dataset.by_name[name].type
        text = entry.fields.get(name)
        if text is None and name == "tag":
            tags = [literal_text(t) for t in entry.dataset.tags]
            sql: exp.Expression = list_of(tags)
        elif text is None:
            sql = cast_to(exp.null(), kind)
        else:
            sql = _value(text, family.schema, kind, _Place.of_field(family, entry, name))
        columns.append(alias(sql, _physical(entry.dataset, name)))
    return exp.select(*columns).from_(table(batch)).where(_taken(family, entry), copy=False)


def _taken(family: Family, entry: DatasetMapping) -> exp.Expression:
    """The condition that an entry takes an event."""
    conditions: list[exp.Expression] = []
    for name, values in entry.events.items():
        stored = family.schema.by_name.get(name)
        if stored is None or stored.physical is None:
            path = ("datasets", entry.number, "events", name)
            raise family.definition.error("CIM012", f"no stored field {name!r}", *path)
        here = column(stored.physical)
        conditions.append(is_one_of(here, [literal_text(v) for v in values]))
    if entry.where is not None:
        conditions.append(_condition(entry.where, family.schema, _Place.of_where(family, entry)))
    return all_hold(conditions)


def _known(condition: exp.Expression) -> exp.Expression:
    return coalesce(condition, exp.false())


def _calculated(
    dataset: Dataset, rows: exp.Query, mapped: Sequence[str], common: Sequence[str]
) -> exp.Select:
    """The dataset's calculated fields, all from the values before any of them."""
    schema = replace(
        dataset.schema,
        columns=tuple(c for c in dataset.schema.columns if c.name in mapped or c.name in common),
    )
    columns: list[exp.Expression] = [column(n) for n in (ROW, *common)]
    for name in sorted({*mapped, *dataset.calculated}):
        physical = _physical(dataset, name)
        text = dataset.calculated.get(name)
        if text is None:
            columns.append(column(physical))
            continue
        kind = dataset.by_name[name].type
        place = _Place(f"{dataset.model}.{dataset.name}, field {name!r}")
        sql = _value(text, schema, kind, place)
        columns.append(alias(sql, physical))
    return exp.select(*columns).from_(rows.subquery("mapped", copy=False))


def _filled(
    dataset: Dataset, rows: exp.Query, elsewhere: Set[str], common: Sequence[str]
) -> exp.Select:
    """The table's columns but for those made elsewhere: defaults where a value is missing."""
    present = set(rows.named_selects)
    columns: list[exp.Expression] = [column(ROW)]
    lowered: list[exp.Expression] = []
    for stored in dataset.schema.columns:
        if stored.name in elsewhere or (stored.name in _COMMON and stored.name not in common):
            continue
        physical = _physical(dataset, stored.name)
        here: exp.Expression = column(physical)
        model_field = dataset.by_name.get(stored.name)
        if model_field is not None:
            value = here if physical in present else cast_to(exp.null(), stored.type)
            here = alias(_default(model_field, value), physical)
        columns.append(here)
        if stored.lower is not None:
            lowered.append(_lowered(physical, stored.lower))
    inner = exp.select(*columns).from_(rows.subquery("calculated", copy=False))
    if not lowered:
        return inner
    every = [column(n) for n in inner.named_selects]
    return exp.select(*every, *lowered).from_(inner.subquery("defaults", copy=False))


def _lowered(physical: str, lower: str) -> exp.Expression:
    return alias(lower_case(column(physical)), lower)


def _default(model_field: ModelField, value: exp.Expression) -> exp.Expression:
    match model_field.fill:
        case None:
            return value
        case "sourcetype":
            default: exp.Expression = column("sourcetype")
        case text:
            default = literal_text(text)
    if model_field.type is FieldType.MULTIVALUE:
        default = list_of([default])
    return coalesce(value, default)


def _physical(dataset: Dataset, name: str) -> str:
    physical = dataset.schema.by_name[name].physical
    assert physical is not None
    return physical


def _value(text: str, schema: TableSchema, kind: FieldType, place: _Place) -> exp.Expression:
    """An eval expression in a column's type; empty text is no value."""
    typed = _compile(text, schema, place)
    sql = convert_to(typed, kind)
    if kind is FieldType.STRING and constant_of(typed) is None:
        return null_if(sql, literal_text(""))
    return cast_to(sql, kind) if is_null(typed) else sql


def _condition(text: str, schema: TableSchema, place: _Place) -> exp.Expression:
    return as_boolean(_compile(text, schema, place))


def _compile(text: str, schema: TableSchema, place: _Place) -> Typed:
    try:
        return compile_eval(text, schema)
    except EscudoError as error:
        raise place.error(error, text) from error


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an expression stands: in words, and, for one of a source, in its file."""

    words: str
    definition: Definition | None = None
    path: tuple[str | int, ...] = ()

    @classmethod
    def of_field(cls, family: Family, entry: DatasetMapping, name: str) -> _Place:
        path = ("datasets", entry.number, "fields", name)
        return cls(f"field {name!r}", family.definition, path)

    @classmethod
    def of_where(cls, family: Family, entry: DatasetMapping) -> _Place:
        return cls("'where'", family.definition, ("datasets", entry.number, "where"))

    def error(self, wrong: EscudoError, text: str) -> EscudoError:
        message, hint = f"{self.words}: {wrong.diagnostic.message}", wrong.diagnostic.hint
        if self.definition is None:
            return EscudoError("CIM012", message, hint=hint, source=text)
        return self.definition.error("CIM012", message, *self.path, hint=hint)
