"""``search/jobs`` and ``search/v2/jobs``: searches as Splunk's clients start, follow, read and end
them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import count
from xml.etree import ElementTree as ET

from anyio import CancelScope
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.serve.permissions import Permission
from escudo.serve.searches.job import LONGEST_TTL, TTL_SECONDS, Job, JobState, SearchRequest
from escudo.serve.searches.results import cut_page, read_part, summarise_fields
from escudo.serve.searches.waiting import wait_for_parts
from escudo.serve.splunk.call import Call, Endpoint, Later, make_routes
from escudo.serve.splunk.feeds import (
    Entity,
    RefusalError,
    write_entry,
    write_feed,
    write_messages,
    write_response,
    write_xml,
)
from escudo.serve.splunk.rows import (
    MEDIA,
    drop_null,
    list_rows,
    write_csv_lines,
    write_page,
)
from escudo.spl import COMMANDS
from escudo.spl.compile import find_events_part

PAGE = 100
"""Rows of a page where a client says nothing."""

MOST_EVENTS = 1_000
"""Events of a search whose results are no events that are shown."""

_STATES = {
    JobState.QUEUED: "QUEUED",
    JobState.RUNNING: "RUNNING",
    JobState.DONE: "DONE",
    JobState.FAILED: "FAILED",
    JobState.CANCELLED: "FAILED",
}
_COMMAND = re.compile(r"\s*([A-Za-z_]\w*)\b(?!\s*[=<>!])")


def list_routes() -> Iterator[Route]:
    search = Permission.SEARCH
    for base in ("search/jobs", "search/v2/jobs"):
        yield from make_routes(base, search, {"GET": list_jobs, "POST": start_job})
        export = {"GET": export_job, "POST": export_job}
        yield from make_routes(f"{base}/export", search, export)
        one: dict[str, Endpoint] = {"GET": read_job, "POST": change_job, "DELETE": remove_job}
        yield from make_routes(f"{base}/{{sid}}", search, one)
        yield from make_routes(f"{base}/{{sid}}/control", search, {"POST": control_job})
        for name, endpoint in (
            ("results", read_results),
            ("results_preview", read_preview),
            ("events", read_events),
            ("timeline", read_timeline),
            ("summary", read_summary),
            ("search.log", read_log),
        ):
            both = {"GET": endpoint, "POST": endpoint}
            yield from make_routes(f"{base}/{{sid}}/{name}", search, both)
    yield from make_routes("search/parser", search, {"GET": parse_search, "POST": parse_search})
    yield from make_routes("search/v2/parser", search, {"GET": parse_search, "POST": parse_search})


def start_job(call: Call) -> Response | Later:
    """Starts a search: ``exec_mode`` normal answers at once, blocking when it has run, oneshot with
    its results."""
    mode = call.text("exec_mode", "normal")
    if mode not in ("normal", "blocking", "oneshot"):
        raise RefusalError(400, f"exec_mode is normal, blocking or oneshot, not {mode!r}")
    job = call.server.searches.start(_read_request(call), call.who)
    if mode == "normal":
        return write_response({"sid": job.sid}, json=call.json, status=201)
    return Later(job, lambda: _finish(job, call, oneshot=mode == "oneshot"))


def _finish(job: Job, call: Call, *, oneshot: bool) -> Response:
    """The answer to who has waited for a job: its results, or its id."""
    if not oneshot:
        sid = write_response({"sid": job.sid}, json=call.json, status=201)
        return _refuse_failed(job, call) or sid
    try:
        return _refuse_failed(job, call) or _write_results(job, call)
    finally:
        call.server.searches.remove(job)


def _read_request(call: Call, *, brief: bool = True) -> SearchRequest:
    seconds = min(call.number("max_time", 0, least=0), LONGEST_TTL)
    return SearchRequest(
        search=as_search(call.text("search")),
        earliest=call.text("earliest_time"),
        latest=call.text("latest_time"),
        limit=call.number("max_count", 0, least=0) or None,
        sid=call.text("id") or None,
        app=call.app,
        label=call.text("label") or None,
        ttl=min(call.number("timeout", 0, least=0) or TTL_SECONDS, LONGEST_TTL),
        seconds=seconds or None,
        brief=brief,
    )


def as_search(text: str) -> str:
    """A search as REST takes it, which begins with a command without a ``|``, as Escudo does.

    >>> as_search("datamodel Risk All_Risk flat"), as_search("search index=*"), as_search("| dbx")
    ('| datamodel Risk All_Risk flat', 'search index=*', '| dbx')
    """
    first = _COMMAND.match(text)
    if first is None or first[1].lower() not in COMMANDS or first[1].lower() == "search":
        return text
    return f"| {text.lstrip()}"


def list_jobs(call: Call) -> Response:
    jobs = call.server.searches.list(call.who)
    return write_feed(
        [make_entity(job, call) for job in jobs],
        title="search/jobs",
        base=call.base,
        json=call.json,
        offset=call.number("offset", 0, least=0),
        count=call.number("count", 0),
    )


def read_job(call: Call) -> Response:
    """A job; 204 while it waits for its turn."""
    job = _find_job(call)
    if job.state is JobState.QUEUED:
        return Response(status_code=204)
    entity = make_entity(job, call)
    if call.json:
        return write_feed([entity], title="search/jobs", base=call.base, json=True)
    return write_entry(entity, base=call.base)


def make_entity(job: Job, call: Call) -> Entity:
    now = call.server.clock.now()
    events = job.events
    if events is None and job.state.ended:
        events = job.rows
    within = job.within
    content = {
        "sid": job.sid,
        "dispatchState": "PAUSED" if job.paused else _STATES[job.state],
        "isDone": job.state.ended,
        "isFailed": job.state in (JobState.FAILED, JobState.CANCELLED),
        "isFinalized": job.finalized,
        "isPaused": job.paused,
        "isSaved": job.ttl >= LONGEST_TTL,
        "isZombie": False,
        "isSavedSearch": job.request.saved is not None,
        "isPreviewEnabled": True,
        "isRealTimeSearch": False,
        "isRemoteTimeline": False,
        "doneProgress": round(job.progress, 5),
        "resultCount": job.rows,
        "resultPreviewCount": job.rows,
        "resultIsStreaming": job.by_event,
        "eventCount": events or 0,
        "eventAvailableCount": events or 0,
        "eventFieldCount": len(job.fields),
        "eventIsStreaming": job.by_event,
        "scanCount": events or 0,
        "dropCount": 0,
        "runDuration": round(job.count_seconds(now), 3),
        "ttl": int(job.ttl),
        "priority": 5,
        "diskUsage": 0,
        "earliestTime": _write_bound(within.earliest, 0.0),
        "latestTime": _write_bound(within.latest, job.created),
        "searchEarliestTime": within.earliest or 0,
        "searchLatestTime": within.latest or job.created,
        "delegate": "",
        "label": job.request.label or job.request.saved or "",
        "statusBuckets": 0,
        "canSummarize": False,
        "messages": {
            kind: [m["text"] for m in _list_messages(job) if m["type"] == kind]
            for kind in sorted({m["type"] for m in _list_messages(job)})
        },
        "request": {"search": job.request.search},
        "search": job.request.search,
    }
    return Entity(
        path="search/jobs",
        name=job.request.search,
        id=job.sid,
        content=content,
        owner=job.owner.name,
        app=job.request.app,
        updated=job.ended or job.created,
        sharing="user",
        links=(
            "search.log",
            "events",
            "results",
            "results_preview",
            "timeline",
            "summary",
            "control",
        ),
    )


def _write_bound(moment: float | None, otherwise: float) -> str:
    at = otherwise if moment is None else moment
    return time.strftime("%Y-%m-%dT%H:%M:%S.000+00:00", time.gmtime(at))


def change_job(call: Call) -> Response:
    """Splunk lets a job's entity be posted to; there is nothing to change."""
    return read_job(call)


