"""What the server and its search processes tell each other; both import it, nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path

from escudo.actions.live_search import Rights
from escudo.actions.triage import Evidence, OpenedFinding
from escudo.content.knowledge import ContentKnowledge
from escudo.core.catalog import Macro
from escudo.core.errors import Diagnostic
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.lake.place import LakePlace
from escudo.lake.tables import Tables
from escudo.serve.searches.results import Part


@dataclass(frozen=True, kw_only=True)
class WorkerPlan:
    """What a process is made of. ``prepare`` is called first, by who starts a process."""

    lake: LakePlace
    tables: Tables
    knowledge: ContentKnowledge
    prepare: Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Order:
    """A search to run; ``most`` rows at most, ``memory`` as DuckDB writes it.

    ``indexes`` are the only ones whose rows it sees; ``saved`` and ``jobs`` (files of rows) are
    what it may name of the user's; ``collections`` are CSV files of the KV store, ``tuned`` macros
    that are other ones than the plan's. With ``buckets``
    its events are counted, and nothing else is done; with ``opened`` what is behind that finding is
    found instead.
    """

    sid: str
    search: str
    now: float
    most: int
    memory: str
    folder: Path
    indexes: tuple[str, ...]
    rights: Rights
    within: TimeRange = ALL_TIME
    zone: tzinfo = UTC
    saved: Mapping[str, str] = field(default_factory=dict)
    jobs: Mapping[str, Sequence[Part]] = field(default_factory=dict)
    collections: Mapping[str, Path] = field(default_factory=dict)
    tuned: Sequence[Macro] = ()
    buckets: int | None = None
    opened: OpenedFinding | None = None
    brief: bool = True


@dataclass(frozen=True, slots=True)
class Begun:
    """The search has been understood: its warnings, what it has written, whether its rows are its
    events."""

    diagnostics: tuple[Diagnostic, ...]
    changes: tuple[str, ...]
    by_event: bool


@dataclass(frozen=True, slots=True)
class Advanced:
    """A file of rows is whole; ``part`` is None where there is none, just ``done`` of the work.
    ``anew``: it is in place of all before it."""

    part: Part | None
    fields: tuple[str, ...]
    done: float
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """The events by time: ``span`` in seconds, pairs of a bucket's first second and its count."""

    span: int
    buckets: tuple[tuple[float, int], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What is behind a finding."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Ended:
    """The search has run; ``cut``: it had more rows than it was to give."""

    cut: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """The search could not be run."""

    diagnostic: Diagnostic


Message = Begun | Advanced | Counted | Found | Ended | Failed
