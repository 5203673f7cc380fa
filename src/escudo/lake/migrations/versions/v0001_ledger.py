"""Commits, the files that came in, marks, event ids."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lake",
        sa.Column("format", sa.Integer, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("next_event_id", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "commits",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("committed", sa.Double, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("versions", sa.Text, nullable=False),
    )
    op.create_table(
        "files",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("blake3", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("rejected", sa.BigInteger, nullable=False),
        sa.Column("commit_id", sa.BigInteger, sa.ForeignKey("commits.id"), nullable=False),
        sa.Column("ingested", sa.Double, nullable=False),
    )
    op.create_index("ix_files_size", "files", ["size"])
    op.create_table(
        "marks",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "dropped",
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("events", sa.BigInteger, nullable=False),
    )
