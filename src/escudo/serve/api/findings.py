"""Findings for programs: the queue, one of them, what is around it, and changes."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field, StringConstraints

from escudo.actions.raw_events import Event
from escudo.actions.triage import (
    edit_findings,
    open_finding,
    open_queue,
)
from escudo.findings.tree import Node
from escudo.serve.accounts.principal import Principal
from escudo.serve.finding_searches import look_for_evidence, run_drilldown
from escudo.serve.guard import find_address
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server
from escudo.triage.changes import MOST_AT_ONCE, Edit, HistoryEntry
from escudo.triage.queue import SORTS, Finding, FindingFilter
from escudo.triage.values import OPEN, STATUSES, SUPPRESSED, URGENCIES

router = APIRouter(prefix="/api/findings", tags=["findings"])

_MOST = 500
_STATES = "|".join(("all", *STATUSES, SUPPRESSED))
_Status: TypeAlias = Annotated[str, StringConstraints(pattern=f"^({_STATES})$")]
_Level: TypeAlias = Annotated[str, StringConstraints(pattern=f"^({'|'.join(URGENCIES)})$")]


class RiskObjectOut(BaseModel):
    """``kind`` is ``system``, ``user`` or ``other``."""

    kind: str
    name: str


class FindingOut(BaseModel):
    """A finding. Times are epoch seconds; ``id`` is its ``event_hash``; ``fields`` is the row that
    the detection found."""

    id: str
    time: float
    made: float
    detection: str
    search_name: str
    title: str
    message: str
    severity: str
    status: str
    owner: str
    urgency: str
    disposition: str
    revision: int
    score: float
    stories: list[str]
    techniques: list[str]
    objects: list[RiskObjectOut]
    fields: dict[str, str]


class FindingPageOut(BaseModel):
    """Some findings of ``total``."""

    findings: list[FindingOut]
    total: int


class HistoryOut(BaseModel):
    """A change: field -> what it was, what it became."""

    at: float
    who: str
    changes: dict[str, tuple[str | None, str | None]]
    comment: str


class DrilldownOut(BaseModel):
    """A drilldown, filled."""

    name: str
    search: str
    earliest: str
    latest: str


class OpenedFindingOut(BaseModel):
    """A finding with its history, the newest change first."""

    finding: FindingOut
    description: str
    known_false_positives: str
    drilldowns: list[DrilldownOut]
    history: list[HistoryOut]


class DrilldownRowsOut(BaseModel):
    """The first rows of a drilldown, of ``total``, or of more where it is ``cut`` at what the role
    may have; ``problem`` says why there are none."""

    fields: list[str]
    rows: list[dict[str, Any]]
    total: int
    cut: bool
    problem: str | None


class EventOut(BaseModel):
    """An event of a log."""

    id: int
    time: float
    host: str
    source: str
    sourcetype: str
    raw: str


class ProcessOut(BaseModel):
    """A process with its children. ``hit``: it is the one that was found."""

    name: str
    command: str
    user: str
    pid: int | None
    time: float
    hit: bool
    children: list[ProcessOut]


class EvidenceOut(BaseModel):
    """What is behind a finding; ``problem`` says why there is nothing."""

    events: list[EventOut]
    trees: list[ProcessOut]
    problem: str


class EditIn(BaseModel):
    """A change of findings: what is None stays. ``revisions`` are those that the one who changes
    has seen; where one is another by now, nothing is changed."""

    ids: list[str] = Field(min_length=1, max_length=MOST_AT_ONCE)
    status: str | None = None
    owner: str | None = None
    urgency: str | None = None
    disposition: str | None = None
    comment: str = ""
    revisions: dict[str, int] | None = None

    def to_edit(self) -> Edit:
        """What is changed of each."""
        return Edit(
            status=self.status,
            owner=self.owner,
            urgency=self.urgency,
            disposition=self.disposition,
            comment=self.comment,
        )


class StateOut(BaseModel):
    """What a finding has become."""

    status: str
    owner: str
    urgency: str | None
    disposition: str
    revision: int


@router.get("")
@asks(Permission.READ)
def list_findings(
    request: Request,
    status: Annotated[list[_Status] | None, Query()] = None,
    severity: Annotated[list[_Level] | None, Query()] = None,
    urgency: Annotated[list[_Level] | None, Query()] = None,
    owner: str = "",
    detection: str = "",
    story: str = "",
    technique: str = "",
    entity: str = "",
    text: str = "",
    earliest: float | None = None,
    latest: float | None = None,
    sort: Annotated[str, Query(pattern="^(" + "|".join(SORTS) + ")$")] = "severity",
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    count: Annotated[int, Query(ge=1, le=_MOST)] = 50,
) -> FindingPageOut:
    """The findings that a filter lets through; without a status those that are open, with
    ``status=all`` all."""
    server: Server = request.app.state.server
    wanted = FindingFilter(
        status=() if status == ["all"] else tuple(status or OPEN),
        severity=tuple(severity or ()),
        urgency=tuple(urgency or ()),
        owner=owner,
        detection=detection,
        story=story,
        technique=technique,
        entity=entity,
        text=text,
        earliest=earliest,
        latest=latest,
    )
    queue = open_queue(server.make_workspace_of(request.scope["principal"]), server.triage)
    page = queue.list_page(wanted, sort=sort, offset=offset, count=count)
    return FindingPageOut(findings=[show_finding(f) for f in page.findings], total=page.total)


@router.post("/edit")
@asks(Permission.TRIAGE)
def change_findings(request: Request, edit: EditIn) -> dict[str, StateOut]:
    """Changes findings, all or none; their states afterwards."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    states = edit_findings(
        server.make_workspace_of(request.scope["principal"]),
        server.triage,
        edit.to_edit(),
        hashes=list(dict.fromkeys(edit.ids)),
        who=who.name,
        revisions=edit.revisions,
    )
    note_edit(request, edit)
    return {
        event_hash: StateOut(
            status=state.status,
            owner=state.owner,
            urgency=state.urgency,
            disposition=state.disposition,
            revision=state.revision,
        )
        for event_hash, state in states.items()
    }


