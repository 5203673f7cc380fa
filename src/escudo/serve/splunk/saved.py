"""``saved/searches``: searches that users keep, and the content's detections, which are dispatched
here as Enterprise Security does: with their risk events and findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from threading import Thread

from starlette.responses import Response
from starlette.routing import Route

from escudo.actions.dispatch import Dispatched, write_actions
from escudo.actions.joined_tables import join_tables
from escudo.authoring.apps.saved_searches import SearchNaming, SearchWriter
from escudo.content import Detection
from escudo.core.errors import EscudoError
from escudo.core.event_log import ERROR, log_event
from escudo.core.faults import explain_fault
from escudo.serve.permissions import Permission
from escudo.serve.saved_searches import NOBODY, SavedSearch
from escudo.serve.searches.job import Job, JobState, SearchRequest
from escudo.serve.searches.results import read_part
from escudo.serve.splunk.call import TRUE, Call, make_routes
from escudo.serve.splunk.feeds import Entity, RefusalError, write_feed, write_response
from escudo.serve.splunk.jobs import as_search, make_entity
from escudo.serve.splunk.system import write_entities

ESCU = "ESCU"
"""How the names of the content's detections begin, as contentctl calls them."""

CONTENT_APP = "DA-ESS-ContentUpdate"
_NAMING = SearchNaming(label=ESCU)
_PATH = "saved/searches"
_DEFAULTS: Mapping[str, str] = {
    "disabled": "0",
    "is_scheduled": "0",
    "is_visible": "1",
    "cron_schedule": "",
    "description": "",
    "dispatch.earliest_time": "",
    "dispatch.latest_time": "",
    "actions": "",
    "alert_type": "always",
    "alert.track": "0",
    "action.risk": "0",
    "action.notable": "0",
}


def list_routes() -> Iterator[Route]:
    search = Permission.SEARCH
    yield from make_routes(_PATH, search, {"GET": list_searches, "POST": make_search})
    actions = {
        "enable": {"POST": enable_search},
        "disable": {"POST": disable_search},
        "dispatch": {"POST": dispatch_search},
        "history": {"GET": list_history},
        "acl": {"GET": read_search, "POST": change_acl},
        "suppress": {"GET": read_suppression},
    }
    for name, methods in actions.items():
        yield from make_routes(f"{_PATH}/{{name}}/{name}", search, methods)
    one = {"GET": read_search, "POST": change_search, "DELETE": remove_search}
    yield from make_routes(f"{_PATH}/{{name}}", search, one)


def list_searches(call: Call) -> Response:
    """The user's own and everybody's, and the content's detections."""
    kept = {s.name: _make_own(s) for s in call.server.saved_searches.list(call.who.name)}
    detections = {_NAMING.rule(d): d for d in call.server.content.detections}
    for name, detection in detections.items():
        kept[name] = _make_detection(detection, call)
    return write_entities([kept[name] for name in sorted(kept)], call, _PATH)


def make_search(call: Call) -> Response:
    name = call.text("name")
    if not name or not call.text("search"):
        raise RefusalError(400, "a saved search has a name and a search")
    if _find_detection(name, call) is not None or any(
        s.name == name for s in call.server.saved_searches.list(call.who.name)
    ):
        raise RefusalError(
            409,
            f"Unable to create saved search with name '{name}'. A saved search with"
            " that name already exists.",
        )
    owner = call.names.get("owner", "-")
    if owner == NOBODY:
        call.require(Permission.TUNE)
    elif owner not in ("-", call.who.name):
        raise RefusalError(403, f"searches of {owner} are his own")
    mine = NOBODY if owner == NOBODY else call.who.name
    made = call.server.saved_searches.put(mine, name, call.settings(), app=call.app)
    return _show(_make_own(made), call, status=201, warnings=_list_unmet(made.settings))


def read_search(call: Call) -> Response:
    return _show(_find(call), call)


def change_search(call: Call) -> Response:
    return _change(call, call.settings())


def enable_search(call: Call) -> Response:
    return _change(call, {"disabled": "0"})


def disable_search(call: Call) -> Response:
    return _change(call, {"disabled": "1"})


def _change(call: Call, settings: Mapping[str, str]) -> Response:
    """Changes settings. Those of a detection are kept beside the content, and hold for what is
    dispatched here; to change what the scheduler does, tune it."""
    name = call.names["name"]
    if _find_detection(name, call) is not None:
        call.require(Permission.TUNE)
        kept = {**_find_settings(name, call), **settings}
        call.server.saved_searches.put(NOBODY, name, kept, app=CONTENT_APP)
    else:
        saved = _find_own(call)
        kept = {**saved.settings, **settings}
        call.server.saved_searches.put(saved.owner, name, kept, app=saved.app)
        return _show(_find(call), call, warnings=_list_unmet(settings))
    return read_search(call)


def _list_unmet(settings: Mapping[str, str]) -> Sequence[str]:
    """What settings of a search that somebody keeps ask for, and is not done."""
    unmet = []
    if settings.get("is_scheduled", "0").lower() in TRUE:
        unmet.append("it is kept, and not scheduled: Escudo schedules the content's detections")
    if actions := settings.get("actions", ""):
        unmet.append(f"its actions ({actions}) are kept, and not taken: those of detections are")
    return unmet


def change_acl(call: Call) -> Response:
    """Shares a search with all (``sharing`` app or global), or takes it back."""
    call.require(Permission.TUNE)
    saved = _find_own(call)
    owner = NOBODY if call.text("sharing") in ("app", "global") else call.who.name
    if owner != saved.owner:
        call.server.saved_searches.put(owner, saved.name, saved.settings, app=saved.app)
        call.server.saved_searches.remove(saved)
    return read_search(call)


