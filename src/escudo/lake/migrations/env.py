"""Alembic's entry: runs the scripts on the connection that ``lake.shared_ledger`` gives."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="ledger_version",
)
with context.begin_transaction():
    context.run_migrations()
