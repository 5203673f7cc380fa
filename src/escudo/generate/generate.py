"""A number of events, a seed, a format -> a log file and its answers; commands call it.

Memory is bounded by a slice of the day (about a quarter of a million events), not by the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from escudo.core.errors import EscudoError
from escudo.core.prefetch import prefetch
from escudo.core.timerange import iso_utc
from escudo.generate.activity.script import SCRIPTS
from escudo.generate.activity.write import ActivityLog
from escudo.generate.answers import Answer, Answers, ProcessAnswer
from escudo.generate.batch import Batches, Frames
from escudo.generate.catalog import ROLES, load_catalog
from escudo.generate.day import (
    BIN,
    BINS,
    DAY,
    Day,
    Load,
    campaigns,
    day_load,
    eligible,
    plan_day,
    sample,
    stay_names,
)
from escudo.generate.formats.base import Format, Tables, make_tables
from escudo.generate.formats.evtx_json import EVTX_JSON
from escudo.generate.formats.fdr import FDR
from escudo.generate.formats.xml import SECURITY, XML
from escudo.generate.grow import Growth, Instances
from escudo.generate.ids import target_process_id
from escudo.generate.render import Renderer
from escudo.generate.timeline import Block, Timeline
from escudo.generate.world import (
    Sessions,
    SessionTexts,
    World,
    make_world,
    service_sessions,
    session_texts,
)

FORMATS: Mapping[str, Format] = {f.name: f for f in (XML, EVTX_JSON, SECURITY, FDR)}
"""The formats that show the Windows estate, by name."""

FORMAT_NAMES = (*FORMATS, *SCRIPTS)
"""All formats."""

DEFAULT_START = datetime(2024, 5, 14, tzinfo=UTC)
"""A Tuesday, so that a week of work days comes first."""

MIN_EVENTS = 1_000
MAX_EVENTS = 1_000_000_000
_EVENTS_PER_HOST_DAY = 4_000
_MAX_HOSTS = 2_000
_MIN_HOSTS = 5
_SLICE_LINES = 120_000
_HOSTS_PER_CAMPAIGN = 150
_BLOCKS_AHEAD = 8
"""About a slice: while it is rendered, the next one is planned."""

Progress = Callable[[int, int], None]
"""Called with (events written, events in all) after each block."""


def default_hosts(events: int) -> int:
    """How many hosts a log of so many events comes from.

    >>> default_hosts(1_000_000)
    250
    """
    return int(np.clip(events // _EVENTS_PER_HOST_DAY, _MIN_HOSTS, _MAX_HOSTS))


def generate(
    events: int,
    seed: int,
    format: str,
    out: BinaryIO | Path,
    *,
    start: datetime = DEFAULT_START,
    hosts: int | None = None,
    attacks: bool = True,
    progress: Progress | None = None,
) -> Answers:
    """Write ``events`` lines of a simulated estate's logs and return what was planted.

    The activity depends on seed, events, start, hosts and attacks only: the formats show the same
    hours as different products see them. A format that records less of it (``4688``: processes
    and logons) covers a longer time with the same number of lines. Lines are in the order of the
    events' times; the same arguments give the same bytes.

    ``start`` is midnight where the estate is: people come to work about eight hours later.

    Raises EscudoError: GEN001 number of events, GEN002 format, GEN003 start without time zone.

    >>> import io
    >>> log = io.BytesIO()
    >>> answers = generate(2_000, 7, "xml", log)
    >>> log.getvalue().count(b"\\n"), answers.expected("Process Execution via WMI") >= 5
    (2000, True)
    """
    _check(events, format, start)
    people = hosts or default_hosts(events)
    if format in SCRIPTS:
        first = int(start.timestamp()) * 10**9
        log = ActivityLog(events, seed, format, start=first, people=people, attacks=attacks)
        with open(out, "wb") if isinstance(out, Path) else nullcontext(out) as stream:
            return log.write(stream, progress)
    run = _Run(events, seed, FORMATS[format], start, people, attacks)
    with open(out, "wb") if isinstance(out, Path) else nullcontext(out) as stream:
        return run.write(stream, progress)


def _check(events: int, format: str, start: datetime) -> None:
    least = 1 if format in SCRIPTS else MIN_EVENTS
    if not least <= events <= MAX_EVENTS:
        raise EscudoError(
            "GEN001",
            f"{events:,} events cannot be generated",
            hint=f"from {least:,} to {MAX_EVENTS:,}",
        )
    if format not in FORMAT_NAMES:
        known = ", ".join(FORMAT_NAMES)
        raise EscudoError("GEN002", f"unknown format {format!r}", hint=f"one of {known}")
    if start.tzinfo is None:
        raise EscudoError("GEN003", f"the start {start.isoformat()} has no time zone")


@dataclass(frozen=True, slots=True)
class _Planned:
    """A block of events that are not yet rendered, and the texts that it refers to."""

    block: Block
    tables: Tables


class _Run:
    """One log in the making: planned, rendered and written by a thread each."""

    def __init__(
        self, events: int, seed: int, format: Format, start: datetime, hosts: int, attacks: bool
    ) -> None:
        self.events, self.seed, self.format, self.attacks = events, seed, format, attacks
        self.start = int(start.timestamp()) * 10**9
        rng = np.random.default_rng((seed, events))
        self.catalog = load_catalog()
        self.world: World = make_world(self.catalog, max(hosts, _MIN_HOSTS), rng)
        self.sessions: Sessions = service_sessions(self.world, self.start, rng)
        images = pl.Series([format.escape(p.path) for p in self.catalog.programs])
        self.batches = Batches(self.world, Renderer(self.world, format.escape), images)
        self.stays = stay_names(self.catalog)
        self.by_role = {r: self.world.hosts.of_role(r) for r in ROLES}
        channels = {kind: channel for kind, (channel, _) in format.lines.items()}
        self.timeline = Timeline(channels, len(self.world.hosts), rng)
        self.constants: dict[str, pl.Series] = {}
        self.scale: float | None = None
        self.chains = 0
        self.left = events
        self.written = 0
        self.kinds: dict[str, int] = {}
        self.answers: list[Answer] = []
        self.last = self.start

    def write(self, stream: BinaryIO, progress: Progress | None) -> Answers:
        blocks = prefetch(self._plan(), _BLOCKS_AHEAD)
        rendered = ((planned, _render(self.format, planned)) for planned in blocks)
        for planned, text in prefetch(rendered, 1):
            stream.write(text)
            self._account(planned)
            if progress is not None:
                progress(self.written, self.events)
        return Answers(
            events=self.written,
            seed=self.seed,
            format=self.format.name,
            start=iso_utc(self.start / 1e9),
            end=iso_utc(self.last / 1e9),
            hosts=len(self.world.hosts),
            kinds=dict(sorted(self.kinds.items())),
            rows=tuple(self.answers),
        )

    def _plan(self) -> Iterator[_Planned]:
        """All blocks, day by day. What is planned later changes nothing that a block refers to."""
        for number in count():
            yield from self._day(number)
            if not self.left:
                return

    def _day(self, number: int) -> Iterator[_Planned]:
        """The blocks of a day, until there are no events left to plan."""
        rng = np.random.default_rng((self.seed, self.events, number))
        self.batches.forget(np.flatnonzero(self.world.owner >= 0))
        day = plan_day(self.world, self.sessions, self.start + number * DAY, number, rng)
        load = day_load(self.world, day)
        if self.scale is None:
            self.scale = self._fitting(load)
        expected = load.lines(self.scale)
        attack = self._plan_attacks(day, expected, rng)
        texts = session_texts(self.world, self.sessions, self.format.escape)
        tables = make_tables(self.world, self.sessions, texts, self.format.escape, self.constants)
        self._begin(day, attack, texts, rng)
        role = self.world.hosts.role
        plans = [
            (tree, eligible(tree, day, role), counts * self.scale)
            for tree, counts in zip(self.catalog.activities, load.per_activity, strict=True)
        ]
        for bins in _slices(expected):
            slice_rng = np.random.default_rng((self.seed, self.events, number, bins.start))
            growth = self._growth(slice_rng)
            for tree, contexts, rates in plans:
                growth.add(tree, sample(tree, contexts, rates, day, bins, slice_rng))
            self._push(self.batches.finish(growth, self.sessions, texts, slice_rng))
            for block in self.timeline.pop(day.start + bins.stop * BIN, self.left):
                self.left -= len(block.order)
                yield _Planned(block, tables)
            if not self.left:
                return

    def _fitting(self, load: Load) -> float:
        """How busy people and machines are, so that the events fill their days."""
        days = max(1.0, self.events / (_EVENTS_PER_HOST_DAY * len(self.world.hosts)))
        fixed = load.fixed.sum()
        # A little more than asked for, so that the last line is close to midnight.
        wanted = 1.005 * self.events / days - fixed
        return max(0.01, float(wanted / (load.lines(1).sum() - fixed)))

    def _begin(
        self, day: Day, attack: Instances | None, texts: SessionTexts, rng: np.random.Generator
    ) -> None:
        """Boots and logons, whose processes are the parents of the day's activities; attacks."""
        boot = self._growth(rng)
        boot.add(self.catalog.boot, day.boots)
        self._push(self.batches.finish(boot, self.sessions, texts, rng, keep="host"))
        logon = self._growth(rng)
        logon.add(self.catalog.logon, day.logons)
        host, session = day.logons.places["self"]
        logon.log_on(day.logons.t, host, session, host)
        self._push(self.batches.finish(logon, self.sessions, texts, rng, keep="session"))
        if attack is not None:
            planted = self._growth(rng)
            planted.add(self.catalog.campaign, attack)
            self._push(self.batches.finish(planted, self.sessions, texts, rng))

    def _plan_attacks(
        self,
        day: Day,
        expected: np.ndarray[tuple[int], np.dtype[np.float64]],
        rng: np.random.Generator,
    ) -> Instances | None:
        if not self.attacks:
            return None
        count = max(1, len(self.world.hosts) // _HOSTS_PER_CAMPAIGN)
        share = np.cumsum(expected) / expected.sum()
        low = max(int(np.searchsorted(share, 0.35)), 126)
        high = max(low + 1, int(np.searchsorted(share, 0.6)))
        window = (day.start + low * BIN, day.start + high * BIN)
        attack = campaigns(self.world, self.sessions, day, count, window, rng)
        attack.chain[:] += self.chains
        self.chains += count
        return attack

    def _growth(self, rng: np.random.Generator) -> Growth:
        return Growth(
            self.catalog,
            self.batches.standings.find(),
            rng,
            self.stays,
            self.by_role,
            self.world.hosts.role,
        )

    def _push(self, frames: Frames) -> None:
        if "audit" in self.format.lines:
            process = frames["process"]
            if not self.format.audit_all:
                audited = self.world.hosts.audited[process["host"].to_numpy()]
                process = process.filter(pl.Series(audited))
            frames["audit"] = process.with_columns(pl.col("t") + 400_000)
        self.timeline.push(frames)

    def _account(self, planned: _Planned) -> None:
        block, tables = planned.block, planned.tables
        for kind, frame in block.frames.items():
            if len(frame):
                self.kinds[kind] = self.kinds.get(kind, 0) + len(frame)
                self.last = max(self.last, int(frame["t"][-1]))
        self.written += len(block.order)
        for kind in ("process", "audit"):
            if kind in block.frames and (kind == "process") != self.format.audit_all:
                self._note(block.frames[kind], tables)

    def _note(self, frame: pl.DataFrame, tables: Tables) -> None:
        """Answers for the labelled processes of a block."""
        labelled = frame.filter(pl.col("label") >= 0)
        hosts, programs = self.world.hosts, self.catalog.programs
        unescape = self.format.unescape
        twice = {"process", "audit"} <= self.format.lines.keys()
        for row in labelled.iter_rows(named=True):
            label = self.catalog.labels[row["label"]]
            kind = "attack" if label.attack else ("benign" if label.expect else "excluded")
            parent = row["parent_program"]
            self.answers.append(
                ProcessAnswer(
                    kind=kind,
                    label=label.text,
                    technique=label.technique,
                    expect=label.expect,
                    campaign=row["chain"] if label.attack else None,
                    logged=1 + (twice and bool(hosts.audited[row["host"]])),
                    time=iso_utc(row["t"] / 1e9),
                    host=hosts.fqdn[row["host"]],
                    aid=hosts.aid[row["host"]],
                    user=unescape(tables.session.qualified[row["session"]]),
                    process_guid="{" + row["guid"] + "}",
                    process_id=row["pid"],
                    target_process_id=target_process_id(row["sequence"]),
                    process_name=programs[row["program"]].base_name,
                    parent_process_id=row["parent_pid"],
                    parent_process_name=programs[parent].base_name if parent >= 0 else "-",
                    process=unescape(row["command"]),
                )
            )


def _render(format: Format, planned: _Planned) -> memoryview:
    """The lines of a block, in order."""
    block = planned.block
    lines = [
        format.lines[kind][1](planned.tables, frame, block.records[kind])
        for kind, frame in block.frames.items()
        if len(frame)
    ]
    text = pl.concat(lines).gather(block.order)
    array = text.to_arrow(compat_level=pl.CompatLevel.oldest())
    return memoryview(array.buffers()[2])


def _slices(expected: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[range]:
    """The day's five-minute bins in runs of about ``_SLICE_LINES`` lines."""
    out: list[range] = []
    first, lines = 0, 0.0
    for i in range(BINS):
        lines += expected[i]
        if lines >= _SLICE_LINES or i == BINS - 1:
            out.append(range(first, i + 1))
            first, lines = i + 1, 0.0
    return out
