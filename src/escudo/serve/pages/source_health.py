"""The page of sources: how much of each comes, when last, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from escudo.actions.source_activity import Part, read_rejections
from escudo.engines.duckdb.duckdb_engine import EVERY_INDEX
from escudo.serve.accounts.principal import Principal
from escudo.serve.api.sources import ALL, RANGES, find_sources
from escudo.serve.pages.rendering import render
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server

router = APIRouter(include_in_schema=False)

MOST_ROWS = 200
"""Rows of the page; the API gives more."""

QUIET_SECONDS = 86_400.0
"""Seconds without an event after which a source is called silent."""

_NAMES = {"1h": "Last hour", "24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days"}


@router.get("/sources")
@asks(Permission.READ)
def show_sources(
    request: Request,
    by: Part = Part.SOURCETYPE,
    window: Annotated[str | None, Query(max_length=10)] = None,
) -> Response:
    """The sources with most events, by source type, source, host or index."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    sources = find_sources(server, who, by, window=window)
    rows = sources.rows[:MOST_ROWS]
    return render(
        request,
        "sources.html",
        sources=sources,
        rows=[(row, draw_bars(row.counts)) for row in rows],
        left_out=sources.left_out + len(sources.rows) - len(rows),
        parts=list(Part),
        windows=[(name, _NAMES[name]) for name in RANGES] + [(ALL, "All time")],
        events=sum(row.events for row in sources.rows),
        unmapped=sum(row.unmapped for row in sources.rows),
        silent=sum(row.lag > QUIET_SECONDS for row in sources.rows),
        quiet=QUIET_SECONDS,
        rejections=read_rejections(server.lake, most=20) if EVERY_INDEX in who.indexes else None,
    )


def draw_bars(counts: Sequence[int], *, width: int = 192, height: int = 28) -> str:
    """Counts -> the path of an SVG, a bar each.

    >>> draw_bars([1, 0, 2], width=3, height=10)
    'M0 10V5h1V10zM2 10V0h1V10z'
    """
    most = max(counts, default=0)
    if not most:
        return ""
    step = width / len(counts)
    bars = []
    for at, count in enumerate(counts):
        if count:
            top = height - max(1.0, height * count / most)
            bars.append(f"M{at * step:g} {height}V{top:g}h{step:g}V{height}z")
    return "".join(bars)