def remove_job(call: Call) -> Response:
    call.server.searches.remove(_find_job(call))
    return write_messages(200, "Search job cancelled.", json=call.json, kind="INFO")


def control_job(call: Call) -> Response:
    job, searches = _find_job(call), call.server.searches
    action = call.text("action")
    match action:
        case "cancel":
            searches.remove(job)
        case "finalize":
            searches.finalize(job)
        case "pause" | "unpause":
            searches.pause(job, paused=action == "pause")
        case "touch":
            job.touched = call.server.clock.now()
        case "setttl":
            job.ttl = min(call.number("ttl", int(job.ttl), least=0), LONGEST_TTL)
        case "save" | "unsave":
            job.ttl = LONGEST_TTL if action == "save" else TTL_SECONDS
        case "setpriority" | "enablepreview" | "disablepreview":
            pass  # all searches are of one priority, and all have previews
        case _:
            raise RefusalError(400, f"{action!r} is no action of a job")
    return write_messages(200, f"Search job {action} done.", json=call.json, kind="INFO")


def read_results(call: Call) -> Response | Later:
    """The results; 204 until there are all of them."""
    job = _find_job(call)
    if not job.state.ended:
        return Response(status_code=204)
    return _show_results(job, call)


def read_preview(call: Call) -> Response | Later:
    """The results that there are so far."""
    return _show_results(_find_job(call), call)


