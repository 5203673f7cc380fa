"""Triage of findings; users, sessions, tokens, audit, saved searches, collections."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("windows", sa.Column("seconds", sa.Double))
    _make_triage()
    _make_accounts()
    _make_searches()


def _make_triage() -> None:
    op.create_table(
        "finding_states",
        sa.Column("event_hash", sa.String(64), primary_key=True),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("urgency", sa.String(20)),
        sa.Column("disposition", sa.String(60), nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    op.create_index("ix_finding_states_status", "finding_states", ["status"])
    op.create_table(
        "finding_changes",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("event_hash", sa.String(64), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("changes", sa.Text, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
    )
    op.create_index("ix_finding_changes_event_hash", "finding_changes", ["event_hash", "at"])


def _make_accounts() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("password", sa.Text),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("full_name", sa.Text, nullable=False),
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("disabled", sa.Double),
        sa.Column("must_change", sa.Integer, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("user", sa.String(200), nullable=False),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("seen", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
    )
    op.create_index("ix_sessions_user", "sessions", ["user"])
    op.create_table(
        "tokens",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("secret", sa.Text),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double),
        sa.Column("used", sa.Double),
        sa.Column("disabled", sa.Double),
        sa.UniqueConstraint("kind", "name", name="uq_tokens_kind"),
    )
    op.create_table(
        "audit",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("address", sa.String(80), nullable=False),
        sa.Column("action", sa.String(80), nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("ix_audit_at", "audit", ["at"])


def _make_searches() -> None:
    op.create_table(
        "saved_searches",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("app", sa.String(80), nullable=False),
        sa.Column("name", sa.String(400), nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
        sa.UniqueConstraint("owner", "app", "name", name="uq_saved_searches_owner"),
    )
    op.create_table(
        "kv_rows",
        sa.Column("app", sa.String(80), primary_key=True),
        sa.Column("owner", sa.String(200), primary_key=True),
        sa.Column("collection", sa.String(200), primary_key=True),
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
    )
    op.create_table(
        "configuration",
        sa.Column("kind", sa.String(80), primary_key=True),
        sa.Column("name", sa.String(400), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
    )
