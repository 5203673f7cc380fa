"""The estate -> the plan of a day: who logs on when, how much happens in each five minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from escudo.generate.catalog import ROLES, Catalog, Tree
from escudo.generate.columns import Ints
from escudo.generate.grow import SECOND, Instances
from escudo.generate.world import Sessions, World, add_sessions

BIN = 300 * SECOND
"""Nanoseconds: activity is planned by five minutes."""
BINS = 288
DAY = BIN * BINS

_HOUR = 3600 * SECOND
_SETTLE = 700 * SECOND
"""Nanoseconds from a start or logon to the first thing that happens."""


@dataclass(frozen=True)
class Contexts:
    """Where activities of one kind can happen: a (host, session) from start to end."""

    host: Ints
    session: Ints
    start: Ints
    end: Ints


@dataclass(frozen=True)
class Day:
    """``boots`` and ``logons`` start the trees of the same name; ``contexts`` by account."""

    start: int
    boots: Instances
    logons: Instances
    contexts: dict[str, Contexts]


def plan_day(
    world: World, sessions: Sessions, start: int, number: int, rng: np.random.Generator
) -> Day:
    """Boots and logons of one day; servers boot on day 0 only. Adds to ``sessions``.

    Office hours follow a normal distribution around 8:15 and 17:15; on Saturdays and Sundays
    one workstation in ten is used.
    """
    servers = world.hosts.servers
    desks = np.flatnonzero(world.owner >= 0)
    weekday = ((start + DAY // 2) // DAY + 3) % 7
    share = 0.1 if weekday >= 5 else 0.93
    used = desks[(rng.random(len(desks)) < share) | (desks < 2)]
    come = np.clip(rng.normal(8.25, 0.8, len(used)), 5.5, 11)
    leave = np.clip(rng.normal(17.25, 1.1, len(used)), come + 3, 22)
    desk_boot = start + (come * _HOUR).astype(np.int64)
    desk_off = start + (leave * _HOUR).astype(np.int64)
    server_boot = start + (rng.uniform(5, 290, len(servers)) * SECOND).astype(np.int64)
    booting = np.concatenate([servers, used]) if number == 0 else used
    boot_time = np.concatenate([server_boot, desk_boot]) if number == 0 else desk_boot

    logon = desk_boot + (rng.uniform(60, 200, len(used)) * SECOND).astype(np.int64)
    at_desk = add_sessions(
        sessions, rng, host=used, person=world.owner[used], kind=2, start=logon, end=desk_off
    )
    remote = _remote_sessions(world, sessions, start, servers, rng)
    all_logons = np.concatenate([at_desk, remote])

    on = np.concatenate([servers, used])
    ready = np.concatenate([np.full(len(servers), start), desk_boot])
    ready = ready + np.where(np.isin(on, booting), _SETTLE, 0)
    until = np.concatenate([np.full(len(servers), start + DAY), desk_off])
    admin = sessions.person[all_logons] < world.people.admins
    people = _contexts(sessions, all_logons)
    return Day(
        start,
        _instances(boot_time, booting, booting * 3),
        _instances(sessions.start[all_logons], sessions.host[all_logons], all_logons),
        {
            "system": _sorted(on, on * 3, ready, until),
            "network": _sorted(on, on * 3 + 2, ready, until),
            "user": people,
            "admin": _sorted(*(c[admin] for c in _unsorted(sessions, all_logons))),
        },
    )


def _remote_sessions(
    world: World, sessions: Sessions, start: int, servers: Ints, rng: np.random.Generator
) -> Ints:
    """Administrators on servers over RDP, in working hours."""
    count = max(1, int(rng.poisson(0.6 * len(servers))))
    host = rng.choice(servers, count)
    person = rng.integers(0, max(1, world.people.admins), count)
    begin = start + (rng.uniform(8.5, 16.5, count) * _HOUR).astype(np.int64)
    end = begin + _SETTLE + (rng.uniform(0.2, 1.5, count) * _HOUR).astype(np.int64)
    return add_sessions(sessions, rng, host=host, person=person, kind=10, start=begin, end=end)


def _unsorted(sessions: Sessions, index: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    return sessions.host[index], index, sessions.start[index] + _SETTLE, sessions.end[index]


def _contexts(sessions: Sessions, index: Ints) -> Contexts:
    return _sorted(*_unsorted(sessions, index))


def _sorted(host: Ints, session: Ints, start: Ints, end: Ints) -> Contexts:
    order = np.argsort(start, kind="stable")
    return Contexts(host[order], session[order], start[order], end[order])


def _instances(t: Ints, host: Ints, session: Ints) -> Instances:
    none = np.full(len(t), -1, np.int64)
    return Instances(t, {"self": (host, session)}, none, none)


# --- how much, and when -----------------------------------------------------------------------


@dataclass(frozen=True)
class Load:
    """Expected lines of each five minutes of a day (as Sysmon and Security events)."""

    fixed: NDArray[np.float64]
    per_activity: Sequence[NDArray[np.float64]]
    """Expected instances of each activity at scale 1."""
    sizes: Sequence[float]

    def lines(self, scale: float) -> NDArray[np.float64]:
        total = self.fixed.copy()
        for counts, size in zip(self.per_activity, self.sizes, strict=True):
            total += scale * size * counts
        return total


def day_load(world: World, day: Day) -> Load:
    catalog, role = world.catalog, world.hosts.role
    audited = np.array(
        [
            world.hosts.audited[role == code].mean() if (role == code).any() else 0.0
            for code in range(len(ROLES))
        ]
    )
    edges = day.start + BIN * np.arange(BINS)
    fixed = np.zeros(BINS)
    for tree, instances in ((catalog.boot, day.boots), (catalog.logon, day.logons)):
        host = instances.places["self"][0]
        bins = np.clip((instances.t - day.start) // BIN, 0, BINS - 1)
        fixed += np.bincount(bins, lines_of(tree, audited)[role[host]], BINS)
    counts, sizes = [], []
    for tree in catalog.activities:
        contexts = eligible(tree, day, role)
        open_ = np.searchsorted(contexts.start, edges, side="right") - np.searchsorted(
            np.sort(contexts.end), edges + BIN, side="left"
        )
        counts.append(np.maximum(open_, 0) * tree.rate / 12 * profile(tree))
        of_host = lines_of(tree, audited)[role[contexts.host]]
        sizes.append(float(of_host.mean()) if len(of_host) else 0.0)
    return Load(fixed, counts, sizes)


def eligible(tree: Tree, day: Day, role: Ints) -> Contexts:
    """The contexts of a tree's account on hosts of its roles."""
    c = day.contexts[tree.account]
    if len(tree.roles) == len(ROLES):
        return c
    keep = np.isin(role[c.host], list(tree.roles))
    return Contexts(c.host[keep], c.session[keep], c.start[keep], c.end[keep])


