"""A number of events, a seed, a script -> a log file and its answers; ``generate`` calls it.

Memory is bounded by a slice of the day (some 20,000 lines), not by the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

import numpy as np
import polars as pl

from escudo.core.prefetch import prefetch
from escudo.core.timerange import iso_utc
from escudo.generate.activity.attacks import Planted, fitting_steps, plan_attacks
from escudo.generate.activity.drawn_tables import make_tables
from escudo.generate.activity.groups import Groups
from escudo.generate.activity.hours import BIN, DAY
from escudo.generate.activity.plan import Slice, plan_groups, plan_slices
from escudo.generate.activity.script import load_script
from escudo.generate.answers import Answers, EventAnswer
from escudo.generate.batch import rank
from escudo.generate.catalog import load_catalog
from escudo.generate.columns import Ints
from escudo.generate.formats.evtx_json import unescape_json

_EVENTS_PER_PERSON_DAY = 4_000
_PEOPLE_PER_CAMPAIGN = 150
_SLICES_AHEAD = 1

Progress = Callable[[int, int], None]
"""Called with (events written, events in all) after each slice."""


class ActivityLog:
    """One log in the making; a thread makes the next slice while one is written."""

    def __init__(
        self, events: int, seed: int, format: str, *, start: int, people: int, attacks: bool
    ) -> None:
        self._events, self._seed, self._people = events, seed, people
        self._start = start
        self._script = load_script(format)
        rng = np.random.default_rng((seed, people))
        self._tables = make_tables(self._script, load_catalog().names, people, rng)
        self._days = max(1, round(events / (_EVENTS_PER_PERSON_DAY * people)))
        self._end = start + self._days * DAY
        steps = self._script.steps if attacks else ()
        self._steps = fitting_steps(steps, events // (self._days * self._campaigns))
        self._kinds: dict[str, int] = {}
        self._serial: Ints | None = None
        if self._script.serial is not None:
            self._serial = rng.integers(1_000, 900_000, len(self._tables[self._script.serial]))
        self._later: tuple[Ints, pl.Series] = (
            np.zeros(0, np.int64),
            pl.Series([], dtype=pl.String),
        )
        """Lines of a slice that are written in a later one, with their times."""
        self._last = start
        self._rows: list[EventAnswer] = []

    @property
    def _campaigns(self) -> int:
        """Intrusions a day."""
        return max(1, self._people // _PEOPLE_PER_CAMPAIGN)

    def write(self, stream: BinaryIO, progress: Progress | None) -> Answers:
        """All lines, in the order of their times."""
        written = 0
        for text in prefetch(self._blocks(), _SLICES_AHEAD):
            stream.write(_bytes(text))
            written += len(text)
            if progress is not None:
                progress(written, self._events)
        return Answers(
            events=written,
            seed=self._seed,
            format=self._script.name,
            start=iso_utc(self._start / 1e9),
            end=iso_utc(self._last / 1e9),
            hosts=self._people,
            kinds=dict(sorted(self._kinds.items())),
            rows=tuple(sorted(self._rows, key=lambda row: row.time)),
        )

    def _blocks(self) -> Iterator[pl.Series]:
        """The lines of each slice of the days."""
        intrusions = self._days * self._campaigns
        planted = intrusions * sum(step.lines for step in self._steps)
        lines = self._events - planted
        waiting: list[Planted] = []
        day = -1
        for part in plan_slices(self._script.kinds, lines, self._start, self._days):
            if part.day != day:
                day = part.day
                waiting = self._attacks(day)
            now = [attack for attack in waiting if attack.groups.start[0] < part.end]
            waiting = waiting[len(now) :]
            yield self._block(part, now)

    def _attacks(self, day: int) -> list[Planted]:
        """The steps of a day's intrusions, the first ones first."""
        first = day * self._campaigns
        planted = plan_attacks(
            self._script,
            self._steps,
            self._tables,
            day_start=self._start + day * DAY,
            campaigns=range(first, first + self._campaigns),
            rng=np.random.default_rng((self._seed, self._events, day)),
        )
        return sorted(planted, key=lambda attack: int(attack.groups.start[0]))

    def _block(self, part: Slice, attacks: Sequence[Planted]) -> pl.Series:
        """The lines that are written in a slice; later ones are kept for the next."""
        number = (part.start - self._start) // BIN
        rng = np.random.default_rng((self._seed, self._events, part.day, number))
        kinds = self._script.kinds
        begins = plan_groups(part, kinds, rng)
        groups = [
            Groups(begin, kind.events, self._tables, rng)
            for kind, begin in zip(kinds, begins, strict=True)
        ]
        self._number([*groups, *(attack.groups for attack in attacks)])
        made = [self._later]
        for kind, of_kind in zip(kinds, groups, strict=True):
            if len(of_kind):
                made.append(of_kind.lines(self._end))
                self._count(kind.name, len(made[-1][0]))
        for attack in attacks:
            made.append(attack.groups.lines(self._end))
            self._count("attack", len(made[-1][0]))
            self._rows.append(self._answer(attack, *made[-1]))
        return self._until(part.end, made)

    def _number(self, groups: Sequence[Groups]) -> None:
        """Give each group the next number of its host, in the order of time."""
        table = self._script.serial
        if table is None or self._serial is None:
            return
        host = np.concatenate([of_kind.rows(table) for of_kind in groups])
        start = np.concatenate([of_kind.start for of_kind in groups])
        number = self._serial[host] + rank(host, start)
        self._serial += np.bincount(host, minlength=len(self._serial))
        at = 0
        for of_kind in groups:
            of_kind.number(number[at : at + len(of_kind)])
            at += len(of_kind)

    def _until(self, end: int, made: Sequence[tuple[Ints, pl.Series]]) -> pl.Series:
        times = np.concatenate([t for t, _ in made])
        texts = pl.concat([text for _, text in made])
        order = np.argsort(times, kind="stable")
        ready = int(np.searchsorted(times[order], end))
        self._later = times[order[ready:]], texts.gather(order[ready:])
        if ready:
            self._last = int(times[order[ready - 1]])
        return texts.gather(order[:ready])

    def _count(self, kind: str, lines: int) -> None:
        self._kinds[kind] = self._kinds.get(kind, 0) + lines

    def _answer(self, attack: Planted, times: Ints, lines: pl.Series) -> EventAnswer:
        step, groups = attack.step, attack.groups
        unescape = unescape_json if self._script.json else str
        order = np.argsort(times, kind="stable")
        return EventAnswer(
            kind="attack",
            label=step.label,
            technique=step.technique,
            expect=step.expect,
            campaign=attack.campaign,
            logged=len(lines),
            time=iso_utc(int(times.min()) / 1e9),
            host=unescape(groups.render(self._script.host, groups.start)[0]),
            user=unescape(groups.render(self._script.user, groups.start)[0]),
            src=unescape(groups.render(step.src, groups.start)[0]),
            lines=tuple(line.removesuffix("\n") for line in lines.gather(order)),
        )


def _bytes(text: pl.Series) -> memoryview:
    """The texts one after the other."""
    array = text.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    return memoryview(array.buffers()[2] or b"")
