"""Grown rows -> frames of events with process ids, GUIDs and all texts; ``generate`` calls it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from escudo.generate.catalog import SIDE_KINDS
from escudo.generate.columns import Ints, joined, process_guids
from escudo.generate.grow import Growth, Standing, column
from escudo.generate.render import Renderer, Rows
from escudo.generate.world import Sessions, SessionTexts, World

Frames = dict[str, pl.DataFrame]
"""Kind of event -> its events, with ``t`` (nanoseconds) and ``host`` (index) first.

``process`` start of a process; ``end`` its end; ``logon``; and the kinds of ``SIDE_KINDS``, whose
texts are the columns ``a``, ``b`` ... in the order of ``pools.yml``.
"""

_SHORT_LIVED_IDS = 7001
"""Process ids in use for processes that end; a prime, so that ids do not repeat in a pattern."""
_STANDING_IDS = 1021
"""... and for those that stay."""
_SIDE_COLUMNS = "abcdefghij"


@dataclass
class Standings:
    """The standing processes of all hosts, with what their children say of them."""

    t: Ints
    host: Ints
    pid: Ints
    sequence: Ints
    program: Ints
    session: Ints
    texts: pl.DataFrame
    """``image``, ``command``, ``guid``."""
    by_host: dict[str, Ints] = field(default_factory=dict)
    by_session: dict[str, Ints] = field(default_factory=dict)

    def find(self) -> Standing:
        return Standing(self.t, self.by_host, self.by_session)


def no_standings() -> Standings:
    """Only row 0: the System process, of which Sysmon tells nothing to its children."""
    zero = np.zeros(1, np.int64)
    return Standings(
        t=zero,
        host=zero - 1,
        pid=zero + 4,
        sequence=zero,
        program=zero - 1,
        session=zero,
        texts=pl.DataFrame(
            {"image": ["-"], "command": ["-"], "guid": ["00000000-0000-0000-0000-000000000000"]}
        ),
    )


class Batches:
    """Makes frames; it keeps the counters of process ids a host and the standing processes."""

    def __init__(self, world: World, renderer: Renderer, image_root: pl.Series) -> None:
        hosts = len(world.hosts)
        self._world = world
        self._renderer = renderer
        self._images = image_root
        self._sequence = np.full(hosts, 2, np.int64)
        self._stood = np.zeros(hosts, np.int64)
        self._in_home = np.array([p.in_home for p in world.catalog.programs] + [False])
        self._kind_templates = {
            kind: np.array(rows, np.int64) for kind, rows in world.catalog.entries.items()
        }
        self.lsass = np.full(hosts, 4, np.int64)
        self.lsass_row = np.zeros(hosts, np.int64)
        self.standings = no_standings()

    def finish(
        self,
        growth: Growth,
        sessions: Sessions,
        texts: SessionTexts,
        rng: np.random.Generator,
        *,
        keep: str | None = None,
    ) -> Frames:
        """The frames of a growth; ``keep`` (host or session) registers its standing processes."""
        row = {name: column(parts) for name, parts in growth.process.items()}
        stand = self.standings
        pid, sequence = self._ids(row)
        base = len(stand.t)
        parent = np.where(row["parent"] < 0, -1 - row["parent"], row["parent"] + base)
        all_pids = np.concatenate([stand.pid, pid])
        image = self._image(row["program"], row["session"], texts)
        guid = process_guids(self._world.hosts.machine[row["host"]], row["t"], sequence)
        rows = Rows(row["host"], row["session"], pid, all_pids[parent], image, row["target"])
        command = self._renderer.render(row["command"], rows, texts, self.lsass, rng)
        own = pl.DataFrame({"image": image, "command": command, "guid": guid})
        seen = pl.concat([stand.texts, own])
        above = seen[parent]
        frames: Frames = {
            "process": own.with_columns(
                pl.Series("t", row["t"]),
                pl.Series("host", row["host"]),
                pl.Series("session", row["session"]),
                pl.Series("program", row["program"]),
                pl.Series("level", row["level"]),
                pl.Series("label", row["label"]),
                pl.Series("chain", row["chain"]),
                pl.Series("pid", pid),
                pl.Series("sequence", sequence),
                pl.Series("parent_pid", all_pids[parent]),
                pl.Series("parent_sequence", np.concatenate([stand.sequence, sequence])[parent]),
                pl.Series(
                    "parent_program", np.concatenate([stand.program, row["program"]])[parent]
                ),
                pl.Series(
                    "parent_session", np.concatenate([stand.session, row["session"]])[parent]
                ),
                above["image"].alias("parent_image"),
                above["command"].alias("parent_command"),
                above["guid"].alias("parent_guid"),
            )
        }
        if keep is not None:
            self._register(growth, row, pid, sequence, own, keep, len(sessions))
        frames["end"] = _beside(frames["process"], column(growth.ends["process"])).with_columns(
            pl.Series("t", column(growth.ends["t"]))
        )
        for kind in SIDE_KINDS:
            frames[kind] = self._side(kind, growth, frames["process"], rows, texts, rng)
        frames["logon"] = pl.DataFrame(
            {name: column(parts) for name, parts in growth.logons.items()}
        ).with_columns(pl.Series("key", rng.integers(0, 1 << 62, _length(growth.logons))))
        return frames

    def forget(self, hosts: Ints) -> None:
        """Drop the standing processes of hosts that are switched off, and of all sessions."""
        stand = self.standings
        by_host = {name: rows.copy() for name, rows in stand.by_host.items()}
        for rows in by_host.values():
            rows[hosts] = -1
        used = np.unique(np.concatenate([np.zeros(1, np.int64), *by_host.values()]))
        used = used[used >= 0]
        new = np.full(len(stand.t) + 1, -1, np.int64)
        new[used] = np.arange(len(used))
        self.standings = Standings(
            stand.t[used],
            stand.host[used],
            stand.pid[used],
            stand.sequence[used],
            stand.program[used],
            stand.session[used],
            stand.texts[used],
            {name: new[rows] for name, rows in by_host.items()},
            {},
        )
        self.lsass_row = np.maximum(new[self.lsass_row], 0)

    def _ids(self, row: Mapping[str, Ints]) -> tuple[Ints, Ints]:
        """Process ids (multiples of 4) and sequence numbers, in the order of start on each host."""
        host = row["host"]
        sequence = self._sequence[host] + rank(host, row["t"])
        self._sequence += np.bincount(host, minlength=len(self._sequence))
        mix = host * 977
        pid = 4 * (1100 + (sequence * 4051 + mix) % _SHORT_LIVED_IDS)
        lives_on = np.flatnonzero(row["stay"] >= 0)
        stood = self._stood[host[lives_on]] + rank(host[lives_on], row["t"][lives_on])
        self._stood += np.bincount(host[lives_on], minlength=len(self._stood))
        pid[lives_on] = 4 * (24 + (stood * 37 + mix[lives_on]) % _STANDING_IDS)
        return pid, sequence

    def _image(self, program: Ints, session: Ints, texts: SessionTexts) -> pl.Series:
        path = self._images.gather(program)
        at_home = np.flatnonzero(self._in_home[program])
        if not len(at_home):
            return path
        full = joined([texts.home.gather(session[at_home]), path.gather(at_home)], len(at_home))
        return path.scatter(pl.Series(at_home), full)

    def _register(
        self,
        growth: Growth,
        row: Mapping[str, Ints],
        pid: Ints,
        sequence: Ints,
        own: pl.DataFrame,
        keep: str,
        sessions: int,
    ) -> None:
        stand = self.standings
        index = np.flatnonzero(row["stay"] >= 0)
        base = len(stand.t)
        numbers = base + np.arange(len(index))
        by_session = keep == "session"
        known = stand.by_session if by_session else stand.by_host
        size = sessions if by_session else len(self._world.hosts)
        place = row["session" if by_session else "host"][index]
        for code in np.unique(row["stay"][index]).tolist():
            name = growth.stays[code]
            earlier = known.get(name, np.zeros(0, np.int64))
            grown = np.full(size, -1, np.int64)
            grown[: len(earlier)] = earlier
            mine = row["stay"][index] == code
            grown[place[mine]] = numbers[mine]
            known[name] = grown
            if name == "lsass":
                self.lsass[place[mine]] = pid[index][mine]
                self.lsass_row[place[mine]] = numbers[mine]
        stand.t = np.concatenate([stand.t, row["t"][index]])
        stand.host = np.concatenate([stand.host, row["host"][index]])
        stand.pid = np.concatenate([stand.pid, pid[index]])
        stand.sequence = np.concatenate([stand.sequence, sequence[index]])
        stand.program = np.concatenate([stand.program, row["program"][index]])
        stand.session = np.concatenate([stand.session, row["session"][index]])
        stand.texts = pl.concat([stand.texts, own[index]])

    def _side(
        self,
        kind: str,
        growth: Growth,
        processes: pl.DataFrame,
        rows: Rows,
        texts: SessionTexts,
        rng: np.random.Generator,
    ) -> pl.DataFrame:
        parts = growth.sides.get(kind, {"t": [], "process": [], "entry": []})
        process, entry = column(parts["process"]), column(parts["entry"])
        templates = self._kind_templates[kind][entry]
        part = rows.take(process)
        columns = {
            _SIDE_COLUMNS[i]: self._renderer.render(templates[:, i], part, texts, self.lsass, rng)
            for i in range(SIDE_KINDS[kind])
        }
        frame = _beside(processes, process).with_columns(
            pl.Series("t", column(parts["t"])), **columns
        )
        if kind == "access":
            host = part.host
            frame = frame.with_columns(
                pl.Series("target_pid", self.lsass[host]),
                self.standings.texts["guid"].gather(self.lsass_row[host]).alias("target_guid"),
                self.standings.texts["image"].gather(self.lsass_row[host]).alias("target_image"),
            )
        return frame


_BESIDE = ("t", "host", "session", "program", "pid", "sequence", "image", "guid")


def _beside(processes: pl.DataFrame, index: Ints) -> pl.DataFrame:
    """What an event of a process tells of the process."""
    return processes.select(_BESIDE)[index]


def _length(table: Mapping[str, list[Ints]]) -> int:
    return sum(len(part) for part in table["t"])


def rank(group: Ints, value: Ints) -> Ints:
    """The position of each entry in its group, by value.

    >>> rank(np.array([7, 7, 3, 7]), np.array([30, 10, 5, 20])).tolist()
    [2, 0, 0, 1]
    """
    order = np.lexsort((value, group))
    ordered = group[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    starts = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    out = np.empty(len(order), np.int64)
    out[order] = np.arange(len(order)) - starts
    return out
