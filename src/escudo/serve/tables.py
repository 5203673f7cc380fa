"""The tables of the server in the state, for SQLAlchemy; ``schedule.migrations`` makes them.

Times are epoch seconds. Secrets are kept as digests alone.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from escudo.schedule.tables import NUMBER

METADATA = MetaData()


USERS = Table(
    "users",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("password", Text),
    Column("roles", Text, nullable=False),
    Column("full_name", Text, nullable=False),
    Column("provider", String(40), nullable=False),
    Column("created", Double, nullable=False),
    Column("disabled", Double),
    Column("must_change", Integer, nullable=False),
)
"""Users. ``password`` is a hash of argon2, None for those whom another provider logs in; ``roles``
is a JSON list."""

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("user", String(200), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("created", Double, nullable=False),
    Column("seen", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("agent", Text, nullable=False),
    Index("ix_sessions_user", "user"),
)
"""Log-ins that are open; ``kind`` is ``web`` or ``rest``."""

TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("secret", Text),
    Column("owner", String(200), nullable=False),
    Column("settings", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("expires", Double),
    Column("used", Double),
    Column("disabled", Double),
    UniqueConstraint("kind", "name", name="uq_tokens_kind"),
)
"""Tokens of programs: ``api`` acts as its owner, ``hec`` sends events. ``settings`` is a JSON
object (roles; indexes, index, source, sourcetype, use_ack). ``secret`` is kept of HEC tokens alone,
which Splunk's REST shows to those who may administer."""

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("at", Double, nullable=False),
    Column("who", String(200), nullable=False),
    Column("address", String(80), nullable=False),
    Column("action", String(80), nullable=False),
    Column("target", Text, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_audit_at", "at"),
)
"""Who did what, when, from where, and whether it was let; ``detail`` is a JSON object."""

SAVED_SEARCHES = Table(
    "saved_searches",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("app", String(80), nullable=False),
    Column("name", String(400), nullable=False),
    Column("settings", Text, nullable=False),
    Column("changed", Double, nullable=False),
    UniqueConstraint("owner", "app", "name", name="uq_saved_searches_owner"),
)
"""Searches that somebody has kept; ``settings`` is a JSON object with the keys of
savedsearches.conf. The owner ``nobody`` shares with all."""

KV_ROWS = Table(
    "kv_rows",
    METADATA,
    Column("app", String(80), primary_key=True),
    Column("owner", String(200), primary_key=True),
    Column("collection", String(200), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("value", Text, nullable=False),
    Column("changed", Double, nullable=False),
)
"""Rows of collections of the KV store, each a JSON object."""

CONFIGURATION = Table(
    "configuration",
    METADATA,
    Column("kind", String(80), primary_key=True),
    Column("name", String(400), primary_key=True),
    Column("value", Text, nullable=False),
    Column("changed", Double, nullable=False),
)
"""Indexes, collections, stanzas of conf files, dashboards, saved views of pages and whatever else
is a name with settings (a JSON object)."""
