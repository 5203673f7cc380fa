"""The catalog -> the estate: hosts, people, the logon sessions that processes belong to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from escudo.generate.catalog import ROLES, Catalog
from escudo.generate.columns import Ints, dashed, fixed, hex_digits

Escape = Callable[[str], str]

_DC, _ADMIN = ROLES.index("dc"), ROLES.index("admin")
_SERVICE_NAMES = ("SYSTEM", "LOCAL SERVICE", "NETWORK SERVICE")
_SERVICE_SIDS = ("S-1-5-18", "S-1-5-19", "S-1-5-20")
_SERVICE_LOGONS = (0x3E7, 0x3E5, 0x3E4)
_SERVICE_HOMES = (
    r"C:\Windows\system32\config\systemprofile",
    r"C:\Windows\ServiceProfiles\LocalService",
    r"C:\Windows\ServiceProfiles\NetworkService",
)
_SHARE_AUDITED = 0.1
"""Of hosts that are no domain controllers: those with Security auditing."""
_SHARE_WITHOUT_COMMAND_LINE = 0.05
"""Of workstations: those whose audited processes come without a command line."""


@dataclass(frozen=True)
class Hosts:
    """One row a host. ``audited``: its Security log records process creation, too."""

    name: list[str]
    fqdn: list[str]
    address: list[str]
    aid: list[str]
    role: Ints
    windows: Ints
    machine: Ints
    system_pid: Ints
    audited: np.ndarray[tuple[int], np.dtype[np.bool_]]
    command_lines: np.ndarray[tuple[int], np.dtype[np.bool_]]
    """Whether 4688 events of the host carry the command line (an audit policy)."""

    def __len__(self) -> int:
        return len(self.name)

    def of_role(self, *roles: str) -> Ints:
        return np.flatnonzero(np.isin(self.role, [ROLES.index(r) for r in roles])).astype(np.int64)

    @property
    def servers(self) -> Ints:
        return np.flatnonzero(self.role >= _DC).astype(np.int64)


@dataclass(frozen=True)
class People:
    """One row a person; the first ``admins`` of them administer the estate."""

    account: list[str]
    sid: list[str]
    admins: int

    def __len__(self) -> int:
        return len(self.account)


@dataclass
class Sessions:
    """Contexts that processes run in: three service accounts a host, then logons as they come.

    ``kind`` is the Windows logon type (0 for the service accounts). Times are nanoseconds.
    """

    host: Ints
    person: Ints
    kind: Ints
    logon_id: Ints
    guid: list[str]
    terminal: Ints
    start: Ints
    end: Ints

    def __len__(self) -> int:
        return len(self.host)


@dataclass(frozen=True)
class World:
    catalog: Catalog
    hosts: Hosts
    people: People
    owner: Ints
    """The person of each workstation; -1 for servers."""
    domain_sid: str
    customer: str

    @property
    def names(self) -> tuple[str, str]:
        """NetBIOS and DNS name of the domain."""
        return self.catalog.names.netbios, self.catalog.names.dns


def make_world(catalog: Catalog, host_count: int, rng: np.random.Generator) -> World:
    """An estate of about 1 server to 7 workstations, at least 4 hosts.

    >>> from escudo.generate.catalog import load_catalog
    >>> world = make_world(load_catalog(), 4, np.random.default_rng(1))
    >>> [ROLES[r] for r in world.hosts.role], world.hosts.name[2][:3]
    (['workstation', 'admin', 'dc', 'app'], 'DC0')
    """
    roles = np.array(_roles(host_count), np.int64)
    servers = roles >= _DC
    names = _host_names(roles)
    dns = catalog.names.dns
    windows = np.where(
        servers, rng.integers(2, 4, host_count), (rng.random(host_count) < 0.45).astype(np.int64)
    )
    addresses = [
        f"10.20.{0 if role == _DC else 1}.{i % 248 + 2}"
        if server
        else f"10.{21 + i // 62000}.{i // 248 % 250}.{i % 248 + 4}"
        for i, (role, server) in enumerate(zip(roles, servers, strict=True))
    ]
    hosts = Hosts(
        name=names,
        fqdn=[f"{name}.{dns}" for name in names],
        address=addresses,
        aid=fixed(hex_digits(_random_bytes(rng, host_count, 16), upper=False)).to_list(),
        role=roles,
        windows=windows.astype(np.int64),
        machine=rng.integers(1 << 24, 1 << 32, host_count),
        system_pid=rng.integers(500, 1100, host_count) * 4,
        audited=(roles == _DC) | (rng.random(host_count) < _SHARE_AUDITED),
        command_lines=servers | (rng.random(host_count) >= _SHARE_WITHOUT_COMMAND_LINE),
    )
    domain_sid = "S-1-5-21-" + "-".join(str(n) for n in rng.integers(10**8, 4 * 10**9, 3))
    people, owner = _people(catalog, hosts, domain_sid)
    customer = fixed(hex_digits(_random_bytes(rng, 1, 16), upper=False))[0]
    return World(catalog, hosts, people, owner, domain_sid, customer)


def _roles(count: int) -> list[int]:
    """Workstations first (the second one an administrator's), then the servers."""
    servers = max(2, count // 8)
    controllers = max(1, servers // 25)
    kinds = [ROLES.index(r) for r in ("app", "sql", "web", "file")]
    others = [kinds[i % 4] for i in range(servers - controllers)]
    if len(others) > 4:
        others[4] = ROLES.index("sccm")
    desks = [0] * (count - servers)
    for i in range(len(desks)):
        if i % 40 == 1:
            desks[i] = _ADMIN
        elif i % 6 == 5:
            desks[i] = ROLES.index("developer")
    return desks + [_DC] * controllers + others


def _host_names(roles: Ints) -> list[str]:
    prefix = ["MER-L", "MER-D", "MER-A", "DC", "SRV-APP", "SRV-SQL", "SRV-WEB", "SRV-FIL", "SRV-CM"]
    seen = [0] * len(prefix)
    out = []
    for role in roles:
        seen[role] += 1
        width = 4 if role < _DC else 2
        out.append(f"{prefix[role]}{seen[role]:0{width}d}")
    return out


def _people(catalog: Catalog, hosts: Hosts, domain_sid: str) -> tuple[People, Ints]:
    desks = np.flatnonzero(hosts.role < _DC)
    order = np.argsort(hosts.role[desks] != _ADMIN, kind="stable")
    first, last = catalog.names.first, catalog.names.last
    names: list[str] = []
    seen: dict[str, int] = {}
    admins = int((hosts.role == _ADMIN).sum())
    for i in range(len(desks)):
        given, family = first[i * 7 % len(first)], last[(i * 11 + i // len(first)) % len(last)]
        base = f"adm.{family}" if i < admins else f"{given}.{family}"
        seen[base] = seen.get(base, 0) + 1
        names.append(base if seen[base] == 1 else f"{base}{seen[base]}")
    owner = np.full(len(hosts), -1, np.int64)
    owner[desks[order]] = np.arange(len(desks))
    sids = [f"{domain_sid}-{1101 + 7 * i}" for i in range(len(names))]
    return People(names, sids, admins), owner


def service_sessions(world: World, start: int, rng: np.random.Generator) -> Sessions:
    """The contexts of SYSTEM, LOCAL SERVICE and NETWORK SERVICE of each host."""
    count = len(world.hosts)
    rows = 3 * count
    never = np.full(rows, np.iinfo(np.int64).max)
    return Sessions(
        host=np.repeat(np.arange(count), 3),
        person=np.tile(np.array([-1, -2, -3]), count),
        kind=np.zeros(rows, np.int64),
        logon_id=np.tile(np.array(_SERVICE_LOGONS, np.int64), count),
        guid=_guids(rng, rows),
        terminal=np.zeros(rows, np.int64),
        start=np.full(rows, start),
        end=never,
    )


def add_sessions(
    sessions: Sessions,
    rng: np.random.Generator,
    *,
    host: Ints,
    person: Ints,
    kind: int,
    start: Ints,
    end: Ints,
) -> Ints:
    """Append logons and return their indices. Logon ids are unique on a host."""
    first, rows = len(sessions), len(host)
    index = np.arange(first, first + rows)
    sessions.host = np.concatenate([sessions.host, host])
    sessions.person = np.concatenate([sessions.person, person])
    sessions.kind = np.concatenate([sessions.kind, np.full(rows, kind)])
    ids = (index - first + 1) * 0x1000 + rng.integers(0, 0x1000, rows) + first * 0x1000
    sessions.logon_id = np.concatenate([sessions.logon_id, ids])
    sessions.guid = sessions.guid + _guids(rng, rows)
    terminal = {2: 1, 10: 2}.get(kind, 0)
    sessions.terminal = np.concatenate([sessions.terminal, np.full(rows, terminal)])
    sessions.start = np.concatenate([sessions.start, start])
    sessions.end = np.concatenate([sessions.end, end])
    return index


@dataclass(frozen=True)
class SessionTexts:
    """Text columns over all sessions, escaped for the output format."""

    account: pl.Series
    """``SYSTEM`` or ``anna.abel``."""
    domain: pl.Series
    qualified: pl.Series
    sid: pl.Series
    home: pl.Series
    logon_id: pl.Series
    """``0x3e7``."""
    guid: pl.Series
    terminal: pl.Series


def session_texts(world: World, sessions: Sessions, escape: Escape) -> SessionTexts:
    """The texts of all sessions there are now."""
    netbios = world.names[0]
    people = world.people
    index = np.where(sessions.person < 0, len(people) - sessions.person - 1, sessions.person)
    account = pl.Series([escape(t) for t in [*people.account, *_SERVICE_NAMES]])
    domain = pl.Series([escape(t) for t in [*[netbios] * len(people), *["NT AUTHORITY"] * 3]])
    qualified = pl.Series(
        [escape(f"{netbios}\\{a}") for a in people.account]
        + [escape(f"NT AUTHORITY\\{a}") for a in _SERVICE_NAMES]
    )
    home = pl.Series(
        [escape(f"C:\\Users\\{a}") for a in people.account] + [escape(h) for h in _SERVICE_HOMES]
    )
    return SessionTexts(
        account=account.gather(index),
        domain=domain.gather(index),
        qualified=qualified.gather(index),
        sid=pl.Series([*people.sid, *_SERVICE_SIDS]).gather(index),
        home=home.gather(index),
        logon_id=pl.Series([hex(i) for i in sessions.logon_id.tolist()]),
        guid=pl.Series(sessions.guid),
        terminal=pl.Series(sessions.terminal).cast(pl.String),
    )


def _random_bytes(
    rng: np.random.Generator, rows: int, width: int
) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return rng.integers(0, 256, (rows, width), dtype=np.uint8)


def _guids(rng: np.random.Generator, rows: int) -> list[str]:
    return fixed(dashed(hex_digits(_random_bytes(rng, rows, 16)))).to_list()
