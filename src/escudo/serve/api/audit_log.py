"""The audit log, for administrators, in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request

from escudo.serve.accounts.audit import AuditEntry
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server

router = APIRouter(prefix="/api", tags=["administration"])


@router.get("/audit")
@asks(Permission.ADMINISTER)
def list_audit(
    request: Request,
    most: Annotated[int, Query(ge=1, le=10_000)] = 200,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    who: Annotated[str | None, Query(max_length=200)] = None,
    action: Annotated[str | None, Query(max_length=80)] = None,
) -> Sequence[AuditEntry]:
    """The newest acts first; ``before`` is the ``id`` that the page before ended with."""
    server: Server = request.app.state.server
    return server.accounts.audit.list(most=most, before=before, who=who, action=action)
