"""A lake -> hosts, users and whatever else gains risk: who has most of it, and all that is known of
one, on one timeline; called by the pages and the API of the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pyarrow as pa
import sqlglot
from sqlglot import exp

from escudo.actions.workspace import Workspace
from escudo.core.catalog import Catalog
from escudo.core.schema import TableSchema
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.engines.execute import Engine
from escudo.engines.scans import pick_columns
from escudo.lake.tables import RISK

KINDS: Mapping[str, str] = {"host": "system", "user": "user", "other": "other"}
"""Kinds of entities -> the types of risk objects."""

_RISK_FIELDS = (
    *("_time", "event_hash", "search_name", "risk_object", "risk_object_type"),
    *("normalized_risk_object", "risk_score", "risk_message"),
    "annotations.mitre_attack.mitre_technique_id",
)

_RANKED = """
SELECT normalized_risk_object AS name, any_value(risk_object) AS shown, risk_object_type AS type,
  CAST(sum(risk_score) AS DOUBLE) AS score, count(*) AS events,
  count(DISTINCT search_name) AS detections, max(spl_epoch(_time)) AS last,
  list(DISTINCT "annotations.mitre_attack.mitre_technique_id") AS techniques,
  list([spl_epoch(_time), risk_score]) AS points
FROM risk, wanted
WHERE normalized_risk_object IS NOT NULL
  AND (since IS NULL OR spl_epoch(_time) >= since)
  AND (kind IS NULL OR risk_object_type = kind)
  AND (part IS NULL OR contains(normalized_risk_object, part))
GROUP BY 1, 3 ORDER BY score DESC, name LIMIT {}
"""

_NEWEST = "SELECT max(spl_epoch(_time)) AS newest FROM risk"

_OF_ONE = """
SELECT spl_epoch(_time) AS time, event_hash, search_name, risk_message AS message,
  CAST(risk_score AS DOUBLE) AS score,
  "annotations.mitre_attack.mitre_technique_id" AS techniques
FROM risk, wanted WHERE normalized_risk_object = name ORDER BY time DESC LIMIT {}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class RankedObject:
    """Who or what gained risk: the sum of its scores, of how many events of how many detections;
    ``points`` are their times (epoch seconds) and scores, the earliest first."""

    kind: str
    name: str
    score: float
    events: int
    detections: int
    last: float
    techniques: tuple[str, ...]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RiskEventOf:
    """A risk event of one object."""

    time: float
    event_hash: str
    detection: str
    message: str
    score: float
    techniques: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """What one did or what was done to it, as a data model has it. ``what`` is a word for the
    kind."""

    time: float
    what: str
    host: str
    user: str
    text: str


@dataclass(frozen=True, slots=True)
class Seen:
    """So many events of a kind, and when the first and the last of them were."""

    what: str
    events: int
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Entity:
    """All that is known of a host, a user or another object: its risk, what it did (the newest
    first), how often it was seen, with whom (``peers``: users of a host, hosts of a user)."""

    kind: str
    name: str
    risk: Sequence[RiskEventOf]
    activity: Sequence[Activity]
    seen: Sequence[Seen]
    peers: Sequence[tuple[str, int]]

    @property
    def score(self) -> float:
        return sum(event.score for event in self.risk)


@dataclass(frozen=True, slots=True)
class _Kind:
    """Rows of a dataset that are about a host or a user: the fields that name them, and those that
    say what happened."""

    what: str
    model: str
    dataset: str
    hosts: tuple[str, ...]
    users: tuple[str, ...]
    told: tuple[str, ...]


_KINDS = (
    _Kind("Process", "Endpoint", "Processes", ("dest",), ("user",), ("process_name", "process")),
    _Kind(
        "Log-on",
        "Authentication",
        "Authentication",
        ("dest", "src"),
        ("user", "src_user"),
        ("action", "app", "src", "dest"),
    ),
    _Kind("File", "Endpoint", "Filesystem", ("dest",), ("user",), ("action", "file_path")),
    _Kind(
        "Registry",
        "Endpoint",
        "Registry",
        ("dest",),
        ("user",),
        ("action", "registry_path", "registry_value_data"),
    ),
    _Kind("Service", "Endpoint", "Services", ("dest",), ("user",), ("service_name", "process")),
    _Kind("DNS", "Network_Resolution", "DNS", ("src", "dest"), ("user",), ("query", "answer")),
    _Kind(
        "Network",
        "Network_Traffic",
        "All_Traffic",
        ("src", "dest", "dvc"),
        ("user",),
        ("action", "src_ip", "dest", "dest_ip", "dest_port"),
    ),
)


