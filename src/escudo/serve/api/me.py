"""Who is logged in, and what he may do."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel

from escudo.serve.accounts.principal import Principal
from escudo.serve.permissions import Permission, asks

router = APIRouter(prefix="/api", tags=["accounts"])


class Me(BaseModel):
    """``rights`` are names of permissions; ``must_change``: the password is to be changed first."""

    name: str
    roles: list[str]
    rights: list[str]
    must_change: bool


@router.get("/me")
@asks(Permission.KNOWN)
def read_me(request: Request) -> Me:
    """The user or token of this request."""
    who: Principal = request.scope["principal"]
    return Me(
        name=who.name,
        roles=list(who.roles),
        rights=[p.value for p in Permission if p is not Permission.ANYBODY and who.may(p)],
        must_change=who.must_change,
    )
