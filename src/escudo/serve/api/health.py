"""Whether the server answers, and which version; load balancers and systemd ask it."""

from __future__ import annotations

from fastapi import APIRouter, Request

from escudo import __version__
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server

router = APIRouter(prefix="/api", tags=["health"])


@router.get("/health")
@asks(Permission.ANYBODY)
def read_health(request: Request) -> dict[str, str]:
    """Answers once the lake and the state can be read."""
    server: Server = request.app.state.server
    server.lake.ledger.head()
    with server.state.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    return {"status": "ok", "version": __version__}
