"""Instances of a tree of processes x its steps -> rows of numbers; ``generate`` calls it.

Everything is an array over rows; a Python loop runs over the steps of the tables only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from escudo.generate.catalog import ACCOUNTS, LEVELS, Catalog, Side, Step, Tree
from escudo.generate.columns import Ints

SECOND = 10**9
"""Nanoseconds."""
_SYSTEM = LEVELS.index("System")
_MEDIUM = LEVELS.index("Medium")
_LONG_LIFE = 240.0
"""Seconds that a process lives where its table gives no time."""

PROCESS_FIELDS = (
    "t",
    "host",
    "session",
    "program",
    "command",
    "parent",
    "level",
    "label",
    "chain",
    "target",
    "stay",
)
SIDE_FIELDS = ("t", "process", "entry")
LOGON_FIELDS = ("t", "host", "session", "source")


@dataclass(frozen=True)
class Instances:
    """Where and when a tree starts: one entry an instance.

    ``places`` maps the ``at`` of a step to its (hosts, sessions). ``chain`` numbers the planted
    intrusions (-1 elsewhere); ``target`` is the other host of an action (-1 for none).
    """

    t: Ints
    places: Mapping[str, tuple[Ints, Ints]]
    chain: Ints
    target: Ints


@dataclass(frozen=True)
class Standing:
    """Processes that live on, as parents: their start and where to find them.

    ``by_host`` and ``by_session`` map a name to the row of the process for each host or session,
    -1 where there is none. Row 0 is the System process, the parent of what has no other.
    """

    t: Ints
    by_host: Mapping[str, Ints]
    by_session: Mapping[str, Ints]


@dataclass
class _Grown:
    """Rows of one step: the instance, the row number in the batch, and their numbers."""

    instance: Ints
    row: Ints
    t: Ints
    host: Ints
    session: Ints


@dataclass
class Growth:
    """Rows so far. A parent >= 0 is a row of this growth; below, -1 - a row of Standing."""

    catalog: Catalog
    standing: Standing
    rng: np.random.Generator
    stays: Sequence[str]
    by_role: Mapping[str, Ints]
    role: Ints
    process: dict[str, list[Ints]] = field(
        default_factory=lambda: {name: [] for name in PROCESS_FIELDS}
    )
    sides: dict[str, dict[str, list[Ints]]] = field(default_factory=dict)
    ends: dict[str, list[Ints]] = field(default_factory=lambda: {"t": [], "process": []})
    logons: dict[str, list[Ints]] = field(
        default_factory=lambda: {name: [] for name in LOGON_FIELDS}
    )
    rows: int = 0

    def add(self, tree: Tree, instances: Instances) -> None:
        """Grow all steps of a tree for all its instances."""
        grown: dict[str, _Grown] = {}
        for step in tree.steps:
            out = self._step(tree, step, instances, grown)
            grown[step.id] = out

    def log_on(self, t: Ints, host: Ints, session: Ints, source: Ints) -> None:
        """Events of logons on ``host`` from ``source`` by the people of sessions."""
        for name, value in zip(LOGON_FIELDS, (t, host, session, source), strict=True):
            self.logons[name].append(value)

    def _step(
        self, tree: Tree, step: Step, instances: Instances, grown: Mapping[str, _Grown]
    ) -> _Grown:
        rng = self.rng
        if step.of is not None and step.of in grown and not step.logon:
            base = grown[step.of]
            picked = self._pick(step, base.host)
            instance, start, parent = base.instance[picked], base.t[picked], base.row[picked]
            host, session = base.host[picked], base.session[picked]
        else:
            host, session = instances.places[step.at if step.at in instances.places else "self"]
            picked = self._pick(step, host)
            instance, host, session = picked, host[picked], session[picked]
            start = self._start(step, instances, grown)[instance]
            parent = self._standing_row(step.of, host, session)
        if step.logon:
            return self._logon(step, instance, start, host, session, instances)
        gone = parent == _NOWHERE
        if gone.any():
            keep = ~gone
            instance, start, parent = instance[keep], start[keep], parent[keep]
            host, session = host[keep], session[keep]
        if step.account is not None and step.account in ACCOUNTS:
            session = host * 3 + ACCOUNTS.index(step.account)
        count = len(host)
        low, high = step.delay
        t = start + (rng.uniform(low, high, count) * SECOND).astype(np.int64)
        outside = parent < 0
        if outside.any():
            alive = self.standing.t[-1 - parent[outside]] + SECOND // 10
            t[outside] = np.maximum(t[outside], alive)
        t -= t % 100
        row = self.rows + np.arange(count)
        self.rows += count
        level = np.where(session < 3 * len(self.role), _SYSTEM, _MEDIUM)
        if step.level is not None:
            level = np.full(count, step.level)
        stay = -1 if step.stay is None else self.stays.index(step.stay)
        values = {
            "t": t,
            "host": host,
            "session": session,
            "program": np.full(count, step.program),
            "command": np.full(count, step.command),
            "parent": parent,
            "level": level,
            "label": np.full(count, step.label),
            "chain": instances.chain[instance],
            "target": instances.target[instance],
            "stay": np.full(count, stay),
        }
        for name, value in values.items():
            self.process[name].append(value)
        planted = tree is self.catalog.campaign
        life = self._end(step, row, t)
        for side in step.sides:
            self._side(side, row, t, host, session, life, planted)
        return _Grown(instance, row, t, host, session)

    def _pick(self, step: Step, host: Ints) -> Ints:
        """Which entries have the step, each as many times as it starts there."""
        rng = self.rng
        chosen = np.arange(len(host))
        if step.roles is not None:
            chosen = chosen[np.isin(self.role[host], list(step.roles))]
        if step.chance < 1:
            chosen = chosen[rng.random(len(chosen)) < step.chance]
        low, high = step.count
        if high > 1:
            chosen = np.repeat(chosen, rng.integers(low, high, len(chosen), endpoint=True))
        return chosen

    def _start(self, step: Step, instances: Instances, grown: Mapping[str, _Grown]) -> Ints:
        earlier = step.after or (step.of if step.logon else None)
        if earlier is None:
            return instances.t
        start = instances.t.copy()
        start[grown[earlier].instance] = grown[earlier].t
        return start

    def _standing_row(self, name: str | None, host: Ints, session: Ints) -> Ints:
        if name is None:
            return np.full(len(host), -1, np.int64)
        if name in self.standing.by_host:
            row = self.standing.by_host[name][host]
        elif name in self.standing.by_session:
            row = self.standing.by_session[name][session]
        else:
            return np.full(len(host), _NOWHERE)
        return np.where(row < 0, _NOWHERE, -1 - row)

    def _end(self, step: Step, row: Ints, t: Ints) -> Ints:
        """Log the end of some; returns how long each runs, in nanoseconds."""
        if step.life is None:
            return np.full(len(row), int(_LONG_LIFE * SECOND))
        life = (self.rng.uniform(*step.life, len(row)) * SECOND).astype(np.int64)
        logged = self.rng.random(len(row)) < step.end
        life -= life % 100
        self.ends["t"].append((t + life)[logged])
        self.ends["process"].append(row[logged])
        return life

    def _side(
        self,
        side: Side,
        row: Ints,
        t: Ints,
        host: Ints,
        session: Ints,
        life: Ints,
        planted: bool,
    ) -> None:
        rng = self.rng
        if planted:
            count = np.full(len(row), max(1, round(side.mean)))
        else:
            count = rng.poisson(side.mean, len(row))
        index = np.repeat(np.arange(len(row)), count)
        when = t[index] + (rng.beta(1, 3, len(index)) * life[index] * 0.98).astype(np.int64)
        when += 2_000_000 - when % 100
        if side.kind == "logon":
            hosts = self.by_role[side.pool]
            if not len(hosts):
                hosts = self.by_role["dc"]
            self.log_on(when, rng.choice(hosts, len(index)), session[index], host[index])
            return
        first, last = self.catalog.pools[side.kind, side.pool]
        table = self.sides.setdefault(side.kind, {name: [] for name in SIDE_FIELDS})
        entry = rng.integers(first, last, len(index))
        for name, value in zip(SIDE_FIELDS, (when, row[index], entry), strict=True):
            table[name].append(value)

    def _logon(
        self,
        step: Step,
        instance: Ints,
        start: Ints,
        host: Ints,
        session: Ints,
        instances: Instances,
    ) -> _Grown:
        t = start + (self.rng.uniform(*step.delay, len(host)) * SECOND).astype(np.int64)
        source = instances.places["source"][0][instance]
        self.log_on(t, host, session, source)
        return _Grown(instance, np.full(len(t), -1), t, host, session)


_NOWHERE = np.iinfo(np.int64).min


def column(parts: Sequence[Ints]) -> Ints:
    """One array of the parts, also of none."""
    return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, np.int64)
