"""The YAML tables -> programs, people, pools, behaviour and attacks as typed values.

They are read from ``tables/*.yml`` beside this file, which say what each field means.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import yaml

from escudo.generate.templates import Template, parse_template

ROLES = ("workstation", "developer", "admin", "dc", "app", "sql", "web", "file", "sccm")
"""What a host is for. ``admin`` is the workstation of an administrator."""

SIDE_KINDS: Mapping[str, int] = {
    "file": 1,
    "value": 2,
    "key": 2,
    "dns": 3,
    "net": 5,
    "load": 10,
    "access": 2,
}
"""Kinds of events that a process makes, with the number of text columns of each."""

ACCOUNTS = ("system", "local", "network")
"""The service accounts, in the order of their contexts of a host."""

LEVELS = ("Low", "Medium", "High", "System")


@dataclass(frozen=True, slots=True)
class Program:
    """One executable. ``in_home``: its path is relative to the user's profile folder."""

    name: str
    path: str
    in_home: bool
    description: str
    original: str
    company: str
    product: str
    version: str

    @property
    def base_name(self) -> str:
        return self.path.rpartition("\\")[2]


@dataclass(frozen=True, slots=True)
class Side:
    """Other events of a process: ``mean`` of them, each with a random entry of the pool."""

    kind: str
    pool: str
    mean: float


@dataclass(frozen=True, slots=True)
class Step:
    """One process (or a network logon) of a tree; see the head of ``behaviour.yml``."""

    id: str
    program: int
    command: int
    of: str | None
    stay: str | None
    account: str | None
    delay: tuple[float, float]
    life: tuple[float, float] | None
    count: tuple[int, int]
    chance: float
    level: int | None
    roles: frozenset[int] | None
    end: float
    sides: tuple[Side, ...]
    at: str
    after: str | None
    logon: bool
    label: int


@dataclass(frozen=True, slots=True)
class Label:
    """What the answer file says of a step: planted attack or known benign match."""

    text: str
    technique: str
    expect: tuple[str, ...]
    attack: bool


@dataclass(frozen=True, slots=True)
class Tree:
    """Processes that start together. ``account``: system, network, user or admin."""

    name: str
    roles: frozenset[int]
    account: str
    rate: float
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class WindowsVersion:
    build: str
    label: str
    name: str


@dataclass(frozen=True, slots=True)
class Names:
    netbios: str
    dns: str
    first: tuple[str, ...]
    last: tuple[str, ...]
    windows: tuple[WindowsVersion, ...]
    servers: tuple[str, ...]


@dataclass
class Catalog:
    """All tables. Steps refer to programs, templates and labels by their index."""

    names: Names
    programs: list[Program]
    templates: list[Template] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    entries: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    """Side kind -> entries, each the template indices of its columns."""
    pools: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """(Side kind, pool) -> the range of its entries."""
    boot: Tree = field(init=False)
    logon: Tree = field(init=False)
    campaign: Tree = field(init=False)
    activities: list[Tree] = field(default_factory=list)

    def template(self, text: str) -> int:
        self.templates.append(parse_template(text))
        return len(self.templates) - 1


def load_catalog() -> Catalog:
    """Read the tables of the package.

    >>> catalog = load_catalog()
    >>> catalog.programs[0].base_name
    'smss.exe'
    """
    programs = _table("programs")
    vendors = programs["vendors"]
    catalog = Catalog(
        _names(_table("names")),
        [_program(name, row, vendors) for name, row in programs["programs"].items()],
    )
    _pools(catalog, _table("pools"), vendors)
    behaviour = _table("behaviour")
    index = {p.name: i for i, p in enumerate(catalog.programs)}
    build = _TreeBuilder(catalog, index)
    catalog.boot = build.tree("boot", behaviour["boot"])
    catalog.logon = build.tree("logon", behaviour["logon"])
    catalog.activities = [build.tree(row["name"], row) for row in behaviour["activities"]]
    catalog.campaign = build.tree("campaign", _table("attacks")["campaign"], attack=True)
    return catalog


def file_hashes(seed: str) -> dict[str, str]:
    """Hashes as Sysmon writes them (upper case), made from a text.

    >>> file_hashes("cmd.exe 10.0")["MD5"]
    '946CAFC7EEF166131CF88D29BEBC17A2'
    """
    data = seed.encode()
    return {
        "SHA1": hashlib.sha1(data, usedforsecurity=False).hexdigest().upper(),
        "MD5": hashlib.md5(data, usedforsecurity=False).hexdigest().upper(),
        "SHA256": hashlib.sha256(data).hexdigest().upper(),
        "IMPHASH": hashlib.md5(b"imports " + data, usedforsecurity=False).hexdigest().upper(),
    }


def sysmon_hashes(seed: str) -> str:
    """The ``Hashes`` field of a Sysmon event."""
    hashes = file_hashes(seed)
    return ",".join(f"{name}={hashes[name]}" for name in ("MD5", "SHA256", "IMPHASH"))