def _show_results(job: Job, call: Call) -> Response | Later:
    """The results, or with ``search`` what that makes of them."""
    if (refusal := _refuse_failed(job, call)) is not None:
        return refusal
    after = call.text("search")
    if not after:
        return _write_results(job, call)
    request = SearchRequest(search=f"| loadjob {job.sid} | {after.lstrip(' |')}")
    made = call.server.searches.start(request, call.who)
    return Later(made, lambda: _finish(made, call, oneshot=True))


def read_events(call: Call) -> Response | Later:
    """The events of a search: its rows, or where those are no events, what it made them of."""
    job = _find_job(call)
    if job.by_event:
        return _refuse_failed(job, call) or _write_results(job, call)
    part = find_events_part(
        job.request.search, call.server.content.knowledge, now=job.created, within=job.within
    )
    if part is None:
        return _write_page(call, [], [], preview=False)
    request = SearchRequest(
        search=part.text,
        earliest=job.request.earliest,
        latest=job.request.latest,
        limit=MOST_EVENTS,
        brief=False,
    )
    made = call.server.searches.start(request, job.owner)
    return Later(made, lambda: _finish(made, call, oneshot=True))


def _write_results(job: Job, call: Call) -> Response:
    preview = not job.state.ended
    offset, count = call.number("offset", 0, least=0), call.number("count", PAGE, least=0)
    table = cut_page(job.parts, offset, count or job.rows)
    fields = _choose_fields(call, job.fields)
    rows = [*list_rows(table, fields)]
    return _write_page(
        call, rows, fields, preview=preview, offset=offset, messages=_list_messages(job)
    )


def _choose_fields(call: Call, known: Sequence[str]) -> list[str]:
    """The fields that ``f`` and ``field_list`` ask for; all where they do not."""
    asked = [*call.fields.get("f", ())]
    asked += [name.strip() for name in call.text("field_list").split(",") if name.strip()]
    return [name for name in asked if name in known] if asked else [*known]


def _write_page(
    call: Call,
    rows: Sequence[dict[str, str | list[str] | None]],
    fields: Sequence[str],
    *,
    preview: bool,
    offset: int = 0,
    messages: Sequence[dict[str, str]] = (),
) -> Response:
    mode = _read_mode(call)
    text = write_page(rows, fields, mode=mode, offset=offset, preview=preview, messages=messages)
    return Response(text, media_type=MEDIA[mode])


def _read_mode(call: Call) -> str:
    mode = call.text("output_mode", "xml")
    mode = {"atom": "xml"}.get(mode, mode)
    if mode not in MEDIA:
        raise RefusalError(400, f"output_mode is one of {', '.join(MEDIA)}, not {mode!r}")
    return mode


def export_job(call: Call) -> Response:
    """The results as they come, until the search ends; who goes away ends the search."""
    mode = _read_mode(call)
    job = call.server.searches.start(_read_request(call, brief=False), call.who)
    return _Export(job, call, mode)


