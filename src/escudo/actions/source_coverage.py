"""Content, the sources that Escudo knows or the events of a lake -> which detections can fire on
them, and why others cannot; called by ``escudo source coverage``.

A detection can fire where, for each of the tables that its search cannot do without, some kind of
events can meet what it asks of them: a source with the source type that is asked for, which fills
each field that a row takes. Without a lake that is what sources can fill: the fields that they
declare, those that the content's data sources list, and those of documented structure (``open``).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Protocol

from escudo.actions.data_origins import list_sources
from escudo.actions.held_rows import HeldKinds
from escudo.actions.workspace import EngineOf
from escudo.cim.mapping import DatasetMapping, read_mappings
from escudo.cim.models import Models
from escudo.content import Content, Detection
from escudo.content.elements.data_source import DataSource
from escudo.core.catalog import Knowledge
from escudo.core.errors import EscudoError
from escudo.core.schema import RAW_REST, Column, FieldType, TableSchema, physical_names
from escudo.core.timerange import TimeRange
from escudo.detect.fillings import NEVER, Filling, FoundRows, Judge, Rows
from escudo.lake import Snapshot
from escudo.lake.tables import NOTABLE, RISK, STASH, Tables
from escudo.sources import Family
from escudo.sources.families import Families
from escudo.sources.family import LABELS
from escudo.spl import Compare, InList, Need, compile_eval, possible_values_of
from escudo.spl.compile import screen_search
from escudo.spl.parse import parse_expanded

_WINDOW = TimeRange(0.0, 1.0)
_EVERYWHERE = frozenset({"_time", "_raw", "_indextime", "_event_id", "source_file", "host"})
_OF_FINDINGS: Mapping[str, Mapping[str, Filling]] = {
    RISK: {"index": frozenset({"risk"}), "sourcetype": frozenset({"stash"})},
    NOTABLE: {"index": frozenset({"notable"}), "sourcetype": frozenset({"stash"})},
}
_OF_SEARCHES = frozenset({RISK, NOTABLE, STASH})
"""Tables of what searches find: a detection that reads nothing else reads what others found."""
DEPRECATED = "deprecated"
_NO_ROW = "it asks for what no row has: a field, a model or a lookup that is not there"


@dataclass(frozen=True, slots=True)
class Unable:
    """A detection that cannot fire, and why."""

    name: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """``detections`` are those that are not deprecated; ``cannot`` those that cannot fire."""

    detections: int
    cannot: Sequence[Unable]

    @property
    def can_fire(self) -> int:
        """How many detections can fire."""
        return self.detections - len(self.cannot)

    def to_dict(self) -> dict[str, Any]:
        """The coverage for machines."""
        return {
            "detections": self.detections,
            "can_fire": self.can_fire,
            "cannot": [{"name": unable.name, "why": unable.why} for unable in self.cannot],
        }


class Kinds(Protocol):
    """The kinds of rows that tables have, or can have."""

    def list_kinds(self, table: str, named: frozenset[str]) -> Iterator[tuple[str, Rows]]:
        """The kinds of rows of a table, with the title of their source."""
        ...

    def find_families(self, detection: Detection) -> frozenset[str]:
        """The families that a detection names."""
        ...


def judge_lake(
    content: Content, tables: Tables, *, snapshot: Snapshot, engine_of: EngineOf
) -> Coverage:
    """Which detections can fire on what a lake holds: on the fields that its events have."""
    judge = Judge(engine_of(snapshot), RAW_REST)
    held = HeldKinds(tables, snapshot, judge)
    labels = {n: v for n, v in held.labels.items() if n != tables.families.fallback.schema.table}
    catalog = WideCatalog(tables, labels)
    return _judge(content, catalog, judge=judge, knowns=LakeRows(held, catalog, tables))


def judge_content(
    content: Content, tables: Tables, *, models: Models, engine_of: EngineOf
) -> Coverage:
    """Which detections can fire on some log that Escudo's sources read."""
    families = tables.families
    labels = {
        family.schema.table: _find_labels(family, content.knowledge)
        for family in families.values()
        if family is not families.fallback
    }
    catalog = WideCatalog(tables, labels)
    judge = Judge(engine_of(catalog), RAW_REST)
    knowns = KnownRows(content.data_sources, families, models=models, catalog=catalog, judge=judge)
    return _judge(content, catalog, judge=judge, knowns=knowns)


