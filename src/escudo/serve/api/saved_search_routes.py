"""Searches that a user keeps under a name."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from escudo.core.errors import EscudoError
from escudo.serve.accounts.principal import Principal
from escudo.serve.permissions import Permission, asks
from escudo.serve.saved_searches import NOBODY, SavedSearch
from escudo.serve.server import Server

router = APIRouter(prefix="/api/saved-searches", tags=["saved searches"])


class KeptSearch(BaseModel):
    """``earliest`` and ``latest`` are time modifiers; ``shared``: everybody sees it."""

    name: str = Field(min_length=1, max_length=400)
    search: str = Field(min_length=1, max_length=100_000)
    earliest: str = Field("", max_length=100)
    latest: str = Field("", max_length=100)
    description: str = Field("", max_length=10_000)
    shared: bool = False


class KeptSearchRow(KeptSearch):
    """``mine``: this user may change it."""

    owner: str
    changed: float
    mine: bool


@router.get("")
@asks(Permission.SEARCH)
def list_saved_searches(request: Request) -> list[KeptSearchRow]:
    """The user's own and the shared ones, by name."""
    server, who = _find(request)
    return [_describe(saved, who) for saved in server.saved_searches.list(who.name)]


@router.post("", status_code=201)
@asks(Permission.SEARCH)
def save_search(request: Request, kept: KeptSearch) -> KeptSearchRow:
    """Keeps a search; the user's own of the same name is replaced. To share one, or to replace a
    shared one, takes the right to tune."""
    server, who = _find(request)
    if kept.shared and not who.may(Permission.TUNE):
        raise EscudoError("SRV040", "to share a search takes the right to tune")
    settings = {
        "search": kept.search,
        "dispatch.earliest_time": kept.earliest,
        "dispatch.latest_time": kept.latest,
        "description": kept.description,
    }
    owner = NOBODY if kept.shared else who.name
    return _describe(server.saved_searches.put(owner, kept.name, settings), who)


@router.delete("/{name:path}", status_code=204)
@asks(Permission.SEARCH)
def remove_saved_search(request: Request, name: str) -> Response:
    """Forgets a search."""
    server, who = _find(request)
    saved = server.saved_searches.find(who.name, name)
    if not _may_change(saved, who):
        raise EscudoError("SRV040", "to change a shared search takes the right to tune")
    server.saved_searches.remove(saved)
    return Response(status_code=204)


def _may_change(saved: SavedSearch, who: Principal) -> bool:
    return saved.owner == who.name or who.may(Permission.TUNE)


def _describe(saved: SavedSearch, who: Principal) -> KeptSearchRow:
    return KeptSearchRow(
        name=saved.name,
        search=saved.search,
        earliest=saved.settings.get("dispatch.earliest_time", ""),
        latest=saved.settings.get("dispatch.latest_time", ""),
        description=saved.settings.get("description", ""),
        shared=saved.owner == NOBODY,
        owner=saved.owner,
        changed=saved.changed,
        mine=_may_change(saved, who),
    )


def _find(request: Request) -> tuple[Server, Principal]:
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    return server, who
