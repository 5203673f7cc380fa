"""A request -> the address it comes from, for the audit log and the counting of failures."""

from __future__ import annotations

from starlette.requests import HTTPConnection


def find_address(connection: HTTPConnection) -> str:
    """Where a request comes from; behind a proxy that is trusted (``--proxy``), where that says it
    comes from."""
    return connection.client.host if connection.client is not None else ""