def _judge(content: Content, catalog: WideCatalog, *, judge: Judge, knowns: Kinds) -> Coverage:
    chosen = [d for d in content.detections if d.status != DEPRECATED]
    cannot: list[Unable] = []
    for detection in chosen:
        why = _find_why(detection, content, catalog, judge=judge, knowns=knowns)
        if why is not None:
            cannot.append(Unable(detection.name, why))
    return Coverage(detections=len(chosen), cannot=cannot)


def _find_why(
    detection: Detection,
    content: Content,
    catalog: WideCatalog,
    *,
    judge: Judge,
    knowns: Kinds,
) -> str | None:
    try:
        screening = screen_search(
            detection.search,
            catalog,
            content.knowledge,
            now=0.0,
            within=_WINDOW,
            thorough=True,
        )
    except EscudoError as error:
        return f"its search cannot be bound: {error.diagnostic.message}"
    named = knowns.find_families(detection)
    for group in screening.needs:
        why = _judge_group(group, judge=judge, knowns=knowns, named=named)
        if why is not None:
            return why or _tell_labels(detection, content)
    return None


def _judge_group(
    group: Sequence[Need], *, judge: Judge, knowns: Kinds, named: frozenset[str]
) -> str | None:
    """Why no row can be there for a group of needs; empty text where no table is asked at all."""
    reasons: list[tuple[int, str]] = []
    own = [need for need in group if need.scan.schema.table not in _OF_SEARCHES]
    if group and not own:
        return None
    for need in own:
        schema = need.scan.schema
        kinds = list(knowns.list_kinds(schema.table, named))
        for title, rows in kinds:
            obstacles = [judge.find_obstacle(condition, rows) for condition in need.conditions]
            blocking = [names for names in obstacles if names is not None]
            if not blocking:
                return None
            lacking = sorted({_name(schema, n) for names in blocking for n in names})
            if not lacking:
                reasons.append((98, _NO_ROW))
            elif not set(lacking) & {*LABELS, "index", "eventtype"}:
                reasons.append((len(lacking), f"{title}: never {', '.join(lacking)}"))
        if not kinds and not schema.table.startswith("raw_"):
            reasons.append((99, f"nothing fills {schema.table}"))
    return min(reasons)[1] if reasons else ""


def _tell_labels(detection: Detection, content: Content) -> str:
    """What a search asks for that no source has: its source type, source or event type."""
    wanted: dict[str, None] = {}
    try:
        pipeline = parse_expanded(detection.search, content.knowledge)
    except EscudoError:
        return "no source"
    for node in pipeline.commands[0].walk(into_subsearches=False):
        if isinstance(node, Compare) and node.field_name in (*LABELS, "eventtype", "index"):
            wanted[f"{node.field_name}={node.value.text}"] = None
        if isinstance(node, InList) and node.field_name in (*LABELS, "eventtype", "index"):
            wanted.update((f"{node.field_name}={v.text}", None) for v in node.values)
    sources = ", ".join(list_sources(detection)) or "not named"
    return f"no source has {' '.join(wanted) or 'such events'} (data source: {sources})"


class WideCatalog:
    """The tables of a lake as if each search-time field were stored, and each table had files: so
    what a search needs names them.

    Args:
        labels: of each table of events there is, what their sources and source types can be.
    """

    def __init__(self, tables: Tables, labels: Mapping[str, Mapping[str, Filling]]) -> None:
        self._models = tables.models
        self.labels = {**labels, **_OF_FINDINGS}
        self._raw = tuple(
            _widen(schema, self.labels[schema.table])
            for schema in tables.raw
            if schema.table in self.labels
        )
        self.by_table = {schema.table: schema for schema in self._raw}

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None:
        return self._models.dataset(model, dataset)

    def datasets(self) -> Sequence[tuple[str, str]]:
        return self._models.datasets()

    def raw_tables(self) -> Sequence[TableSchema]:
        return self._raw

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        return (table,)


