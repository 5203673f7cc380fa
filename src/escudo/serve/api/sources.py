"""How the sources of the lake do: rate, last event, lag, gaps, what is rejected or unmapped; the
page of sources shows it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from escudo.actions.source_activity import (
    Activity,
    Part,
    Rejections,
    find_extent,
    read_activity,
    read_rejections,
)
from escudo.core.errors import EscudoError
from escudo.core.timerange import TimeRange
from escudo.engines.duckdb.duckdb_engine import EVERY_INDEX
from escudo.serve.accounts.principal import Principal
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server

router = APIRouter(prefix="/api/sources", tags=["sources"])

RANGES = {"1h": 3600.0, "24h": 86_400.0, "7d": 7 * 86_400.0, "30d": 30 * 86_400.0}
"""Windows by name, in seconds up to now; beside them there is ``all``."""

ALL = "all"


class SourceRow(BaseModel):
    """One source in the window: see ``actions.source_activity``. ``lag`` is the age of its last
    event, in seconds."""

    name: str
    events: int
    first: float
    last: float
    lag: float
    delay: float | None
    gap: float
    unmapped: int
    counts: list[int]


class Sources(BaseModel):
    """``window`` is the one that was looked at: where nobody asked for one and the last day has no
    event, it is all time."""

    by: str
    window: str
    start: float
    end: float
    span: float
    left_out: int
    rows: list[SourceRow]


class RejectedFileRow(BaseModel):
    path: str
    events: int
    rejected: int
    ingested: float


class ReasonRow(BaseModel):
    code: str
    message: str
    count: int
    excerpt: str


class RejectedInput(BaseModel):
    """Input that gave no event: how much, of which files, and why."""

    total: int
    files: list[RejectedFileRow]
    reasons: list[ReasonRow]


@router.get("")
@asks(Permission.READ)
def list_sources(
    request: Request,
    by: Part = Part.SOURCETYPE,
    window: Annotated[str | None, Query(max_length=10)] = None,
) -> Sources:
    """The sources with most events in a window that ends now."""
    server: Server = request.app.state.server
    return find_sources(server, request.scope["principal"], by, window=window)


@router.get("/rejected")
@asks(Permission.READ)
def list_rejected(request: Request) -> RejectedInput:
    """What was rejected, at any time; for those who see every index.

    Raises:
        EscudoError: SRV076 for others.
    """
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    if EVERY_INDEX not in who.indexes:
        raise EscudoError("SRV076", "nobody knows of which index rejected input would have been")
    return show_rejections(read_rejections(server.lake))


def find_sources(server: Server, who: Principal, by: Part, *, window: str | None) -> Sources:
    """How the sources do in a window, as far as somebody sees their events.

    Raises:
        EscudoError: SRV070 for a window that has no such name.
    """
    now = server.clock.now()
    snapshot = server.lake.snapshot()
    engine = server.make_workspace_of(who).engine_of(snapshot)
    extent = find_extent(snapshot)
    name, within = _choose_window(window, extent, now)

    def ask() -> Activity:
        start, end = within.earliest or 0.0, within.latest or now
        return read_activity(server.lake, snapshot, engine, by=by, start=start, end=end)

    activity = server.sources.read(
        by,
        name,
        ask,
        indexes=who.indexes,
        commit=snapshot.commit.id,
        now=now,
        moves=name != ALL,
    )
    return _show(activity, by=by, window=name, now=now)


def _choose_window(name: str | None, extent: TimeRange | None, now: float) -> tuple[str, TimeRange]:
    if name is None:
        last = extent.latest if extent is not None else None
        name = "24h" if last is None or last > now - RANGES["24h"] else ALL
    if name == ALL:
        return name, extent or TimeRange(now - RANGES["24h"], now)
    if name not in RANGES:
        known = ", ".join([*RANGES, ALL])
        raise EscudoError("SRV070", f"no window is named {name!r}", hint=f"one of: {known}")
    return name, TimeRange(now - RANGES[name], now + 1)


def _show(activity: Activity, *, by: Part, window: str, now: float) -> Sources:
    return Sources(
        by=by.value,
        window=window,
        start=activity.start,
        end=activity.end,
        span=activity.span,
        left_out=activity.left_out,
        rows=[
            SourceRow(
                name=s.name,
                events=s.events,
                first=s.first,
                last=s.last,
                lag=max(0.0, now - s.last),
                delay=s.delay,
                gap=s.gap,
                unmapped=s.unmapped,
                counts=list(s.counts),
            )
            for s in activity.sources
        ],
    )


def show_rejections(rejections: Rejections) -> RejectedInput:
    """Rejected input as the API has it."""
    return RejectedInput(
        total=rejections.total,
        files=[
            RejectedFileRow(path=f.path, events=f.events, rejected=f.rejected, ingested=f.ingested)
            for f in rejections.files
        ],
        reasons=[
            ReasonRow(code=r.code, message=r.message, count=r.count, excerpt=r.excerpt)
            for r in rejections.reasons
        ],
    )