def remove_search(call: Call) -> Response:
    if _find_detection(call.names["name"], call) is not None:
        raise RefusalError(403, "a detection is the content's: it is not removed here")
    call.server.saved_searches.remove(_find_own(call))
    return list_searches(call)


def read_suppression(call: Call) -> Response:
    content = {"suppressed": False, "expiration": 0}
    entity = Entity(path=_PATH, name=call.names["name"], content=content)
    return _show(entity, call)


def list_history(call: Call) -> Response:
    """The runs of a search that are still kept."""
    entity = _find(call)
    jobs = [job for job in call.server.searches.list(call.who) if job.request.saved == entity.name]
    entries = [make_entity(job, call) for job in jobs]
    history = [
        Entity(
            path="search/jobs",
            name=job.sid,
            content=entry.content,
            owner=entry.owner,
            app=entry.app,
            updated=entry.updated,
        )
        for job, entry in zip(jobs, entries, strict=True)
    ]
    return write_entities(history, call, f"{_PATH}/{entity.name}/history")


def dispatch_search(call: Call) -> Response:
    """Runs a search now. With ``trigger_actions`` what a detection finds becomes risk events and
    findings, before its job is told to be done."""
    entity = _find(call)
    detection = _find_detection(entity.name, call)
    triggered = call.truth("trigger_actions") and detection is not None
    if triggered:
        call.require(Permission.WRITE)
    content = entity.content
    request = SearchRequest(
        search=as_search(str(content.get("search", ""))),
        earliest=_choose_time(call, content, "earliest_time"),
        latest=_choose_time(call, content, "latest_time"),
        app=entity.app,
        saved=entity.name,
        held=triggered,
    )
    job = call.server.searches.start(request, call.who)
    if triggered and detection is not None:
        act = Thread(target=_act, args=(job, detection, call), daemon=True)
        act.start()
    unmet = call.truth("trigger_actions") and not triggered
    told = _list_unmet({"actions": str(content.get("actions", ""))}) if unmet else ()
    return write_response({"sid": job.sid}, json=call.json, status=201, warnings=told)


def _choose_time(call: Call, content: Mapping[str, object], name: str) -> str:
    key = f"dispatch.{name}"
    return call.text(key) or str(content.get(key) or "")


def _act(job: Job, detection: Detection, call: Call) -> None:
    """Writes what a detection's job found, once it has run."""
    server = call.server
    try:
        job.wait_run()
        if job.state in (JobState.FAILED, JobState.CANCELLED) or not job.parts:
            return
        dispatched = Dispatched(
            detection=detection,
            rows=join_tables([*map(read_part, job.parts)]),
            window=job.within,
            now=job.created,
            sid=job.sid,
        )
        write_actions(dispatched, server.lake, server.content.deployments)
    except Exception as error:  # else the job would be told to be done, as if all were written
        told = explain_fault(error)
        log_event("dispatch failed", level=ERROR, sid=job.sid, error=told.message)
        job.messages.append(told)
    finally:
        server.searches.release(job)


def _find(call: Call) -> Entity:
    name = call.names["name"]
    detection = _find_detection(name, call)
    return _make_own(_find_own(call)) if detection is None else _make_detection(detection, call)


def _find_own(call: Call) -> SavedSearch:
    name = call.names["name"]
    try:
        saved = call.server.saved_searches.find(call.who.name, name)
    except EscudoError:
        raise RefusalError(404, f"Could not find object id={name}") from None
    if call.method in ("POST", "DELETE") and saved.owner != call.who.name:
        call.require(Permission.TUNE)
    return saved


def _find_detection(name: str, call: Call) -> Detection | None:
    found = (d for d in call.server.content.detections if _NAMING.rule(d) == name)
    return next(found, None)


def _find_settings(name: str, call: Call) -> Mapping[str, str]:
    """What is kept of a detection's settings beside the content."""
    kept = [s for s in call.server.saved_searches.list(NOBODY) if s.name == name]
    return kept[0].settings if kept else {}


def _make_own(saved: SavedSearch) -> Entity:
    return Entity(
        path=_PATH,
        name=saved.name,
        content={**_DEFAULTS, **saved.settings},
        owner=saved.owner,
        app=saved.app,
        updated=saved.changed,
        sharing="app" if saved.owner == NOBODY else "user",
        links=("list", "edit", "remove", "dispatch", "history", "disable", "enable"),
    )


def _make_detection(detection: Detection, call: Call) -> Entity:
    name, stanza = SearchWriter(content=call.server.content, naming=_NAMING).detection(detection)
    content = {**_DEFAULTS, **stanza, **_find_settings(name, call)}
    content["disabled"] = "1" if content["disabled"].lower() in TRUE else "0"
    for action in ("risk", "notable"):
        truth = content.get(f"action.{action}", "0").lower() in TRUE
        content[f"action.{action}"] = "1" if truth else "0"
    return Entity(
        path=_PATH,
        name=name,
        content=content,
        app=CONTENT_APP,
        removable=False,
        links=("list", "edit", "dispatch", "history", "disable", "enable"),
    )


def _show(entity: Entity, call: Call, status: int = 200, warnings: Sequence[str] = ()) -> Response:
    return write_feed(
        [entity], title=_PATH, base=call.base, json=call.json, status=status, warnings=warnings
    )