def _widen(schema: TableSchema, labels: Mapping[str, Filling]) -> TableSchema:
    names = [c.name for c in schema.columns if c.physical is None]
    taken = [c.physical for c in schema.columns if c.physical is not None]
    physical = physical_names([*taken, *([schema.rest] if schema.rest else []), *names])
    columns = tuple(
        c if c.physical is not None else Column(c.name, physical=physical[c.name])
        for c in schema.columns
    )
    values = {name: texts for name, texts in labels.items() if texts is not None}
    return replace(schema, columns=columns, values=values)


@dataclass(frozen=True)
class _RawRows(FoundRows):
    """Events of a family."""

    family: Family
    schema: TableSchema
    labels: Mapping[str, Filling]
    listed: frozenset[str]
    judge: Judge

    def find_column(self, name: str) -> Filling:
        known = self._by_physical.get(name)
        if known is None or known.name in _EVERYWHERE:
            return None
        if known.name in self.labels:
            return self.labels[known.name]
        given = self.family.schema.by_name[known.name]
        if given.expr is None:
            return None
        try:
            if not self.judge.may_fill(compile_eval(given.expr, self.family.schema).sql, self):
                return NEVER
        except EscudoError:
            return NEVER
        return possible_values_of(given.expr)

    def key(self, name: str) -> Filling:
        if name in self.listed or any(fnmatchcase(name, o) for o in self.family.open):
            return None
        return NEVER

    def kind(self, name: str) -> FieldType:
        known = self._by_physical.get(name)
        return known.type if known is not None else FieldType.STRING

    @cached_property
    def _by_physical(self) -> Mapping[str, Column]:
        return {c.physical: c for c in self.schema.columns if c.physical is not None}


@dataclass(frozen=True)
class _ModelRows(FoundRows):
    """Rows of a dataset that one entry of a family's mapping makes."""

    family: Family
    entry: DatasetMapping
    raw: _RawRows
    judge: Judge

    def find_column(self, name: str) -> Filling:
        dataset = self.entry.dataset
        known = self._names.get(name)
        if known is None or known in _EVERYWHERE or known in (*LABELS, "index"):
            return None
        model_field = dataset.by_name.get(known)
        text = self.entry.fields.get(known)
        lower = name.endswith("_lc")
        if known == "tag" and text is None:
            return frozenset(dataset.tags)
        if known in dataset.calculated:
            return None
        if text is not None:
            sql = compile_eval(text, self.family.schema).sql
            if self.judge.may_fill(sql, self.raw):
                values = possible_values_of(text)
                if values is None:
                    return None
                if model_field is not None and model_field.fill is not None:
                    values |= {model_field.fill}
                return frozenset(v.lower() for v in values) if lower else values
        if model_field is None or model_field.fill is None:
            return NEVER
        if model_field.fill == "sourcetype":
            return None
        return frozenset({model_field.fill})

    def key(self, name: str) -> Filling:
        return NEVER

    def kind(self, name: str) -> FieldType:
        known = self._names.get(name)
        column = self.entry.dataset.schema.by_name.get(known or "")
        return column.type if column is not None else FieldType.STRING

    @cached_property
    def _names(self) -> Mapping[str, str]:
        names: dict[str, str] = {}
        for column in self.entry.dataset.schema.columns:
            names.update((n, column.name) for n in (column.physical, column.lower) if n)
        return names