def find_newest_risk(workspace: Workspace) -> float | None:
    """The time of the newest risk event; None where there is none."""
    risk = _Risk.open(workspace)
    (row,) = risk.ask(_NEWEST, _want()).to_pylist()
    newest: float | None = row["newest"]
    return newest


def rank_objects(
    workspace: Workspace,
    *,
    since: float | None = None,
    kind: str | None = None,
    part: str = "",
    most: int = 100,
) -> list[RankedObject]:
    """Who has gained most risk, the one with most of it first.

    Args:
        since: risk events from then on, in epoch seconds.
        kind: one of ``KINDS``; None: all.
        part: a part of the name, in any case.
    """
    wanted = _want(since=since, kind=KINDS.get(kind or ""), part=part.strip().lower() or None)
    rows = _Risk.open(workspace).ask(_RANKED.format(int(most)), wanted).to_pylist()
    return [
        RankedObject(
            kind=_name_kind(row["type"]),
            name=row["shown"] or row["name"],
            score=row["score"] or 0.0,
            events=row["events"],
            detections=row["detections"],
            last=row["last"],
            techniques=_flatten(row["techniques"]),
            points=tuple(sorted((time, score or 0.0) for time, score in row["points"])),
        )
        for row in rows
    ]


def read_entity(workspace: Workspace, kind: str, name: str, *, most: int = 200) -> Entity:
    """All that is known of an entity; ``kind`` is one of ``KINDS``, the name in any case.

    Of what it did within the workspace's time the newest are given, ``most`` of all; its risk is
    all of it.
    """
    risk = _Risk.open(workspace)
    rows = risk.ask(_OF_ONE.format(1_000), _want(name=name.lower())).to_pylist()
    events = [
        RiskEventOf(
            time=row["time"],
            event_hash=row["event_hash"],
            detection=_name_detection(row["search_name"] or ""),
            message=row["message"] or "",
            score=row["score"] or 0.0,
            techniques=tuple(row["techniques"] or ()),
        )
        for row in rows
    ]
    activity: list[Activity] = []
    seen: list[Seen] = []
    peers: dict[str, int] = {}
    if kind in ("host", "user"):
        for about in _KINDS:
            found = _Store.open(risk.engine, risk.catalog, about=about, within=workspace.within)
            if found is None:
                continue
            counted = found.count(kind, name)
            if counted is not None:
                seen.append(counted)
                activity += found.list_newest(kind, name, most)
                for peer, number in found.list_peers(kind, name):
                    peers[peer] = peers.get(peer, 0) + number
    activity.sort(key=lambda act: act.time, reverse=True)
    ranked = sorted(peers.items(), key=lambda peer: (-peer[1], peer[0]))
    return Entity(kind, name, events, activity[:most], seen, ranked[:20])


@dataclass(frozen=True, slots=True)
class _Risk:
    engine: Engine
    catalog: Catalog
    schema: TableSchema

    @classmethod
    def open(cls, workspace: Workspace) -> _Risk:
        snapshot = workspace.lake.snapshot()
        schema = next(s for s in snapshot.raw_tables() if s.table == RISK)
        return cls(workspace.engine_of(snapshot), snapshot, schema)

    def ask(self, text: str, wanted: pa.Table) -> pa.Table:
        scan = pick_columns(self.schema, _RISK_FIELDS, ALL_TIME)
        query = _put(text, {"risk": scan.name})
        return self.engine.run(query, [scan], {"wanted": wanted})


_IN_TIME = (
    "(since IS NULL OR spl_epoch(_time) >= since) AND (until IS NULL OR spl_epoch(_time) < until)"
)

_WANTED = pa.schema(
    [
        ("since", pa.float64()),
        ("kind", pa.string()),
        ("part", pa.string()),
        ("name", pa.string()),
        ("until", pa.float64()),
    ]
)


def _want(**values: Any) -> pa.Table:
    """What is asked for as a table of one row, so that no value is a part of a query."""
    return pa.Table.from_pylist([{n: values.get(n) for n in _WANTED.names}], _WANTED)