# The same language; the parser of libyaml is ten times faster, but not in every build.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _table(name: str) -> dict[str, Any]:
    text = resources.files("escudo.generate").joinpath(f"tables/{name}.yml").read_text("utf-8")
    table: dict[str, Any] = yaml.load(text, Loader=_LOADER)  # nosec B506: the safe one
    return table


def _names(table: Mapping[str, Any]) -> Names:
    return Names(
        table["domain"]["netbios"],
        table["domain"]["dns"],
        tuple(table["first"]),
        tuple(table["last"]),
        tuple(WindowsVersion(w["build"], w["label"], w["os"]) for w in table["windows"]),
        tuple(table["servers"]),
    )


def _program(name: str, row: list[str], vendors: Mapping[str, Any]) -> Program:
    path, description, vendor = row[:3]
    in_home = path.startswith("~")
    base = path.rpartition("\\")[2]
    return Program(
        name=name,
        path=path[1:] if in_home else path,
        in_home=in_home,
        description=description,
        original=row[3] if len(row) > 3 else ("-" if description == "-" else base),
        company=vendors[vendor]["company"],
        product=vendors[vendor]["product"],
        version=vendors[vendor]["version"],
    )


def _pools(catalog: Catalog, table: Mapping[str, Any], vendors: Mapping[str, Any]) -> None:
    for name, texts in table["text"].items():
        catalog.texts[name] = tuple(str(t) for t in texts)
    for kind, width in SIDE_KINDS.items():
        entries: list[tuple[int, ...]] = []
        for pool, rows in table[kind].items():
            first = len(entries)
            for row in rows:
                texts = _entry(kind, row, vendors)
                if len(texts) != width:
                    raise ValueError(f"{kind}.{pool}: {row!r} has {len(texts)} columns")
                entries.append(tuple(catalog.template(text) for text in texts))
            catalog.pools[kind, pool] = (first, len(entries))
        catalog.entries[kind] = entries


def _entry(kind: str, row: Any, vendors: Mapping[str, Any]) -> list[str]:
    if kind == "load":
        path, description, vendor, original, signature = row
        signed = signature != "-"
        version = vendors[vendor]["version"]
        return [
            path,
            "10.0.19041.4291 (WinBuild.160101.0800)" if version == "os" else version,
            description,
            vendors[vendor]["product"],
            vendors[vendor]["company"],
            original,
            sysmon_hashes(path),
            "true" if signed else "false",
            signature,
            "Valid" if signed else "Unavailable",
        ]
    return [str(cell) for cell in row] if isinstance(row, list) else [str(row)]


@dataclass
class _TreeBuilder:
    catalog: Catalog
    programs: Mapping[str, int]

    def tree(self, name: str, row: Mapping[str, Any], *, attack: bool = False) -> Tree:
        account = row.get("as", "user")
        steps = tuple(self.steps(row["steps"], account, attack))
        ids = [s.id for s in steps]
        if len(set(ids)) != len(ids):
            raise ValueError(f"{name}: two steps with one id")
        roles = _roles(row.get("on", ROLES))
        return Tree(name, roles, account, float(row.get("rate", 0)), steps)

    def steps(self, rows: list[Mapping[str, Any]], account: str, attack: bool) -> Iterator[Step]:
        for row in rows:
            logon = bool(row.get("logon"))
            level = row.get("il", "High" if account == "admin" else None)
            yield Step(
                id=row["id"],
                program=-1 if logon else self.programs[row["run"]],
                command=-1 if logon else self.catalog.template(row["cmd"]),
                of=row.get("of"),
                stay=row.get("stay"),
                account=row.get("as"),
                delay=_pair(row.get("delay", (0.0, 0.5))),
                life=_pair(row["life"]) if "life" in row else None,
                count=_count(row.get("n", (1, 1))),
                chance=float(row.get("p", 1)),
                level=None if level is None else LEVELS.index(level),
                roles=_roles(row["on"]) if "on" in row else None,
                end=float(row.get("end", 0.3)),
                sides=tuple(Side(k, p, float(m)) for k, p, m in row.get("side", ())),
                at=row.get("at", "self"),
                after=row.get("after"),
                logon=logon,
                label=self.label(row, attack),
            )

    def label(self, row: Mapping[str, Any], attack: bool) -> int:
        if "label" not in row:
            return -1
        self.catalog.labels.append(
            Label(row["label"], row["technique"], tuple(row["expect"]), attack)
        )
        return len(self.catalog.labels) - 1


def _pair(value: Any) -> tuple[float, float]:
    low, high = value
    return float(low), float(high)


def _count(value: Any) -> tuple[int, int]:
    low, high = value
    return int(low), int(high)


def _roles(names: Any) -> frozenset[int]:
    return frozenset(ROLES.index(name) for name in names)