class KnownRows:
    """The kinds of rows that the sources can give, whatever log comes."""

    def __init__(
        self,
        sources: Iterable[DataSource],
        families: Families,
        *,
        models: Models,
        catalog: WideCatalog,
        judge: Judge,
    ) -> None:
        self._families = families
        listed: dict[str, set[str]] = defaultdict(set)
        self._of_source: dict[str, str] = {}
        for source in sources:
            family = self._find_family(source)
            if family is not None:
                listed[family.name].update(source.fields)
                self._of_source[source.name] = family.name
        self._raw: dict[str, _RawRows] = {}
        self._modelled: dict[str, list[tuple[str, str, _ModelRows]]] = defaultdict(list)
        for family in families.values():
            if family is families.fallback:
                continue
            rows = _RawRows(
                family,
                catalog.by_table[family.schema.table],
                catalog.labels[family.schema.table],
                frozenset(listed[family.name]),
                judge,
            )
            self._raw[family.schema.table] = rows
            for entry in read_mappings(family, models):
                table = entry.dataset.schema.table
                made = _ModelRows(family, entry, rows, judge)
                self._modelled[table].append((family.name, family.title, made))

    def list_kinds(self, table: str, named: frozenset[str]) -> Iterator[tuple[str, Rows]]:
        """The kinds of rows of a table, with the title of their source. Of a data model's those
        of the families that are named, if any is."""
        rows = self._raw.get(table)
        if rows is not None:
            yield rows.family.title, rows
        for family, title, made in self._modelled.get(table, ()):
            if not named or family in named:
                yield title, made

    def find_families(self, detection: Detection) -> frozenset[str]:
        """The families of the data sources that a detection names; none if one is not known."""
        found: set[str] = set()
        for name in list_sources(detection):
            words = name.split()
            starts = (" ".join(words[:count]) for count in range(len(words), 0, -1))
            known = next((self._of_source[s] for s in starts if s in self._of_source), None)
            if known is None:
                return frozenset()
            found.add(known)
        return frozenset(found)

    def _find_family(self, source: DataSource) -> Family | None:
        claimed = self._families.claim(source.source, source.sourcetype)
        if claimed is not None:
            return claimed
        text = source.source.lower().removeprefix("xml")
        for family in self._families.values():
            before = family.source.split("{")[0].lower().removeprefix("xml")
            if family is self._families.fallback or not before.startswith("wineventlog"):
                continue
            for rule in family.rules:
                for name, wanted in rule.conditions:
                    channels = {"*"} if name != "Channel" else wanted
                    if any(c != "*" and text == f"wineventlog:{c}" for c in channels):
                        return family
        other = self._families.get("windows_other")
        return other if text.startswith("wineventlog") else None


class LakeRows:
    """The kinds of rows that a lake has."""

    def __init__(self, held: HeldKinds, catalog: WideCatalog, tables: Tables) -> None:
        self._held = held
        self._schemas = {**{s.table: s for s in tables}, **catalog.by_table}

    def list_kinds(self, table: str, named: frozenset[str]) -> Iterator[tuple[str, Rows]]:
        """The rows of a table, if it has any."""
        schema = self._schemas[table]
        wide = {n: c for c in schema.columns for n in (c.physical, c.lower) if n is not None}
        yield from self._held.list_rows(table, wide)

    def find_families(self, detection: Detection) -> frozenset[str]:
        """None: what is there counts, whatever a detection names."""
        return frozenset()


def _name(schema: TableSchema, physical: str) -> str:
    named = (c.name for c in schema.columns if physical in (c.physical, c.lower))
    return next(named, physical)


_WINDOWS = {
    "source": ("XmlWinEventLog:*", "WinEventLog:*"),
    "sourcetype": ("XmlWinEventLog*", "WinEventLog*"),
}
"""What events of Windows are labelled with: as XML or as text, by the channel."""


def _find_labels(family: Family, knowledge: Knowledge) -> Mapping[str, Filling]:
    """What the source and source type of a family's events can be, of those that the content speaks
    of. The index is the user's."""
    labels: dict[str, Filling] = {"index": None}
    for name in LABELS:
        own = str(getattr(family, name))
        texts = {re.sub(r"\{[^{}]*\}", "*", own)}
        if own.startswith("XmlWinEventLog"):
            texts.update(_WINDOWS[name])
        for rule in family.labels:
            for label, wanted in rule.conditions:
                if label == name:
                    texts |= wanted
        spoken = knowledge.origins(name)
        matched = {t for t in spoken if any(fnmatchcase(t.lower(), p.lower()) for p in texts)}
        labels[name] = frozenset(matched | {t for t in texts if "*" not in t})
    return labels
