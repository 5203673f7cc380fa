"""The queue of findings: filters, saved views, changes of many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from escudo.actions.triage import edit_findings, open_queue
from escudo.core.errors import EscudoError
from escudo.findings.notable import SEVERITIES
from escudo.serve.accounts.principal import Principal
from escudo.serve.api.findings import EditIn, note_edit
from escudo.serve.pages.rendering import render
from escudo.serve.pages.views import SavedView, keep_view, list_views, remove_view
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server
from escudo.triage.queue import SORTS, FindingFilter
from escudo.triage.values import DISPOSITIONS, OPEN, STATUSES, UNASSIGNED, URGENCIES

router = APIRouter(include_in_schema=False)

PAGE = 50
ME = "me"
URGENT = "urgent"
"""Stands for the severities that cannot wait."""

PERIODS: Mapping[str, tuple[str, float]] = {
    "1h": ("Last hour", 3600.0),
    "24h": ("Last 24 hours", 86400.0),
    "7d": ("Last 7 days", 7 * 86400.0),
    "30d": ("Last 30 days", 30 * 86400.0),
}
"""Periods within which findings were made; without one: all."""

_NAMES = (
    *("status", "severity", "urgency", "owner", "period"),
    *("detection", "story", "technique", "entity", "text"),
)
"""The filters, as the query of the page has them."""


def read_filter(values: Mapping[str, str], *, user: str, now: float) -> FindingFilter:
    """The filter of a query of the page; what it does not know is left out.

    >>> read_filter({"status": "closed", "owner": "me"}, user="ana", now=0).owner
    'ana'
    """
    status = values.get("status") or "open"
    period = PERIODS.get(values.get("period", ""))
    owner = values.get("owner", "")
    return FindingFilter(
        status=OPEN if status == "open" else () if status == "all" else (status,),
        severity=_read_severity(values.get("severity", "")),
        urgency=(values["urgency"],) if values.get("urgency") in URGENCIES else (),
        owner=user if owner == ME else owner,
        made_since=None if period is None else now - period[1],
        detection=values.get("detection", ""),
        story=values.get("story", ""),
        technique=values.get("technique", ""),
        entity=values.get("entity", ""),
        text=values.get("text", ""),
    )


def _read_severity(name: str) -> tuple[str, ...]:
    if name == URGENT:
        return ("high", "critical")
    return (name,) if name in SEVERITIES else ()


@router.get("/findings")
@asks(Permission.READ)
def show_findings(request: Request) -> Response:
    """The queue."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    values = dict(request.query_params)
    wanted = read_filter(values, user=who.name, now=server.clock.now())
    sort = values.get("sort", "severity")
    sort = sort if sort in SORTS else "severity"
    offset = _read_number(values.get("offset", "0"))
    queue = open_queue(server.make_workspace_of(request.scope["principal"]), server.triage)
    page = queue.list_page(wanted, sort=sort, offset=offset, count=PAGE)
    detections = queue.list_detections(replace(wanted, detection=""))
    kept = {name: values[name] for name in _NAMES if values.get(name)}
    return render(
        request,
        "findings.html",
        page=page,
        values={name: values.get(name, "") for name in _NAMES}
        | {"status": values.get("status") or "open"},
        kept=urlencode(kept),
        query=urlencode(kept | ({"sort": sort} if sort != "severity" else {})),
        sort=sort,
        offset=offset,
        size=PAGE,
        detections=detections,
        views=_list_tabs(server, who, kept),
        owners=list_owners(server, who),
        statuses=STATUSES,
        severities=tuple(reversed(SEVERITIES)),
        urgencies=tuple(reversed(URGENCIES)),
        dispositions=DISPOSITIONS,
        periods=PERIODS,
    )


def list_owners(server: Server, who: Principal) -> list[str]:
    """Who can be given a finding: the users, and those who have one."""
    names = {user.name for user in server.accounts.users.list() if user.disabled is None}
    names |= set(server.triage.list_owners()) | {who.name}
    return sorted(names - {UNASSIGNED})


def _list_tabs(
    server: Server, who: Principal, kept: Mapping[str, str]
) -> Sequence[Mapping[str, object]]:
    own = [
        ("Open", {}),
        ("Mine", {"owner": ME}),
        ("Unassigned", {"owner": UNASSIGNED}),
        ("New in 24 h", {"period": "24h", "status": "all"}),
        ("Done", {"status": "closed"}),
    ]
    tabs = [
        {"name": name, "query": urlencode(query), "now": dict(kept) == query, "owner": ""}
        for name, query in own
    ]
    for view in list_views(server.state, who.name):
        now = dict(parse_qsl(view.query)) == dict(kept)
        tabs.append({"name": view.name, "query": view.query, "now": now, "owner": view.owner})
    return tabs


def _read_number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 0


@router.post("/findings/edit")
@asks(Permission.TRIAGE)
def change_findings(
    request: Request,
    finding: Annotated[list[str] | None, Form()] = None,
    status: Annotated[str, Form()] = "",
    owner: Annotated[str, Form()] = "",
    urgency: Annotated[str, Form()] = "",
    disposition: Annotated[str, Form()] = "",
    comment: Annotated[str, Form()] = "",
    revision: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "",
) -> Response:
    """Changes the findings that are ticked, or one; what is empty stays."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    hashes = list(dict.fromkeys(finding or ()))
    one = hashes[0] if len(hashes) == 1 else None
    edit = EditIn.model_construct(
        ids=hashes,
        status=status or None,
        owner=(who.name if owner == ME else owner) or None,
        urgency=urgency or None,
        disposition=disposition or None,
        comment=comment,
    )
    edit_findings(
        server.make_workspace_of(request.scope["principal"]),
        server.triage,
        edit.to_edit(),
        hashes=hashes,
        who=who.name,
        revisions={one: _read_number(revision)} if one is not None and revision else None,
    )
    note_edit(request, edit)
    if back == "finding" and one is not None:
        return RedirectResponse(f"/findings/{one}", 303)
    return RedirectResponse(f"/findings?{back}" if back else "/findings", 303)


@router.post("/findings/views")
@asks(Permission.READ)
def save_view(
    request: Request,
    name: Annotated[str, Form()] = "",
    query: Annotated[str, Form()] = "",
    shared: Annotated[str, Form()] = "",
) -> Response:
    """Keeps the filters of the page under a name; for all users where he may change findings."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    if shared and not who.may(Permission.TRIAGE):
        raise EscudoError("SRV051", "views for all are kept by those who may change findings")
    known = [(k, v) for k, v in parse_qsl(query) if k in _NAMES]
    owner = "*" if shared else who.name
    view = SavedView(owner, name.strip(), urlencode(known))
    keep_view(server.state, view, now=server.clock.now())
    return RedirectResponse(f"/findings?{view.query}", 303)


@router.post("/findings/views/remove")
@asks(Permission.READ)
def drop_view(
    request: Request, name: Annotated[str, Form()] = "", owner: Annotated[str, Form()] = ""
) -> Response:
    """Takes a view away: his own, or a shared one where he may change findings."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    if owner == who.name or (owner == "*" and who.may(Permission.TRIAGE)):
        remove_view(server.state, owner, name)
    return RedirectResponse("/findings", 303)
