"""Name of a dataset -> its table, and its fields written ``Dataset.field``; for ``tstats``,
``from``, ``datamodel`` and lint.

In ``tstats`` and ``datamodel`` a field carries the names of the datasets it comes through
(``Processes.dest``); ``_time``, ``host``, ``source``, ``sourcetype`` and ``index`` do not. In
``from`` no field does (Search Reference: tstats, datamodel, from).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pyarrow as pa
from sqlglot import exp

from escudo.core.errors import EscudoError, Span
from escudo.core.schema import TableSchema
from escudo.core.timerange import TimeRange
from escudo.spl.binding.binder import Binder
from escudo.spl.relation.bases import Base
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.scans import Needs, Scan
from escudo.spl.relation.values import Bound
from escudo.spl.syntax.ast import And, Compare, SearchExpr
from escudo.spl.syntax.source import suggest

PLAIN = frozenset(
    {"_time", "host", "source", "sourcetype", "index", "_event_id", "source_file", "_raw"}
)
"""Fields that carry no dataset name."""


@dataclass(frozen=True)
class Dataset:
    """A dataset of a model, resolved against the catalog."""

    model: str
    name: str
    schema: TableSchema
    lineage: frozenset[str]
    """Lower-case names of the datasets whose fields it has: those that share its table."""

    def strip(self, name: str) -> str | None:
        """``Processes.dest`` -> ``dest``; None if the name is no field of the dataset.

        A name without a dataset is only a field where no dataset name is needed.
        """
        if name in PLAIN:
            return name
        parts = name.split(".")
        at = 0
        while at < len(parts) - 1 and parts[at].lower() in self.lineage:
            at += 1
        return ".".join(parts[at:]) if at else None


def find(model: str, name: str | None, binder: Binder, span: Span | None) -> Dataset:
    """The dataset of a model (its root dataset where ``name`` is None).

    Raises ``SPL310`` for an unknown model or dataset, with what might be meant.
    """
    path = name.split(".") if name else []
    last = path[-1] if path else None
    schema = binder.catalog.dataset(model, last)
    known = binder.catalog.datasets()
    if schema is None:
        names = [d for m, d in known if m.lower() == model.lower()]
        if names and last:
            raise EscudoError(
                "SPL310",
                f"data model '{model}' has no dataset '{last}'",
                span=span,
                hint=suggest(last, names),
            )
        models = dict.fromkeys(m for m, _ in known)
        raise EscudoError(
            "SPL310", f"unknown data model '{model}'", span=span, hint=suggest(model, models)
        )
    lineage = {
        d.lower() for m, d in known if m.lower() == model.lower() and _shares(m, d, schema, binder)
    }
    lineage.update(p.lower() for p in path)
    lineage.add(model.lower())
    return Dataset(model, last or _root(model, schema, binder), schema, frozenset(lineage))


def _shares(model: str, name: str, schema: TableSchema, binder: Binder) -> bool:
    other = binder.catalog.dataset(model, name)
    return other is not None and other.table == schema.table


def _root(model: str, schema: TableSchema, binder: Binder) -> str:
    for m, d in binder.catalog.datasets():
        found = binder.catalog.dataset(m, d) if m.lower() == model.lower() else None
        if found is not None and found.table == schema.table and not found.constraint:
            return d
    return model


def split_node(expr: SearchExpr) -> tuple[SearchExpr, str | None]:
    """``nodename=Root.Child`` taken out of a WHERE that it restricts as a whole.

    >>> from escudo.spl.syntax.parse_search import parse_search
    >>> rest, node = split_node(parse_search("nodename=All_Risk x=1"))
    >>> node
    'All_Risk'
    """
    match expr:
        case Compare("nodename", "=", value):
            return And(()), value.text
        case And(operands):
            for i, operand in enumerate(operands):
                rest, node = split_node(operand)
                if node is not None:
                    kept = (*operands[:i], *operands[i + 1 :])
                    both = kept if rest == And(()) else (*kept, rest)
                    return And(both, span=expr.span), node
    return expr, None


@dataclass(eq=False)
class DatasetBase(Base):
    """A dataset whose fields are written with its name in front."""

    dataset: Dataset
    inner: Base

    @property
    def row_wise(self) -> bool:
        return self.inner.row_wise

    def names(self) -> Iterator[str]:
        for n in self.inner.names():
            yield n if n in PLAIN else f"{self.dataset.name}.{n}"

    def demand(self, name: str) -> Bound | None:
        plain = self.dataset.strip(name)
        return self.inner.demand(plain) if plain else None

    def possible(self, name: str) -> frozenset[str] | None:
        plain = self.dataset.strip(name)
        return self.inner.possible(plain) if plain else None

    def scans(self) -> Iterator[Scan]:
        return self.inner.scans()

    def needs(self) -> Needs:
        return self.inner.needs()

    def render(self) -> exp.Select:
        return self.inner.render()


def read(dataset: Dataset, binder: Binder, within: TimeRange | None = None) -> Relation:
    """The dataset's rows with plain field names (``from``)."""
    return binder.read(dataset.schema, within)


def read_prefixed(dataset: Dataset, binder: Binder, within: TimeRange | None = None) -> Relation:
    """The dataset's rows with fields written ``Dataset.field`` (``tstats``, ``datamodel``)."""
    plain = binder.read(dataset.schema, within)
    return replace(plain, base=DatasetBase(dataset, plain.base))


def listing(model: str | None, name: str | None, binder: Binder, span: Span | None) -> Relation:
    """Data models as JSON, one row each: their datasets and the datasets' fields."""
    found: dict[str, list[dict[str, object]]] = {}
    for m, d in binder.catalog.datasets():
        if model is not None and m.lower() != model.lower():
            continue
        if name is not None and d.lower() != name.lower():
            continue
        schema = binder.catalog.dataset(m, d)
        fields = [c.name for c in schema.columns if not c.internal] if schema else []
        found.setdefault(m, []).append({"objectName": d, "fields": fields})
    if model is not None and not found:
        find(model, name, binder, span)
    texts = [json.dumps({"modelName": m, "objects": objects}) for m, objects in found.items()]
    return binder.table(pa.table({"_raw": pa.array(texts, pa.string())}))
