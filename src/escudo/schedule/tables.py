"""The tables of a schedule's state, for SQLAlchemy; ``migrations`` make them in a database.

Times are epoch seconds.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""The type of numbers of rows: SQLite counts only an INTEGER up by itself."""

READY, RUNNING, DONE, FAILED = "ready", "running", "done", "failed"
"""The states of a window: ``ready`` waits for a worker, ``failed`` ran and its search did not."""

SEARCHES = Table(
    "searches",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("identity", String(200), nullable=False),
    Column("version", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("cron", Text, nullable=False),
    Column("earliest", Text, nullable=False),
    Column("latest", Text, nullable=False),
    Column("first_seen", Double, nullable=False),
    Column("planned_to", Double, nullable=False),
    Column("retired", Double),
    UniqueConstraint("identity", "version", name="uq_searches_identity"),
)
"""A version of a detection or baseline. Its windows are there, or its gaps, for all times at which
it was due up to ``planned_to``; ``retired`` is when the content had it no longer."""

WINDOWS = Table(
    "windows",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("search_id", Integer, ForeignKey("searches.id"), nullable=False),
    Column("due", Double, nullable=False),
    Column("stage", Integer, nullable=False),
    Column("earliest", Double),
    Column("latest", Double),
    Column("state", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("runs", Integer, nullable=False),
    Column("stale", Integer, nullable=False),
    Column("worker", String(80)),
    Column("lease", Double),
    Column("ran", Double),
    Column("commit_id", NUMBER),
    Column("rows", Integer, nullable=False),
    Column("risk_events", Integer, nullable=False),
    Column("findings", Integer, nullable=False),
    Column("throttled", Integer, nullable=False),
    Column("suppressed", Integer, nullable=False),
    Column("code", String(10)),
    Column("error", Text),
    Column("seconds", Double),
    UniqueConstraint("search_id", "due", name="uq_windows_search_id"),
    Index("ix_windows_state", "state", "due", "stage"),
    Index("ix_windows_latest", "latest"),
)
"""One window of a search: what it looks at, and what became of it. ``reason`` is why it is open
again, ``stale`` whether data came for it while it ran, ``commit_id`` the lake that it saw,
``seconds`` how long its search took last."""

GAPS = Table(
    "gaps",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("search_id", Integer, ForeignKey("searches.id"), nullable=False),
    Column("first_due", Double, nullable=False),
    Column("last_due", Double, nullable=False),
    Column("windows", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("noticed", Double, nullable=False),
    Index("ix_gaps_search_id", "search_id", "first_due"),
)
"""Windows of a search that were not run: those due from ``first_due`` to ``last_due``."""

THROTTLES = Table(
    "throttles",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("search_id", Integer, ForeignKey("searches.id"), nullable=False),
    Column("key", String(64), nullable=False),
    Column("event_hash", String(64), nullable=False),
    Column("since", Double, nullable=False),
    Column("until", Double, nullable=False),
    UniqueConstraint("search_id", "event_hash", name="uq_throttles_search_id"),
    Index("ix_throttles_key", "search_id", "key"),
)
"""A row that was found, and how long no other one of the same ``key`` is."""

SUPPRESSIONS = Table(
    "suppressions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("detection", Text, nullable=False),
    Column("fields", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("expires", Double),
)
"""Findings that nobody wants to see; an empty ``detection`` is any, ``fields`` a JSON object."""

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("event_hash", String(64), nullable=False, unique=True),
    Column("payload", Text),
    Column("found", Double, nullable=False),
)
"""Findings in the order in which they are sent; the payload goes when all sinks have it."""

SINKS = Table(
    "sinks",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("sent_to", NUMBER, nullable=False),
    Column("worker", String(80)),
    Column("lease", Double),
    Column("failures", Integer, nullable=False),
    Column("retry", Double),
    Column("error", Text),
)
"""How far each sink is in the outbox."""

WORKERS = Table(
    "workers",
    METADATA,
    Column("token", String(80), primary_key=True),
    Column("began", Double, nullable=False),
    Column("seen", Double, nullable=False),
)
"""Those who work; ``seen`` is when each said so last."""

NOTES = Table(
    "notes",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)
"""Single values, such as the last commit of the lake that was looked at for late data."""
