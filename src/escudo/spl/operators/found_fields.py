"""A map of each row -> fields of the relation; called by ``spath``, ``extract``, ``xmlkv`` and
``fromjson``, which find names in the data.

A field is looked up in the map when it is asked for, so nothing has to be run while binding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sqlglot import exp

from escudo.core.schema import MV_SEPARATOR, FieldType
from escudo.spl.binding.binder import Binder
from escudo.spl.lowering.lower_eval import map_entry, rest_field
from escudo.spl.operators.null_filling import fill_from
from escudo.spl.relation.bases import Base
from escudo.spl.relation.identifiers import Names
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.scans import Needs, Scan
from escudo.spl.relation.sql import alias, column, literal_text, prelude_call, select
from escudo.spl.relation.values import Bound, Typed


@dataclass(eq=False)
class OverlayBase(Base):
    """The rows of ``inner`` with the fields of its map column ``found``.

    ``wins``: a found value replaces the one there is. ``lists``: every found field may have
    several values, joined by ``MV_SEPARATOR`` in the map. ``prefix`` stands before the names.
    """

    inner: Relation
    found: str
    alloc: Names
    wins: bool = True
    lists: bool = False
    prefix: str = ""
    _known: dict[str, Bound | None] = field(default_factory=dict)
    _columns: list[tuple[str, exp.Expression]] = field(default_factory=list)
    _rest: str = ""

    def __post_init__(self) -> None:
        self._rest = self.alloc.fresh("_fields")
        both: exp.Expression = column(self.found)
        if self.inner.rest is not None:
            maps = [column(self.inner.rest), both]
            both = prelude_call("spl_map_concat", *(maps if self.wins else reversed(maps)))
        self._columns.append((self._rest, both))

    @property
    def rest(self) -> str | None:
        return self._rest

    def names(self) -> Iterator[str]:
        return iter(self.inner.names())

    def demand(self, name: str) -> Bound | None:
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def scans(self) -> Iterator[Scan]:
        return self.inner.scans()

    def needs(self) -> Needs:
        return self.inner.needs()

    def render(self) -> exp.Select:
        added = [alias(sql, ident) for ident, sql in self._columns]
        return select(added, self.inner.render(), star=True)

    def _find(self, name: str) -> Bound | None:
        before = self.inner.field(name)
        if name.startswith("_") or not name.startswith(self.prefix):
            return self.inner.bound(name)
        value = self._lookup(name[len(self.prefix) :])
        if before is not None:
            value = fill_from(value, before) if self.wins else fill_from(before, value)
        ident = self.alloc.fresh(name)
        self._columns.append((ident, value.sql))
        return Bound(ident, value.type)

    def _lookup(self, name: str) -> Typed:
        if not self.lists:
            return rest_field(self.found, name)
        value = map_entry(self.found, name)
        parts = prelude_call("spl_split", value, literal_text(MV_SEPARATOR))
        return Typed(parts, FieldType.MULTIVALUE)


def overlay_fields(
    relation: Relation,
    found: exp.Expression,
    binder: Binder,
    *,
    wins: bool = True,
    lists: bool = False,
    prefix: str = "",
) -> Relation:
    """The relation with the fields of a map expression over it; see ``OverlayBase``."""
    ident = binder.names.fresh("found")
    inner = relation.hide([(ident, found)])
    base = OverlayBase(
        inner=inner, found=ident, alloc=binder.names, wins=wins, lists=lists, prefix=prefix
    )
    return replace(
        Relation(base), order=relation.order, evidence=relation.evidence, traits=relation.traits
    )
