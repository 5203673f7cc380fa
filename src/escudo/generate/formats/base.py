"""What a format of the generator is, and the text columns that all of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from escudo.generate.catalog import LEVELS, sysmon_hashes
from escudo.generate.columns import Ints
from escudo.generate.world import Escape, Sessions, SessionTexts, World

Part = pl.Series | str


@dataclass(frozen=True)
class Tables:
    """Texts by index, escaped for the format: hosts, sessions, programs."""

    world: World
    sessions: Sessions
    session: SessionTexts
    escape: Escape
    host_name: pl.Series
    fqdn: pl.Series
    address: pl.Series
    aid: pl.Series
    thread: Ints
    hex_pid: pl.Series
    constants: dict[str, pl.Series]
    """Tables that do not change during a run, made when first used."""

    def constant(self, name: str, make: Callable[[], pl.Series]) -> pl.Series:
        column = self.constants.get(name)
        if column is None:
            column = self.constants[name] = make()
        return column


def make_tables(
    world: World,
    sessions: Sessions,
    session: SessionTexts,
    escape: Escape,
    constants: dict[str, pl.Series],
) -> Tables:
    hosts = world.hosts
    return Tables(
        world,
        sessions,
        session,
        escape,
        pl.Series(hosts.name),
        pl.Series(hosts.fqdn),
        pl.Series(hosts.address),
        pl.Series(hosts.aid),
        hosts.system_pid + 4 * (np.arange(len(hosts)) % 200 + 40),
        _hex_pids(constants),
        constants,
    )


def _hex_pids(constants: dict[str, pl.Series]) -> pl.Series:
    if "hex" not in constants:
        constants["hex"] = pl.Series([hex(i) for i in range(65536)])
    return constants["hex"]


Render = Callable[[Tables, pl.DataFrame, Ints], pl.Series]
"""Lines (with their line feed) of a kind's rows; the numbers are the event record ids."""


@dataclass(frozen=True)
class Format:
    """``lines``: kind of event -> (channel, renderer). Kind ``audit`` is the start of a process
    on a host whose Security log records it (``audit_all``: every host)."""

    name: str
    escape: Escape
    unescape: Escape
    lines: Mapping[str, tuple[str, Render]]
    audit_all: bool


def by_program_and_windows(tables: Tables, name: str, text: Callable[[int, int], str]) -> pl.Series:
    """A text for each program on each version of Windows; row = program * versions + version."""
    programs, versions = tables.world.catalog.programs, tables.world.catalog.names.windows
    return tables.constant(
        name,
        lambda: pl.Series([text(p, w) for p in range(len(programs)) for w in range(len(versions))]),
    )


def program_row(tables: Tables, frame: pl.DataFrame) -> Ints:
    versions = len(tables.world.catalog.names.windows)
    host = frame["host"].to_numpy()
    row: Ints = frame["program"].to_numpy() * versions + tables.world.hosts.windows[host]
    return row


def file_version(world: World, program: int, windows: int) -> str:
    version = world.catalog.programs[program].version
    if version != "os":
        return version
    w = world.catalog.names.windows[windows]
    return f"{w.build} {w.label}"


def program_seed(world: World, program: int, windows: int) -> str:
    """What the hashes of a program's file are made of: its name and version."""
    return f"{world.catalog.programs[program].name} {file_version(world, program, windows)}"


def program_hashes(world: World, program: int, windows: int) -> str:
    return sysmon_hashes(program_seed(world, program, windows))


def level_names() -> pl.Series:
    return pl.Series(list(LEVELS))


def current_directory(tables: Tables, frame: pl.DataFrame) -> pl.Series:
    """The profile of the user; system32 for services."""
    session = frame["session"].to_numpy()
    homes = tables.session.home.gather(session) + tables.escape("\\")
    service = pl.Series(session < 3 * len(tables.world.hosts))
    system32 = tables.escape("C:\\Windows\\system32\\")
    picked = pl.select(pl.when(service).then(pl.lit(system32)).otherwise(homes).alias("cwd"))
    return picked.to_series()