def note_edit(request: Request, edit: EditIn) -> None:
    """Writes a change into the audit log; comments stay in the finding's history."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    names = ("status", "owner", "urgency", "disposition")
    changes = {name: getattr(edit, name) for name in names if getattr(edit, name) is not None}
    server.accounts.audit.note(
        "change findings",
        who=who.name,
        address=find_address(request),
        target=", ".join(edit.ids[:20]),
        findings=len(edit.ids),
        comment=bool(edit.comment.strip()),
        **changes,
    )


@router.get("/{finding}")
@asks(Permission.READ)
def read_finding(request: Request, finding: str) -> OpenedFindingOut:
    """A finding with what is kept of it."""
    server: Server = request.app.state.server
    opened = open_finding(
        server.make_workspace_of(request.scope["principal"]), server.triage, finding
    )
    detection = opened.detection
    return OpenedFindingOut(
        finding=show_finding(opened.finding),
        description=opened.description,
        known_false_positives="" if detection is None else detection.known_false_positives,
        drilldowns=[DrilldownOut(**d.as_dict()) for d in opened.drilldowns],
        history=[_show_history(entry) for entry in opened.history],
    )


@router.get("/{finding}/drilldowns/{number}")
@asks(Permission.SEARCH)
def read_drilldown(
    request: Request,
    finding: str,
    number: int,
    count: Annotated[int, Query(ge=1, le=_MOST)] = 100,
) -> DrilldownRowsOut:
    """Runs a drilldown of a finding; the first of its rows."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    opened = open_finding(server.make_workspace_of(who), server.triage, finding)
    rows = run_drilldown(server, who, opened, number, most=count)
    return DrilldownRowsOut(
        fields=list(rows.fields),
        rows=[dict(row) for row in rows.rows],
        total=rows.total,
        cut=rows.cut,
        problem=None if rows.problem is None else rows.problem.message,
    )


@router.get("/{finding}/evidence")
@asks(Permission.SEARCH)
def read_evidence(request: Request, finding: str) -> EvidenceOut:
    """The events behind a finding, and the processes around them."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    opened = open_finding(server.make_workspace_of(who), server.triage, finding)
    evidence = look_for_evidence(server, who, opened)
    return EvidenceOut(
        events=[_show_event(event) for event in evidence.events],
        trees=[_show_process(tree.root) for tree in evidence.trees],
        problem=evidence.problem,
    )


def show_finding(finding: Finding) -> FindingOut:
    """A finding as the API gives it."""
    return FindingOut(
        id=finding.event_hash,
        time=finding.time,
        made=finding.made,
        detection=finding.detection,
        search_name=finding.search_name,
        title=finding.title,
        message=finding.message,
        severity=finding.severity,
        status=finding.status,
        owner=finding.owner,
        urgency=finding.urgency,
        disposition=finding.disposition,
        revision=finding.revision,
        score=finding.score,
        stories=list(finding.stories),
        techniques=list(finding.techniques),
        objects=[RiskObjectOut(kind=o.kind, name=o.name) for o in finding.objects],
        fields=dict(finding.fields),
    )


def _show_history(entry: HistoryEntry) -> HistoryOut:
    return HistoryOut(
        at=entry.at, who=entry.who, changes=dict(entry.changes), comment=entry.comment
    )


def _show_event(event: Event) -> EventOut:
    return EventOut(
        id=event.event_id,
        time=event.time,
        host=event.host,
        source=event.source,
        sourcetype=event.sourcetype,
        raw=event.raw,
    )


def _show_process(node: Node) -> ProcessOut:
    process = node.process
    return ProcessOut(
        name=process.name,
        command=process.command,
        user=process.user,
        pid=process.pid,
        time=process.time,
        hit=node.hit,
        children=[_show_process(child) for child in node.children],
    )
