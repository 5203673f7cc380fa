"""Tuning: what a detection is not to find any more, or whose findings nobody wants to see; what
that would have taken out, and whether the detection's tests still pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from escudo.actions.triage import find_detection, open_finding, open_queue
from escudo.actions.tuning import (
    Exclusion,
    find_removed,
    has_filter,
    run_tuned_tests,
    write_filter,
    write_overlay,
)
from escudo.content import Detection
from escudo.core.errors import EscudoError
from escudo.schedule.suppressions import (
    add_suppression,
    list_suppressions,
    remove_suppression,
)
from escudo.serve.accounts.principal import Principal
from escudo.serve.exclusions import add_exclusion, list_exclusions, remove_exclusion
from escudo.serve.guard import find_address
from escudo.serve.pages.rendering import render
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server
from escudo.triage.queue import Finding

router = APIRouter(include_in_schema=False)

EXCLUDE, SUPPRESS = "exclude", "suppress"

_DAY = 86400.0
LIFETIMES: Mapping[str, tuple[str, float | None]] = {
    "7d": ("7 days", 7 * _DAY),
    "30d": ("30 days", 30 * _DAY),
    "90d": ("90 days", 90 * _DAY),
    "never": ("Until it is taken away", None),
}
_BACK = 30
"""Days of findings that a preview looks at."""

_LEFT_OUT = frozenset(
    {"count", "firstTime", "lastTime", "process_id", "parent_process_id", "process_guid"}
)
"""Fields that another row of the same kind does not have alike."""

_FIRST = ("process", "user", "dest", "parent_process", "normalized_risk_object")
_USUAL = frozenset({"process", "user"})
_SHOWN = 20

_Texts = Annotated[list[str] | None, Form()]


class Draft:
    """What the form of a finding says: the fields that are ticked, and how long it is to hold."""

    def __init__(
        self,
        field: _Texts = None,
        value: _Texts = None,
        use: _Texts = None,
        lifetime: Annotated[Literal["7d", "30d", "90d", "never"], Form()] = "30d",
    ) -> None:
        self.fields = _pick(field, value, use)
        self.seconds = LIFETIMES[lifetime][1]
        """None: until it is taken away."""


_Drafted = Annotated[Draft, Depends(Draft)]


@router.get("/findings/{finding}/tune")
@asks(Permission.TUNE)
def show_tuning(request: Request, finding: str) -> Response:
    """The form, filled with the values of the finding."""
    server: Server = request.app.state.server
    workspace = server.make_workspace_of(request.scope["principal"])
    opened = open_finding(workspace, server.triage, finding)
    fields = {n: v for n, v in opened.finding.fields.items() if n not in _LEFT_OUT}
    first = [name for name in _FIRST if name in fields]
    names = [*first, *(name for name in fields if name not in first)]
    return render(
        request,
        "tune.html",
        finding=opened.finding,
        detection=opened.detection,
        fields=[(name, fields[name]) for name in names],
        usual=_USUAL if _USUAL & set(names) else frozenset(names[:1]),
        excludable=opened.detection is not None and has_filter(opened.detection),
        lifetimes=LIFETIMES,
    )


@router.post("/findings/{finding}/tune/preview")
@asks(Permission.TUNE)
def preview_tuning(
    request: Request,
    finding: str,
    drafted: _Drafted,
    kind: Annotated[str, Form()] = EXCLUDE,
) -> Response:
    """What it would have taken out, and the SPL; a part of the page."""
    server: Server = request.app.state.server
    now = server.clock.now()
    workspace = server.make_workspace_of(request.scope["principal"])
    opened = open_finding(workspace, server.triage, finding)
    draft = _draft(server, request, opened.finding, drafted)
    removed = find_removed(open_queue(workspace, server.triage), draft, since=now - _BACK * _DAY)
    return render(
        request,
        "tune_preview.html",
        removed=removed,
        shown=removed.findings[:_SHOWN],
        itself=any(f.event_hash == finding for f in removed.findings),
        spl=write_filter(_find_base(server, opened.detection), [*_list_own(server, draft), draft])
        if kind == EXCLUDE and opened.detection is not None
        else "",
        days=_BACK,
        kind=kind,
        finding=opened.finding,
    )


@router.post("/findings/{finding}/tune/tests")
@asks(Permission.TUNE)
def try_tuning(request: Request, finding: str, drafted: _Drafted) -> Response:
    """Whether the detection's tests pass with it; a part of the page."""
    server: Server = request.app.state.server
    workspace = server.make_workspace_of(request.scope["principal"])
    opened = open_finding(workspace, server.triage, finding)
    detection = _need_detection(server, opened.finding)
    draft = _draft(server, request, opened.finding, drafted)
    results = run_tuned_tests(
        server.contents.untuned,
        detection,
        [*_list_own(server, draft), draft],
        now=server.clock.now(),
        prepare=server.prepare,
    )
    return render(request, "tune_tests.html", results=results)


