"""The pages of detections: the catalogue, one detection, stories, ATT&CK's matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from escudo.actions.detection_catalog import (
    CatalogRow,
    Coverage,
    DataState,
    build_matrix,
    rate_row,
)
from escudo.content.elements.detection import STATUSES, TYPES
from escudo.findings.attack import load_techniques
from escudo.serve.api.detections import find_row, read_rows
from escudo.serve.pages.rendering import render
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server

router = APIRouter(include_in_schema=False)

PAGE = 100
"""Detections of one page."""

_SORTS: dict[str, Callable[[CatalogRow], Any]] = {
    "name": lambda row: row.detection.name.lower(),
    "findings": lambda row: -(row.findings + row.risk_events),
    "last": lambda row: -(row.last.ran or 0),
    "cost": lambda row: -(row.last.cost or 0),
}

Text = Annotated[str, Query(max_length=400)]


@router.get("/detections")
@asks(Permission.READ)
def show_detections(
    request: Request,
    q: Text = "",
    type: Text = "",
    status: Text = "",
    data: Text = "",
    on: Text = "",
    story: Text = "",
    technique: Text = "",
    sort: Text = "name",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """The catalogue, as far as the filters let it through."""
    every = read_rows(request)
    filters = {
        "q": q, "type": type, "status": status, "data": data, "on": on,
        "story": story, "technique": technique,
    }  # fmt: skip
    found = sorted(
        (r for r in every if _is_wanted(r, filters)), key=_SORTS.get(sort, _SORTS["name"])
    )
    given = {name: value for name, value in filters.items() if value}
    return render(
        request,
        "detections.html",
        rows=found[(page - 1) * PAGE : page * PAGE],
        found=len(found),
        total=len(every),
        page=page,
        pages=max(1, -(-len(found) // PAGE)),
        first=(page - 1) * PAGE,
        filters=filters,
        given=given,
        sort=sort if sort in _SORTS else "name",
        address=lambda **changes: "/detections?" + urlencode({**given, "sort": sort, **changes}),
        types=TYPES,
        statuses=STATUSES,
        stories=sorted({s for r in every for s in r.detection.tags.analytic_story}),
        counts=Counter(r.data.value for r in every if r.detection.enabled),
        off=sum(not r.detection.enabled for r in every),
        failing=sum(bool(r.last.error) for r in every),
    )


def _is_wanted(row: CatalogRow, filters: dict[str, str]) -> bool:
    detection, tags = row.detection, row.detection.tags
    words = filters["q"].lower().split()
    text = " ".join((detection.name, detection.description, detection.id, *tags.mitre_attack_id))
    technique = filters["technique"]
    return (
        all(word in text.lower() for word in words)
        and filters["type"] in ("", detection.type)
        and filters["status"] in ("", detection.status)
        and filters["data"] in ("", row.data.value)
        and filters["on"] in ("", "on" if detection.enabled else "off")
        and (not filters["story"] or filters["story"] in tags.analytic_story)
        and (
            not technique
            or any(t == technique or t.startswith(f"{technique}.") for t in tags.mitre_attack_id)
        )
    )


@router.get("/detections/{identity}")
@asks(Permission.READ)
def show_detection(request: Request, identity: str) -> Response:
    """One detection."""
    server: Server = request.app.state.server
    row = find_row(request, identity)
    techniques = load_techniques()
    return render(
        request,
        "detection.html",
        row=row,
        detection=row.detection,
        switch=server.contents.find_switch(row.detection.id),
        techniques=[(t, techniques.get(t)) for t in row.detection.tags.mitre_attack_id],
        links=[r for r in row.detection.references if r.startswith(("https://", "http://"))],
        texts=[r for r in row.detection.references if not r.startswith(("https://", "http://"))],
        states=DataState,
    )


@router.get("/stories")
@asks(Permission.READ)
def show_stories(request: Request) -> Response:
    """All stories that the content has, or that its detections name."""
    server: Server = request.app.state.server
    rows = read_rows(request)
    by_story: dict[str, list[CatalogRow]] = {s.name: [] for s in server.content.stories}
    for row in rows:
        for name in row.detection.tags.analytic_story:
            by_story.setdefault(name, []).append(row)
    texts = {s.name: s.description for s in server.content.stories}
    stories = [
        (name, texts.get(name, ""), of_story, _count_covered(of_story))
        for name, of_story in sorted(by_story.items(), key=lambda item: item[0].lower())
    ]
    return render(request, "stories.html", stories=stories)


def _count_covered(rows: Sequence[CatalogRow]) -> int:
    return sum(rate_row(row) is Coverage.COVERED for row in rows)


@router.get("/stories/{name:path}")
@asks(Permission.READ)
def show_story(request: Request, name: str) -> Response:
    """A story with its detections."""
    server: Server = request.app.state.server
    rows = [r for r in read_rows(request) if name in r.detection.tags.analytic_story]
    story = server.content.story(name)
    if story is None and not rows:
        raise HTTPException(404)
    return render(
        request, "story.html", name=name, story=story, rows=rows, covered=_count_covered(rows)
    )


@router.get("/attack")
@asks(Permission.READ)
def show_matrix(request: Request) -> Response:
    """ATT&CK's tactics and techniques, coloured by how the detections cover them."""
    matrix = build_matrix(read_rows(request))
    cells = {cell.technique.id: cell for _, cells in matrix for cell in cells}
    counts = Counter(cell.coverage for cell in cells.values())
    return render(
        request,
        "matrix.html",
        matrix=matrix,
        counts={coverage.value: counts[coverage] for coverage in Coverage},
        total=len(cells),
    )