def profile(tree: Tree) -> NDArray[np.float64]:
    """How busy each five minutes are: people have lunch, batch work prefers the night."""
    hour = (np.arange(BINS) + 0.5) / 12
    if tree.account in ("user", "admin"):
        lunch = 0.55 * np.exp(-(((hour - 12.4) / 0.6) ** 2))
        return np.asarray(1.1 - lunch)
    return np.asarray(1 + 0.35 * np.cos((hour - 2) / 24 * 2 * np.pi))


def lines_of(tree: Tree, audited: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expected Sysmon and Security lines of one instance, by role of the host.

    ``audited``: the share of hosts of each role that log process creation twice.
    """
    out = np.zeros(len(ROLES))
    for code in range(len(ROLES)):
        expected: dict[str, float] = {}
        for step in tree.steps:
            mean = step.chance * (step.count[0] + step.count[1]) / 2
            if step.roles is not None and code not in step.roles:
                mean = 0.0
            mean *= expected.get(step.of or "", 1.0)
            expected[step.id] = mean
            sides = sum(side.mean for side in step.sides)
            end = step.end if step.life else 0.0
            out[code] += mean * (1 + audited[code] + end + sides)
    return out


def sample(
    tree: Tree,
    contexts: Contexts,
    expected: NDArray[np.float64],
    day: Day,
    bins: range,
    rng: np.random.Generator,
) -> Instances:
    """Instances of an activity in some five-minute bins: Poisson counts, a random open context."""
    counts = rng.poisson(expected[bins.start : bins.stop])
    which = np.repeat(np.arange(bins.start, bins.stop), counts)
    begin = day.start + which * BIN
    before = np.searchsorted(contexts.start, begin, side="right")
    chosen = np.full(len(which), -1, np.int64)
    waiting = np.flatnonzero(before > 0)
    for _ in range(60):
        if not len(waiting):
            break
        guess = (rng.random(len(waiting)) * before[waiting]).astype(np.int64)
        fits = contexts.end[guess] >= begin[waiting] + BIN
        chosen[waiting[fits]] = guess[fits]
        waiting = waiting[~fits]
    hit = chosen >= 0
    chosen, begin = chosen[hit], begin[hit]
    t = begin + rng.integers(0, BIN, len(begin))
    return _instances(t - t % 100, contexts.host[chosen], contexts.session[chosen])


def campaigns(
    world: World,
    sessions: Sessions,
    day: Day,
    count: int,
    window: tuple[int, int],
    rng: np.random.Generator,
) -> Instances:
    """Planted intrusions: a workstation with its user at work all through, a server, a DC.

    They start inside ``window``; the administrator's account logs on to server and DC over the
    network (logon type 3) and its processes run in those sessions.
    """
    roles = frozenset((ROLES.index("workstation"), ROLES.index("developer")))
    people = day.contexts["user"]
    low, high = window
    start = rng.integers(low, max(low + 1, high), count)
    start -= start % 100
    open_ = (people.end > high + 2500 * SECOND) & (people.start < low)
    open_ &= np.isin(world.hosts.role[people.host], list(roles))
    candidates = np.flatnonzero(open_)
    if not len(candidates):
        candidates = np.flatnonzero(np.isin(world.hosts.role[people.host], list(roles)))
        start = np.full(count, people.start[candidates].max())
    chosen = rng.choice(candidates, count, replace=count > len(candidates))
    targets = rng.choice(world.hosts.of_role("app", "sql", "web", "file"), count)
    controllers = rng.choice(world.hosts.of_role("dc"), count)
    person = rng.integers(0, max(1, world.people.admins), count)
    places = {"source": (people.host[chosen], people.session[chosen])}
    places["self"] = places["source"]
    for name, host in (("target", targets), ("dc", controllers)):
        session = add_sessions(
            sessions, rng, host=host, person=person, kind=3, start=start, end=start + DAY
        )
        places[name] = (host, session)
    return Instances(start, places, np.arange(count), targets)


def stay_names(catalog: Catalog) -> tuple[str, ...]:
    return tuple(s.stay for tree in (catalog.boot, catalog.logon) for s in tree.steps if s.stay)
