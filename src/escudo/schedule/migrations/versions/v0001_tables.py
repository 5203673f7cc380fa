"""Searches, windows, gaps, throttles, suppressions, what is to be sent, workers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "searches",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("identity", sa.String(200), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("cron", sa.Text, nullable=False),
        sa.Column("earliest", sa.Text, nullable=False),
        sa.Column("latest", sa.Text, nullable=False),
        sa.Column("first_seen", sa.Double, nullable=False),
        sa.Column("planned_to", sa.Double, nullable=False),
        sa.Column("retired", sa.Double),
        sa.UniqueConstraint("identity", "version", name="uq_searches_identity"),
    )
    op.create_table(
        "windows",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("search_id", sa.Integer, sa.ForeignKey("searches.id"), nullable=False),
        sa.Column("due", sa.Double, nullable=False),
        sa.Column("stage", sa.Integer, nullable=False),
        sa.Column("earliest", sa.Double),
        sa.Column("latest", sa.Double),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("runs", sa.Integer, nullable=False),
        sa.Column("stale", sa.Integer, nullable=False),
        sa.Column("worker", sa.String(80)),
        sa.Column("lease", sa.Double),
        sa.Column("ran", sa.Double),
        sa.Column("commit_id", _NUMBER),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("risk_events", sa.Integer, nullable=False),
        sa.Column("findings", sa.Integer, nullable=False),
        sa.Column("throttled", sa.Integer, nullable=False),
        sa.Column("suppressed", sa.Integer, nullable=False),
        sa.Column("code", sa.String(10)),
        sa.Column("error", sa.Text),
        sa.UniqueConstraint("search_id", "due", name="uq_windows_search_id"),
    )
    op.create_index("ix_windows_state", "windows", ["state", "due", "stage"])
    op.create_index("ix_windows_latest", "windows", ["latest"])
    op.create_table(
        "gaps",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("search_id", sa.Integer, sa.ForeignKey("searches.id"), nullable=False),
        sa.Column("first_due", sa.Double, nullable=False),
        sa.Column("last_due", sa.Double, nullable=False),
        sa.Column("windows", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("noticed", sa.Double, nullable=False),
    )
    op.create_index("ix_gaps_search_id", "gaps", ["search_id", "first_due"])
    op.create_table(
        "throttles",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("search_id", sa.Integer, sa.ForeignKey("searches.id"), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("event_hash", sa.String(64), nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.UniqueConstraint("search_id", "event_hash", name="uq_throttles_search_id"),
    )
    op.create_index("ix_throttles_key", "throttles", ["search_id", "key"])
    op.create_table(
        "suppressions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("detection", sa.Text, nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double),
    )
    op.create_table(
        "outbox",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("event_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("payload", sa.Text),
        sa.Column("found", sa.Double, nullable=False),
    )
    op.create_table(
        "sinks",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("sent_to", _NUMBER, nullable=False),
        sa.Column("worker", sa.String(80)),
        sa.Column("lease", sa.Double),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("retry", sa.Double),
        sa.Column("error", sa.Text),
    )
    op.create_table(
        "workers",
        sa.Column("token", sa.String(80), primary_key=True),
        sa.Column("began", sa.Double, nullable=False),
        sa.Column("seen", sa.Double, nullable=False),
    )
    op.create_table(
        "notes",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
