"""Searches, for the pages and for programs: start one, see how far it is, read rows while it runs,
cancel it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from escudo.actions.check_search import check_search
from escudo.core.errors import Diagnostic
from escudo.serve.accounts.principal import Principal
from escudo.serve.permissions import Permission, asks
from escudo.serve.searches.job import Job, JobState, SearchRequest
from escudo.serve.searches.results import (
    cut_page,
    read_part,
    simplify,
    summarise_fields,
    write_value,
)
from escudo.serve.searches.waiting import wait_for
from escudo.serve.server import Server

router = APIRouter(prefix="/api/searches", tags=["searches"])

MOST_PAGE = 10_000
"""Rows of one page at most."""

_TIMELINE_SECONDS = 20.0
"""How long a request for the timeline waits for it to be counted."""


class NewSearch(BaseModel):
    """``earliest`` and ``latest`` are time modifiers as in Splunk (``-24h@h``, ``now``, epoch
    seconds); without them it is all time. ``limit``: rows at most."""

    search: str = Field(min_length=1, max_length=100_000)
    earliest: str = Field("", max_length=100)
    latest: str = Field("", max_length=100)
    limit: int | None = Field(None, ge=1, le=10_000_000)


class SearchId(BaseModel):
    sid: str


class SearchMessage(BaseModel):
    """``line`` and ``column`` count from 1, in the search as typed; the end is exclusive."""

    severity: str
    code: str
    text: str
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    help: str | None = None


class SearchStatus(BaseModel):
    """``rows`` can be read already; ``events`` is null where they are not known; ``progress`` is
    from 0 to 1; ``cut``: there are more rows than the role, or the request, lets it have.
    ``by_event``: the rows are events."""

    sid: str
    state: JobState
    search: str
    earliest: str
    latest: str
    rows: int
    events: int | None
    progress: float
    seconds: float
    fields: list[str]
    messages: list[SearchMessage]
    cut: bool
    by_event: bool


class Rows(BaseModel):
    """``rows`` are lists in the order of ``fields``: texts, numbers, lists of texts, null.

    ``_time`` is in epoch seconds."""

    fields: list[str]
    rows: list[list[Any]]


class Bucket(BaseModel):
    time: float
    count: int


class Timeline(BaseModel):
    """``span`` is the width of a bucket in seconds; empty buckets are left out. ``complete`` is
    false where it is still counted: ask again."""

    span: int
    buckets: list[Bucket]
    complete: bool


class TopValue(BaseModel):
    value: str
    count: int


class FieldStatistics(BaseModel):
    """``count``: rows that have the field; ``distinct``: its values there."""

    name: str
    count: int
    distinct: int
    numeric: bool
    least: float | None
    greatest: float | None
    mean: float | None
    top: list[TopValue]


class SearchText(BaseModel):
    search: str = Field(max_length=100_000)


class ExportFormat(StrEnum):
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"


@router.post("", status_code=201)
@asks(Permission.SEARCH)
def start_search(request: Request, new: NewSearch) -> SearchId:
    """Starts a search; it is queued where too many run."""
    wanted = SearchRequest(
        search=new.search, earliest=new.earliest, latest=new.latest, limit=new.limit
    )
    return SearchId(sid=_find_server(request).searches.start(wanted, _find_user(request)).sid)


@router.get("")
@asks(Permission.SEARCH)
def list_searches(request: Request) -> list[SearchStatus]:
    """The searches of the last minutes, the newest first."""
    server = _find_server(request)
    return [_describe(job, server) for job in server.searches.list(_find_user(request))]


@router.post("/check")
@asks(Permission.SEARCH)
def check(request: Request, text: SearchText) -> list[SearchMessage]:
    """What is wrong with a search; nothing of it is run."""
    problems = check_search(text.search, _find_server(request).make_workspace())
    return [describe_message(problem) for problem in problems]


@router.get("/{sid}")
@asks(Permission.SEARCH)
def read_search(request: Request, sid: str) -> SearchStatus:
    """How far a search is."""
    return _describe(_find_job(request, sid), _find_server(request))


@router.delete("/{sid}", status_code=204)
@asks(Permission.SEARCH)
def remove_search(request: Request, sid: str) -> Response:
    """Cancels a search, at once, and frees what it has found."""
    _find_server(request).searches.remove(_find_job(request, sid))
    return Response(status_code=204)


@router.post("/{sid}/finalize")
@asks(Permission.SEARCH)
def finalize_search(request: Request, sid: str) -> SearchStatus:
    """Ends a search, at once, which keeps what it has found."""
    server, job = _find_server(request), _find_job(request, sid)
    server.searches.finalize(job)
    return _describe(job, server)


@router.get("/{sid}/rows")
@asks(Permission.SEARCH)
def read_rows(
    request: Request,
    sid: str,
    offset: Annotated[int, Query(ge=0, le=1 << 40)] = 0,
    count: Annotated[int, Query(ge=0, le=MOST_PAGE)] = 100,
) -> Rows:
    """A page of the rows that there are so far."""
    job = _find_job(request, sid)
    page = cut_page(job.parts, offset, count)
    columns = [page[name].to_pylist() for name in page.column_names]
    rows = [list(map(simplify, row)) for row in zip(*columns, strict=True)]
    return Rows(fields=page.column_names, rows=rows)


@router.get("/{sid}/timeline")
@asks(Permission.SEARCH)
async def read_timeline(request: Request, sid: str) -> Timeline:
    """How many events the search finds, over the time. They are counted when this is asked for
    first, by a search of their own, which this waits for, some seconds."""
    job = _find_job(request, sid)
    counting = await run_in_threadpool(_find_server(request).searches.count_events, job)
    complete = await wait_for(counting, _TIMELINE_SECONDS)
    buckets = [Bucket(time=time, count=count) for time, count in counting.histogram]
    return Timeline(span=counting.span or 1, buckets=buckets, complete=complete)


@router.get("/{sid}/fields")
@asks(Permission.SEARCH)
def read_fields(request: Request, sid: str) -> list[FieldStatistics]:
    """The fields of the first 100,000 rows that there are, and their most frequent values."""
    job = _find_job(request, sid)
    return [
        FieldStatistics(
            name=field.name,
            count=field.count,
            distinct=field.distinct,
            numeric=field.numeric,
            least=field.least,
            greatest=field.greatest,
            mean=field.mean,
            top=[TopValue(value=value, count=count) for value, count in field.top],
        )
        for field in summarise_fields(job.parts)
    ]


@router.get("/{sid}/export", response_class=StreamingResponse)
@asks(Permission.SEARCH)
def export_rows(
    request: Request, sid: str, format: ExportFormat = ExportFormat.CSV
) -> StreamingResponse:
    """All rows that there are, as a file."""
    job = _find_job(request, sid)
    write, kind = {
        ExportFormat.CSV: (_write_csv, "text/csv; charset=utf-8"),
        ExportFormat.JSON: (_write_json, "application/json"),
        ExportFormat.JSONL: (_write_json_lines, "application/x-ndjson"),
    }[format]
    name = f'attachment; filename="search.{format.value}"'
    return StreamingResponse(write(job), media_type=kind, headers={"content-disposition": name})


def _write_csv(job: Job) -> Iterator[str]:
    """Rows as CSV; a text that a spreadsheet would take for a formula begins with an apostrophe."""
    fields = [*job.fields]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(map(_defuse, fields))
    for part in map(read_part, job.parts):
        for row in part.to_pylist():
            writer.writerow([_defuse(_as_text(row.get(name))) for name in fields])
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def _defuse(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "@", "\t", "\r")) else cell


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return "" if value is None else write_value(value)


def _write_json_lines(job: Job) -> Iterator[str]:
    for part in map(read_part, job.parts):
        yield "".join(json.dumps(row) + "\n" for row in _list_objects(part.to_pylist()))


def _write_json(job: Job) -> Iterator[str]:
    begin = "["
    for part in map(read_part, job.parts):
        for row in _list_objects(part.to_pylist()):
            yield begin + json.dumps(row)
            begin = ",\n"
    yield "[]" if begin == "[" else "]"


def _list_objects(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield {name: simplify(value) for name, value in row.items() if value is not None}


def describe_message(problem: Diagnostic) -> SearchMessage:
    """A diagnostic as JSON."""
    span = problem.span
    return SearchMessage(
        severity=problem.severity.value,
        code=problem.code,
        text=problem.message,
        line=span.line if span is not None else None,
        column=span.column if span is not None else None,
        end_line=span.end_line if span is not None else None,
        end_column=span.end_column if span is not None else None,
        help=problem.hint,
    )


def _describe(job: Job, server: Server) -> SearchStatus:
    return SearchStatus(
        sid=job.sid,
        state=job.state,
        search=job.request.search,
        earliest=job.request.earliest,
        latest=job.request.latest,
        rows=job.rows,
        events=job.events,
        progress=job.progress,
        seconds=round(job.count_seconds(server.clock.now()), 3),
        fields=[*job.fields],
        messages=[describe_message(message) for message in [*job.messages]],
        cut=job.cut,
        by_event=job.by_event,
    )


def _find_server(request: Request) -> Server:
    server: Server = request.app.state.server
    return server


def _find_user(request: Request) -> Principal:
    who: Principal = request.scope["principal"]
    return who


def _find_job(request: Request, sid: str) -> Job:
    return _find_server(request).searches.find(sid, _find_user(request))
