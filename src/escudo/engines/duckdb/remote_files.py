"""A lake's files elsewhere as a file system that DuckDB reads by; ``provide`` registers it.

No extension is downloaded: DuckDB takes any file system of fsspec. It is asked for nothing but to
open files that the lake has named, so it lists nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb
from fsspec import AbstractFileSystem

from escudo.core.errors import EscudoError
from escudo.storage import open_file
from escudo.storage.opening import find_scheme

_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""When a file was changed: they never are, so DuckDB keeps what it knows of them."""


class RemoteFiles(AbstractFileSystem):  # type: ignore[misc]
    """Files at URLs of one scheme, which can be opened and read."""

    cachable = False

    def __init__(self, scheme: str) -> None:
        super().__init__()
        self.protocol = scheme

    def open(self, path: str, mode: str = "rb", **_options: Any) -> Any:
        if mode != "rb" or ".." in path.split("/"):
            raise EscudoError("STO002", f"{path} is only read, and by its own name")
        return open_file(path)

    def info(self, path: str, **_options: Any) -> dict[str, Any]:
        return {"name": path, "size": self.open(path).size, "type": "file"}

    def glob(self, path: str, **_options: Any) -> list[str]:
        return [path]

    def exists(self, path: str, **_options: Any) -> bool:
        return True

    def isfile(self, path: str) -> bool:
        return True

    def modified(self, path: str) -> datetime:
        return _NEVER


def provide(connection: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> None:
    """Has a connection, and its cursors, read files at the URLs among some paths."""
    schemes = {scheme for path in paths[:1] if (scheme := find_scheme(path)) is not None}
    for scheme in schemes.difference(connection.list_filesystems()):
        connection.register_filesystem(RemoteFiles(scheme))
