"""The audit log, for administrators, in JSON."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server

router = APIRouter(prefix="/api", tags=["administration"])


class AuditView(BaseModel):
    """One act. ``id`` counts up; ``at`` is in epoch seconds; ``outcome`` is ``done`` or
    ``refused``."""

    id: int
    at: float
    who: str
    address: str
    action: str
    target: str
    outcome: str
    detail: dict[str, Any]


@router.get("/audit")
@asks(Permission.ADMINISTER)
def list_audit(
    request: Request,
    most: Annotated[int, Query(ge=1, le=10_000)] = 200,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    who: Annotated[str | None, Query(max_length=200)] = None,
    action: Annotated[str | None, Query(max_length=80)] = None,
) -> list[AuditView]:
    """The newest acts first; ``before`` is the ``id`` that the page before ended with."""
    server: Server = request.app.state.server
    entries = server.accounts.audit.list(most=most, before=before, who=who, action=action)
    return [
        AuditView(
            id=entry.id,
            at=entry.at,
            who=entry.who,
            address=entry.address,
            action=entry.action,
            target=entry.target,
            outcome=entry.outcome,
            detail=dict(entry.detail),
        )
        for entry in entries
    ]