@router.post("/findings/{finding}/tune")
@asks(Permission.TUNE)
def tune(
    request: Request,
    finding: str,
    drafted: _Drafted,
    kind: Annotated[str, Form()] = EXCLUDE,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Makes the exclusion, which holds from the next run on, or the suppression."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    now = server.clock.now()
    workspace = server.make_workspace_of(request.scope["principal"])
    opened = open_finding(workspace, server.triage, finding)
    fields = drafted.fields
    expires = None if drafted.seconds is None else now + drafted.seconds
    name = opened.finding.detection
    if kind == SUPPRESS:
        _draft(server, request, opened.finding, drafted, reason=reason).check(now)
        add_suppression(
            server.state,
            detection=name,
            fields=fields,
            reason=f"{reason.strip()} ({who.name})",
            now=now,
            expires=expires,
        )
    else:
        _need_detection(server, opened.finding)
        add_exclusion(
            server.state,
            detection=name,
            fields=fields,
            author=who.name,
            reason=reason,
            now=now,
            expires=expires,
        )
        _take_up(server)
    _note(request, kind, target=name, fields=fields, reason=reason.strip(), expires=expires)
    return RedirectResponse("/tuning", 303)


@router.get("/tuning")
@asks(Permission.READ)
def list_tuning(request: Request) -> Response:
    """All exclusions and suppressions."""
    server: Server = request.app.state.server
    return render(
        request,
        "tuning.html",
        exclusions=list(reversed(list_exclusions(server.state))),
        suppressions=list(reversed(list_suppressions(server.state))),
        overlay=find_overlay(server),
    )


@router.post("/tuning/remove")
@asks(Permission.TUNE)
def remove_tuning(
    request: Request, kind: Annotated[str, Form()] = "", number: Annotated[int, Form()] = 0
) -> Response:
    """Takes an exclusion or a suppression away."""
    server: Server = request.app.state.server
    if kind == SUPPRESS:
        remove_suppression(server.state, number)
        _note(request, "remove suppression", target=str(number))
    else:
        removed = remove_exclusion(server.state, number)
        if removed is not None:
            _take_up(server)
            _note(request, "remove exclusion", target=removed.detection, fields=removed.fields)
    return RedirectResponse("/tuning", 303)


def find_overlay(server: Server) -> Path:
    """The folder of the overlay that exclusions are written to."""
    return server.lake.path / "overlay"


def _take_up(server: Server) -> None:
    """Exclusions hold from now on, and are written as an overlay."""
    server.contents.refresh()
    write_overlay(
        find_overlay(server),
        server.contents.untuned,
        list_exclusions(server.state),
        now=server.clock.now(),
    )


def _need_detection(server: Server, finding: Finding) -> Detection:
    detection = find_detection(server.make_workspace(), finding)
    if detection is None or not has_filter(detection):
        raise EscudoError("TRI007", f"{finding.detection!r} has no filter macro in its search")
    return detection


def _draft(
    server: Server,
    request: Request,
    finding: Finding,
    drafted: Draft,
    *,
    reason: str = "to be tried",
) -> Exclusion:
    """An exclusion that is not kept yet. Raises EscudoError: TRI006."""
    who: Principal = request.scope["principal"]
    now = server.clock.now()
    draft = Exclusion(
        id=0,
        detection=finding.detection,
        fields=drafted.fields,
        author=who.name,
        reason=reason,
        created=now,
        expires=None if drafted.seconds is None else now + drafted.seconds,
    )
    draft.check(now)
    return draft


def _list_own(server: Server, draft: Exclusion) -> Sequence[Exclusion]:
    """The exclusions of the same detection that hold."""
    now = server.clock.now()
    kept = list_exclusions(server.state)
    return [e for e in kept if e.detection == draft.detection and not e.is_over(now)]


def _find_base(server: Server, detection: Detection | None) -> str:
    name = "" if detection is None else detection.filter_macro
    macros = server.contents.untuned.macros
    return next((m.definition for m in macros if m.name == name), "search *")


def _pick(field: _Texts, value: _Texts, use: _Texts) -> dict[str, str]:
    """The fields that are ticked, with the values beside them."""
    pairs = zip(field or (), value or (), strict=False)
    return {name: text.strip() for name, text in pairs if name in (use or ())}


def _note(request: Request, action: str, *, target: str, **detail: Any) -> None:
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    server.accounts.audit.note(
        action, who=who.name, address=find_address(request), target=target, **detail
    )