class _Export(StreamingResponse):
    """Begins once there are rows, or an error, which is then the answer."""

    def __init__(self, job: Job, call: Call, mode: str) -> None:
        super().__init__(_export(job, call, mode), media_type=MEDIA[mode])
        self._job, self._call = job, call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await wait_for_parts(self._job, 0)
        refusal = _refuse_failed(self._job, self._call)
        try:
            if refusal is not None:
                await refusal(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await run_in_threadpool(self._call.server.searches.remove, self._job)


async def _export(job: Job, call: Call, mode: str) -> AsyncIterator[str]:
    """A document for each file of rows (XML, rows, columns), or a line for each row (JSON, CSV)."""
    offset = 0
    header: Sequence[str] = ()
    for number in count():
        await wait_for_parts(job, number)
        job.touched = call.server.clock.now()
        if len(job.parts) <= number:
            break
        last = job.state.ended and len(job.parts) == number + 1
        table = await run_in_threadpool(read_part, job.parts[number])
        fields = _choose_fields(call, table.column_names)
        rows = [*list_rows(table, fields)]
        if mode == "json":
            yield "".join(_write_json_lines(rows, offset, last=last))
        elif mode == "csv":
            yield write_csv_lines(rows, header or fields, header=not header)
            header = header or fields
        else:
            yield write_page(rows, fields, mode=mode, offset=offset) + "\n"
        offset += len(rows)
    if offset == 0:
        empty = {"preview": False, "lastrow": True}
        yield json.dumps(empty) + "\n" if mode == "json" else write_page([], [], mode=mode)


def _write_json_lines(
    rows: Sequence[dict[str, str | list[str] | None]], offset: int, *, last: bool
) -> Iterator[str]:
    for number, row in enumerate(rows):
        line: dict[str, object] = {"preview": False, "offset": offset + number}
        if last and number == len(rows) - 1:
            line["lastrow"] = True
        line["result"] = drop_null(row)
        yield json.dumps(line, ensure_ascii=False) + "\n"


def read_timeline(call: Call) -> Later:
    counting = call.server.searches.count_events(_find_job(call))
    return Later(counting, lambda: _write_timeline(counting, call))


def _write_timeline(counting: Job, call: Call) -> Response:
    buckets = counting.histogram
    if call.json:
        span = counting.span or 1
        listed = [
            {
                "earliest_time": time,
                "duration": span,
                "total_count": count,
                "available_count": count,
            }
            for time, count in buckets
        ]
        return JSONResponse({"buckets": listed, "event_count": sum(n for _, n in buckets)})
    root = ET.Element("timeline", c=str(sum(n for _, n in buckets)), cursor="0")
    for begin, number in buckets:
        bucket = ET.SubElement(
            root,
            "bucket",
            c=str(number),
            a=str(number),
            t=f"{begin:.3f}",
            d=str(counting.span or 1),
            f="1",
            etz="0",
            ltz="0",
        )
        bucket.text = _write_bound(begin, begin)
    return write_xml(root)


def read_summary(call: Call) -> Response:
    job = _find_job(call)
    fields = summarise_fields(job.parts)
    if call.json:
        described = {
            field.name: {
                "count": field.count,
                "distinct_count": field.distinct,
                "is_exact": True,
                "modes": [{"value": v, "count": n, "is_exact": True} for v, n in field.top],
            }
            for field in fields
        }
        return JSONResponse({"event_count": job.rows, "fields": described})
    root = ET.Element("results", preview="0")
    summary = ET.SubElement(root, "summary", c=str(job.rows))
    for field in fields:
        told = ET.SubElement(
            summary, "field", k=field.name, c=str(field.count), dc=str(field.distinct), exact="1"
        )
        modes = ET.SubElement(told, "modes")
        for value, number in field.top:
            mode = ET.SubElement(modes, "value", c=str(number), exact="1")
            ET.SubElement(mode, "text").text = value
    return write_xml(root)


def read_log(call: Call) -> Response:
    """What the search had to say, a line each."""
    job = _find_job(call)
    lines = [f"{message['type']} {message['text']}" for message in _list_messages(job)]
    lines.append(f"INFO {job.rows} rows, {job.state.value}")
    return Response("\n".join(lines) + "\n", media_type="text/plain; charset=utf-8")


def parse_search(call: Call) -> Response:
    """Whether a search can be read: its commands, or what is wrong."""
    text = as_search(call.text("q"))
    workspace = call.server.make_workspace()
    part = find_events_part(text, workspace.knowledge, now=workspace.now)
    body = {"eventsSearch": part.text if part is not None else "", "search": text}
    return write_response(body, json=call.json)


def _find_job(call: Call) -> Job:
    try:
        return call.server.searches.find(call.names["sid"], call.who)
    except EscudoError:
        raise RefusalError(404, "Unknown sid.") from None


def _refuse_failed(job: Job, call: Call) -> Response | None:
    """The answer where a search has failed; None where it has not."""
    if job.state is JobState.CANCELLED:
        return write_messages(400, "The search was cancelled.", json=call.json)
    if job.state is not JobState.FAILED:
        return None
    told = [m["text"] for m in _list_messages(job) if m["type"] == "FATAL"]
    return write_messages(400, "; ".join(told) or "The search failed.", json=call.json)


def _list_messages(job: Job) -> list[dict[str, str]]:
    return [{"type": _KINDS[d.severity], "text": _tell(d)} for d in [*job.messages]]


_KINDS = {Severity.ERROR: "FATAL", Severity.WARNING: "WARN", Severity.INFO: "INFO"}


def _tell(told: Diagnostic) -> str:
    place = f" at {told.span.line}:{told.span.column}" if told.span is not None else ""
    hint = f" ({told.hint})" if told.hint else ""
    return f"{told.code}{place}: {told.message}{hint}"
