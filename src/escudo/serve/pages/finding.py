"""A finding: what was found and why, what is around it, what people have made of it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from escudo.actions.triage import open_finding
from escudo.findings.attack import find_techniques
from escudo.serve.accounts.principal import Principal
from escudo.serve.finding_searches import look_for_evidence, run_drilldown
from escudo.serve.pages.finding_queue import list_owners
from escudo.serve.pages.rendering import render
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server
from escudo.triage.values import DISPOSITIONS, STATUSES, URGENCIES

router = APIRouter(include_in_schema=False)

_SHOWN_ROWS = 100


@router.get("/findings/{finding}")
@asks(Permission.READ)
def show_finding(request: Request, finding: str) -> Response:
    """A finding. What takes a search is fetched when the page is there."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    opened = open_finding(
        server.make_workspace_of(request.scope["principal"]), server.triage, finding
    )
    techniques, unknown = find_techniques(opened.finding.techniques)
    return render(
        request,
        "finding.html",
        opened=opened,
        finding=opened.finding,
        detection=opened.detection,
        techniques=techniques,
        unknown=unknown,
        owners=list_owners(server, who),
        statuses=STATUSES,
        urgencies=tuple(reversed(URGENCIES)),
        dispositions=DISPOSITIONS,
    )


@router.get("/findings/{finding}/evidence")
@asks(Permission.SEARCH)
def show_evidence(request: Request, finding: str) -> Response:
    """The events behind a finding, the processes around them, the conditions they meet; a part of
    the page."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    opened = open_finding(server.make_workspace_of(who), server.triage, finding)
    evidence = look_for_evidence(server, who, opened)
    return render(request, "finding_evidence.html", evidence=evidence, finding=opened.finding)


@router.get("/findings/{finding}/drilldowns/{number}")
@asks(Permission.SEARCH)
def show_drilldown(request: Request, finding: str, number: int) -> Response:
    """The rows of a drilldown; a part of the page."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    opened = open_finding(server.make_workspace_of(who), server.triage, finding)
    rows = run_drilldown(server, who, opened, number, most=_SHOWN_ROWS)
    return render(request, "finding_drilldown.html", rows=rows, drilldown=opened.drilldowns[number])
