"""Alembic's scripts, which make the tables of a state, and change those of earlier versions."""
