"""A database, scripts of Alembic -> the database with its tables up to date; who keeps something in
a database of its own calls it."""

from __future__ import annotations

from importlib import import_module

import sqlalchemy as sa


def migrate(connection: sa.Connection, *, scripts: str, head: str, note: str) -> str | None:
    """Brings the tables up to date, in the caller's transaction.

    Args:
        connection: of the database; nobody else may migrate it at the same time.
        scripts: the package of the scripts (``escudo.schedule:migrations``).
        head: the version to come to.
        note: the table that has the version.

    Returns:
        The version that the tables have, if it is none of those that the scripts know; then
        nothing is changed. Else None.
    """
    current = _find_version(connection, note)
    if current == head:
        return None
    command = import_module("alembic.command")
    config = import_module("alembic.config").Config()
    config.set_main_option("script_location", scripts)
    config.attributes["connection"] = connection
    folder = import_module("alembic.script").ScriptDirectory.from_config(config)
    if current is not None and current not in {s.revision for s in folder.walk_revisions()}:
        return current
    command.upgrade(config, head)
    return None


def _find_version(connection: sa.Connection, note: str) -> str | None:
    if not sa.inspect(connection).has_table(note):
        return None
    query = sa.select(sa.column("version_num", sa.Text)).select_from(sa.table(note))
    told = connection.execute(query).scalar()
    return None if told is None else str(told)
