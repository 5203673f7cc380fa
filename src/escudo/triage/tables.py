"""The tables of triage in the state, for SQLAlchemy; ``schedule.migrations`` makes them.

Times are epoch seconds. A finding is named by its ``event_hash``, the same whichever run found it.
"""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, MetaData, String, Table, Text

from escudo.schedule.tables import NUMBER

METADATA = MetaData()


FINDING_STATES = Table(
    "finding_states",
    METADATA,
    Column("event_hash", String(64), primary_key=True),
    Column("status", String(40), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("urgency", String(20)),
    Column("disposition", String(60), nullable=False),
    Column("changed", Double, nullable=False),
    Column("revision", Integer, nullable=False),
    Index("ix_finding_states_status", "status"),
)
"""What a finding has become; a finding without a row is new. ``revision`` counts the changes, so
that nobody overwrites what he has not seen."""

FINDING_CHANGES = Table(
    "finding_changes",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("event_hash", String(64), nullable=False),
    Column("at", Double, nullable=False),
    Column("who", String(200), nullable=False),
    Column("changes", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Index("ix_finding_changes_event_hash", "event_hash", "at"),
)
"""The history of findings: who changed what (a JSON object: field -> [before, after]), and why."""
