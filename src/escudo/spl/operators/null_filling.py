"""A value in place of null."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.relation.bases import Base, Scan
from escudo.spl.relation.coercion import as_number, as_text, common_type, convert_to
from escudo.spl.relation.identifiers import Names
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import alias, literal_integer, literal_number, literal_text, select
from escudo.spl.relation.values import (
    NUMERIC,
    Bound,
    Typed,
    is_null,
    is_numeric_text,
    null_value,
    text_value,
)


def fill_null(value: Typed | None, text: str) -> Typed:
    """The value, or the text where it is null; a number stays one if the text is one.

    >>> fill_null(Typed(exp.column("n"), FieldType.INTEGER), "0").sql.sql("duckdb")
    'COALESCE(n, 0)'
    """
    if value is None or is_null(value):
        return text_value(text)
    if value.type in NUMERIC and is_numeric_text(text):
        number = float(text)
        if value.type is FieldType.INTEGER and number == int(number):
            return _coalesce(value.sql, literal_integer(int(number)), value.type)
        sql = as_number(value)
        return _coalesce(sql, literal_number(number), FieldType.NUMBER)
    if value.type is FieldType.MULTIVALUE:
        one = exp.Array(expressions=[literal_text(text)])
        return _coalesce(value.sql, one, FieldType.MULTIVALUE)
    return _coalesce(as_text(value), literal_text(text), FieldType.STRING)


def _coalesce(sql: exp.Expression, otherwise: exp.Expression, kind: FieldType) -> Typed:
    return Typed(exp.Coalesce(this=sql, expressions=[otherwise]), kind)


def fill_from(value: Typed, otherwise: Typed | None) -> Typed:
    """The value, or another one where it is null; of the type that holds both."""
    if otherwise is None or is_null(otherwise):
        return value
    kind = common_type((value, otherwise))
    return _coalesce(convert_to(value, kind), convert_to(otherwise, kind).copy(), kind)


def only_if(condition: exp.Expression, value: Typed | None) -> Typed:
    """The value where a condition holds, else null."""
    if value is None:
        return null_value()
    case = exp.Case(ifs=[exp.If(this=condition.copy(), true=value.sql)])
    return Typed(case, value.type)


@dataclass(eq=False)
class FilledBase(Base):
    """The rows of ``inner`` with a value for null in every field; internal fields stay as they
    are. A field is filled when it is asked for. ``known`` are all fields there are."""

    inner: Relation
    value: str
    known: tuple[str, ...]
    alloc: Names
    _filled: dict[str, Bound | None] = field(default_factory=dict)
    _columns: list[tuple[str, exp.Expression]] = field(default_factory=list)

    def names(self) -> Iterator[str]:
        return iter(self.known)

    def demand(self, name: str) -> Bound | None:
        if name not in self._filled:
            self._filled[name] = self._fill(name)
        return self._filled[name]

    def scans(self) -> Iterator[Scan]:
        return self.inner.scans()

    def render(self) -> exp.Select:
        added = [alias(sql, ident) for ident, sql in self._columns]
        return select(added, self.inner.render(), star=True)

    def _fill(self, name: str) -> Bound | None:
        if name.startswith("_") or name not in self.known:
            return self.inner.bound(name)
        value = fill_null(self.inner.field(name), self.value)
        ident = self.alloc.fresh(name)
        self._columns.append((ident, value.sql))
        return Bound(ident, value.type)
