"""Alembic's scripts, which make the tables of a shared ledger, and change earlier ones."""
