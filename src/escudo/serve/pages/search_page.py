"""The page of searches: an editor and what it finds. It is an island, which calls the API."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from escudo.serve.accounts.principal import Principal
from escudo.serve.pages.rendering import render
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server

router = APIRouter(include_in_schema=False)


@router.get("/search")
@asks(Permission.SEARCH)
def show_search(request: Request) -> Response:
    """The page. ``?q=SEARCH&earliest=&latest=`` runs that search; the island reads it."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    props = {"zone": str(server.settings.zone), "mayShare": who.may(Permission.TUNE)}
    return render(request, "search.html", props=props)