@dataclass(frozen=True, slots=True)
class _Store:
    """The rows of a dataset that name hosts and users."""

    engine: Engine
    about: _Kind
    schema: TableSchema
    within: TimeRange
    fields: frozenset[str] = field(default=frozenset())

    @classmethod
    def open(
        cls, engine: Engine, catalog: Catalog, *, about: _Kind, within: TimeRange
    ) -> _Store | None:
        schema = catalog.dataset(about.model, about.dataset)
        if schema is None or not catalog.files(schema.table, within):
            return None
        stored = frozenset(c.name for c in schema.columns if c.physical is not None)
        return cls(engine, about, schema, within, stored)

    def count(self, kind: str, name: str) -> Seen | None:
        text = "count(*) AS events, min(spl_epoch(_time)) AS first, max(spl_epoch(_time)) AS last"
        (row,) = self._ask(f"SELECT {text} FROM rows, wanted WHERE {self._is(kind)}", name)
        if not row["events"]:
            return None
        return Seen(self.about.what, row["events"], row["first"], row["last"])

    def list_newest(self, kind: str, name: str, most: int) -> list[Activity]:
        told = ", ".join(self._quote(self.about.told)) or "''"
        host, user = self._first(self.about.hosts), self._first(self.about.users)
        rows = self._ask(
            f"SELECT spl_epoch(_time) AS time, {host} AS host, {user} AS account,"
            f" concat_ws(' · ', {told}) AS told FROM rows, wanted WHERE {self._is(kind)}"
            f" ORDER BY time DESC LIMIT {int(most)}",
            name,
        )
        return [
            Activity(
                time=row["time"],
                what=self.about.what,
                host=row["host"] or "",
                user=row["account"] or "",
                text=row["told"] or "",
            )
            for row in rows
        ]

    def list_peers(self, kind: str, name: str) -> list[tuple[str, int]]:
        other = self._first(self.about.users if kind == "host" else self.about.hosts)
        rows = self._ask(
            f"SELECT {other} AS peer, count(*) AS events FROM rows, wanted WHERE {self._is(kind)}"
            " GROUP BY 1 ORDER BY events DESC LIMIT 50",
            name,
        )
        nobody = ("", "unknown", "-", "null")
        return [(r["peer"], r["events"]) for r in rows if (r["peer"] or "").lower() not in nobody]

    def _ask(self, text: str, name: str) -> list[dict[str, Any]]:
        names = {"_time", *self.about.hosts, *self.about.users, *self.about.told}
        scan = pick_columns(self.schema, names, self.within)
        query = _put(text, {"rows": scan.name})
        within = self.within
        wanted = _want(name=name.lower(), since=within.earliest, until=within.latest)
        rows: list[dict[str, Any]] = self.engine.run(query, [scan], {"wanted": wanted}).to_pylist()
        return rows

    def _quote(self, names: Sequence[str]) -> list[str]:
        physical = (self.schema.by_name[n].physical for n in names if n in self.fields)
        return [exp.column(p or "", quoted=True).sql(dialect="duckdb") for p in physical]

    def _first(self, names: Sequence[str]) -> str:
        columns = self._quote(names)
        return f"coalesce({', '.join(columns)})" if columns else "NULL"

    def _is(self, kind: str) -> str:
        """A host is named with or without its domain, a user with or without his."""
        if kind == "host":
            tests = [
                f"(lower({c}) = name OR starts_with(lower({c}), name || '.')"
                f" OR starts_with(name, lower({c}) || '.'))"
                for c in self._quote(self.about.hosts)
            ]
        else:
            tests = [
                f"(lower({c}) = name OR ends_with(lower({c}), '\\' || name)"
                f" OR ends_with(name, '\\' || lower({c})))"
                for c in self._quote(self.about.users)
            ]
        return f"({' OR '.join(tests) or 'false'}) AND {_IN_TIME}"


@lru_cache(maxsize=256)
def _parse(text: str) -> exp.Expression:
    parsed = sqlglot.parse_one(text, dialect="duckdb")
    assert isinstance(parsed, exp.Expression)
    return parsed


def _put(text: str, names: Mapping[str, str]) -> exp.Expression:
    """A query with the names of scans in place of those that it uses."""
    query: exp.Expression = _parse(text).copy()
    for node in query.find_all(exp.Table):
        if node.name in names:
            node.set("this", exp.to_identifier(names[node.name], quoted=True))
    return query


def _name_kind(kind: str | None) -> str:
    return next((own for own, type_ in KINDS.items() if type_ == kind), "other")


def _name_detection(search_name: str) -> str:
    """The detection of a saved search, by contentctl's naming."""
    return search_name.partition(" - ")[2].removesuffix(" - Rule") or search_name


def _flatten(lists: Sequence[Sequence[str] | None] | None) -> tuple[str, ...]:
    return tuple(sorted({value for values in lists or () for value in values or ()}))
