"""``fillnull``: a value in place of null (Search Reference: fillnull)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

from sqlglot import exp

from escudo.spl.binding.binder import Binder, rows
from escudo.spl.binding.command_forms import FieldsCommand
from escudo.spl.binding.declaration import Declaration
from escudo.spl.operators.null_filling import fill_null
from escudo.spl.relation.bases import Base
from escudo.spl.relation.identifiers import Names
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.scans import Needs, Scan
from escudo.spl.relation.sql import alias, select
from escudo.spl.relation.values import Bound
from escudo.spl.syntax.options import text_option
from escudo.spl.syntax.wildcards import select_names


@dataclass(frozen=True)
class Fillnull(FieldsCommand):
    """``fillnull [value=v] [fields]``.

    Without fields all fields of the results are filled, but for internal ones. A field that is
    named and that no row has is made. A name may hold ``*``.
    """

    name: ClassVar[str] = "fillnull"
    declares: ClassVar[Declaration] = Declaration(row_by_row=True)

    value: str = text_option("0", "What stands in place of null.")

    def declaration(self) -> Declaration:
        """Without fields it fills those that any row has, so it looks at all rows."""
        return replace(self.declares, row_by_row=bool(self.fields))

    def split_by_batches(self, partial: frozenset[str]) -> frozenset[str] | None:
        """No field goes into another one."""
        return partial

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        if not self.fields:
            base = FilledBase(relation, self.value, tuple(binder.all_names(relation)), binder.names)
            return replace(relation, base=base, steps=(), fields={}, open=True)
        names = select_names(self.fields, binder.matching(relation, self.fields))
        filled = [(name, fill_null(relation.field(name), self.value)) for name in names]
        return relation.extend(filled, binder.names)


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

    def needs(self) -> Needs:
        return self.inner.needs()

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
