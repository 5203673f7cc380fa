"""A search that a user has started: what was asked, how far it is, where its rows are; ``board``
changes it, pages and protocols read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from threading import Condition

from escudo.actions.triage import Evidence, OpenedFinding
from escudo.core.errors import Diagnostic
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.serve.accounts.principal import Principal
from escudo.serve.searches.results import Part

TTL_SECONDS = 600.0
"""How long a job is kept after it was asked for last, as in Splunk."""

LONGEST_TTL = 7 * 86_400.0
"""How long a job that was saved is kept after that."""


class JobState(StrEnum):
    """How far a job is. ``DONE`` is also one that was finalized: it has what was found so far."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """What is searched, as typed. ``earliest`` and ``latest`` are time modifiers, in force where
    the search has no times itself; ``limit`` is rows at most, where the role lets it.

    ``within`` goes before both, ``now`` (epoch seconds) before the time of the request: what
    relative times and ``now()`` count from. ``saved`` is the name of the saved search that this is
    a run of, ``app`` and ``label`` what Splunk's REST keeps with a job.
    """

    search: str
    earliest: str = ""
    latest: str = ""
    within: TimeRange | None = None
    now: float | None = None
    limit: int | None = None
    sid: str | None = None
    saved: str | None = None
    app: str = "search"
    label: str | None = None
    ttl: float = TTL_SECONDS
    seconds: float | None = None
    brief: bool = True
    """Whether the first page may come with some of its fields first."""
    held: bool = False
    """Whether the job is done only once whoever started it says so (``release``)."""


@dataclass(eq=False)
class Job:
    """Times are epoch seconds. ``parts`` are its files of rows, ``fields`` those of all of them in
    the order in which they came.

    ``opened`` is the finding that something is looked for behind, ``evidence`` what was found;
    other jobs have neither. ``events``: how many events it found; None while, or where, that is not
    known.
    """

    sid: str
    owner: Principal
    request: SearchRequest
    folder: Path
    created: float
    within: TimeRange = ALL_TIME
    buckets: int | None = None
    opened: OpenedFinding | None = None
    evidence: Evidence | None = None
    state: JobState = JobState.QUEUED
    started: float | None = None
    ended: float | None = None
    touched: float = 0.0
    ttl: float = TTL_SECONDS
    progress: float = 0.0
    parts: tuple[Part, ...] = ()
    fields: tuple[str, ...] = ()
    messages: list[Diagnostic] = field(default_factory=list)
    changes: tuple[str, ...] = ()
    by_event: bool = False
    cut: bool = False
    finalized: bool = False
    paused: bool = False
    held: bool = False
    span: int | None = None
    histogram: tuple[tuple[float, int], ...] = ()
    changed: Condition = field(default_factory=Condition)

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def events(self) -> int | None:
        return self.rows if self.by_event else None

    def count_seconds(self, now: float) -> float:
        if self.started is None:
            return 0.0
        return (now if self.ended is None else self.ended) - self.started

    def tell(self) -> None:
        """Wakes those who wait for it to change."""
        with self.changed:
            self.changed.notify_all()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until it has ended; whether it has."""
        with self.changed:
            return self.changed.wait_for(lambda: self.state.ended, timeout)

    def wait_run(self) -> None:
        """Waits until the search has run, also where the job is held."""
        with self.changed:
            self.changed.wait_for(lambda: self.state.ended or self.held)
