"""The catalogue of detections: what each is, whether its data is here, when it ran, what it found;
turning it on and off, its schedule, its tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from escudo.actions.detection_catalog import CatalogRow, build_matrix
from escudo.actions.detection_switches import Switch, check_schedule
from escudo.actions.navigator import build_layer
from escudo.content.elements.common import Schedule
from escudo.core.errors import EscudoError
from escudo.serve.accounts.principal import Principal
from escudo.serve.guard import find_address
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server
from escudo.serve.test_runs import TestRun

router = APIRouter(prefix="/api", tags=["detections"])

_MOST_PROBLEMS = 20


class Need(BaseModel):
    """A data source or dataset that a detection reads; ``state``: here, missing, unknown."""

    name: str
    origin: str
    state: str


class When(BaseModel):
    """A cron line, and the window of a run by times relative to when it is due."""

    cron: str = Field(min_length=1, max_length=200)
    earliest: str = Field("", max_length=100)
    latest: str = Field("", max_length=100)


class DetectionRow(BaseModel):
    """Times are epoch seconds, ``cost`` is seconds of a run on average; ``findings`` and
    ``risk_events`` are those of the last seven days."""

    id: str
    name: str
    type: str
    status: str
    enabled: bool
    stories: list[str]
    techniques: list[str]
    data: str
    needs: list[Need]
    schedule: When | None
    last_run: float | None
    cost: float | None
    failed: int
    error: str
    findings: int
    risk_events: int
    tests: int


class Change(BaseModel):
    """What to change of a detection; what is left out stays. ``reset`` makes all as the content
    has it."""

    enabled: bool | None = None
    schedule: When | None = None
    reset: bool = False


class TestRow(BaseModel):
    """One test; ``outcome`` is None while it has not run."""

    name: str
    negative: bool
    outcome: str | None
    rows: int | None
    seconds: float | None
    reason: str
    problems: list[str]


class TestRunRow(BaseModel):
    """``state``: running, done, stopped, failed; ``error`` says why it failed."""

    run: str
    detection: str
    state: str
    error: str
    done: int
    total: int
    tests: list[TestRow]


class TechniqueRow(BaseModel):
    """``coverage``: covered, data (its detections miss their data), off, none."""

    id: str
    name: str
    coverage: str
    detections: list[str]


class TacticRow(BaseModel):
    id: str
    name: str
    techniques: list[TechniqueRow]


@router.get("/detections")
@asks(Permission.READ)
def list_detections(request: Request) -> list[DetectionRow]:
    """All detections, by name."""
    return [describe(row) for row in read_rows(request)]


@router.get("/detections/{identity}")
@asks(Permission.READ)
def read_detection(request: Request, identity: str) -> DetectionRow:
    """One detection, by its id or name."""
    return describe(find_row(request, identity))


@router.patch("/detections/{identity}")
@asks(Permission.TUNE)
def change_detection(request: Request, identity: str, change: Change) -> DetectionRow:
    """Turns a detection on or off, or gives it another schedule; from the next moment on."""
    server: Server = request.app.state.server
    who: Principal = request.scope["principal"]
    detection = server.content.detection(identity)
    before = Switch() if change.reset else server.contents.find_switch(detection.id)
    schedule = before.schedule
    if change.schedule is not None:
        schedule = Schedule(
            change.schedule.cron.strip(),
            change.schedule.earliest.strip(),
            change.schedule.latest.strip(),
        )
        try:
            check_schedule(schedule)
        except EscudoError as error:
            raise EscudoError("SRV071", error.diagnostic.message) from error
    enabled = before.enabled if change.enabled is None else change.enabled
    switch = Switch(enabled=enabled, schedule=schedule)
    server.contents.switch(detection.id, switch, now=server.clock.now())
    server.accounts.audit.note(
        "change detection",
        who=who.name,
        address=find_address(request),
        target=detection.name,
        **change.model_dump(exclude_unset=True),
    )
    return describe(find_row(request, detection.id))


@router.post("/detections/{identity}/tests", status_code=202)
@asks(Permission.TUNE)
def start_tests(request: Request, identity: str) -> TestRunRow:
    """Runs the tests of a detection, in a process of their own."""
    server: Server = request.app.state.server
    detection = server.content.detection(identity)
    own = server.lake.tables.families.own
    folders = tuple({Path(family.definition.file).parent for family in own})
    return describe_run(server.test_runs.start(detection, server.content, folders))


@router.get("/test-runs/{run}")
@asks(Permission.TUNE)
def read_run(request: Request, run: str) -> TestRunRow:
    """How far tests are."""
    server: Server = request.app.state.server
    return describe_run(server.test_runs.find(run))


@router.delete("/test-runs/{run}", status_code=204)
@asks(Permission.TUNE)
def stop_run(request: Request, run: str) -> Response:
    """Ends tests."""
    server: Server = request.app.state.server
    server.test_runs.stop(run)
    return Response(status_code=204)


@router.get("/attack")
@asks(Permission.READ)
def read_matrix(request: Request) -> list[TacticRow]:
    """ATT&CK's tactics with their techniques, and how the detections cover each."""
    return [
        TacticRow(
            id=tactic.id,
            name=tactic.name,
            techniques=[
                TechniqueRow(
                    id=cell.technique.id,
                    name=cell.technique.name,
                    coverage=cell.coverage.value,
                    detections=[row.detection.name for row in cell.detections],
                )
                for cell in cells
            ],
        )
        for tactic, cells in build_matrix(read_rows(request))
    ]


@router.get("/attack/layer")
@asks(Permission.READ)
def read_layer(request: Request) -> dict[str, object]:
    """A layer for the ATT&CK Navigator: techniques with the findings of the last seven days."""
    rows = read_rows(request)
    found = ((row.detection, row.findings + row.risk_events) for row in rows)
    return build_layer((d, n) for d, n in found if d.enabled)


def read_rows(request: Request) -> Sequence[CatalogRow]:
    """The catalogue, as it is now."""
    server: Server = request.app.state.server
    return server.catalog.read(
        server.content,
        server.lake,
        server.state,
        engine=server.engine_of(server.lake.snapshot()),
        now=server.clock.now(),
    )


def find_row(request: Request, identity: str) -> CatalogRow:
    """One detection. Raises EscudoError: CON205 for a name or id that none has."""
    server: Server = request.app.state.server
    wanted = server.content.detection(identity).id
    return next(row for row in read_rows(request) if row.detection.id == wanted)


def describe(row: CatalogRow) -> DetectionRow:
    """A detection as JSON."""
    detection, schedule = row.detection, row.schedule
    when = None
    if schedule is not None and schedule.cron:
        when = When(cron=schedule.cron, earliest=schedule.earliest, latest=schedule.latest)
    return DetectionRow(
        id=detection.id,
        name=detection.name,
        type=detection.type,
        status=detection.status,
        enabled=detection.enabled,
        stories=list(detection.tags.analytic_story),
        techniques=list(detection.tags.mitre_attack_id),
        data=row.data.value,
        needs=[Need(name=n.name, origin=n.origin, state=n.state.value) for n in row.needs],
        schedule=when,
        last_run=row.last.ran,
        cost=row.last.cost,
        failed=row.last.failed,
        error=row.last.error,
        findings=row.findings,
        risk_events=row.risk_events,
        tests=len(detection.tests),
    )


def describe_run(run: TestRun) -> TestRunRow:
    """A run of tests as JSON."""
    results = dict(run.results)
    tests = []
    for number, planned in enumerate(run.planned):
        result = results.get(number)
        tests.append(
            TestRow(
                name=planned.test.name,
                negative=planned.test.negative,
                outcome=result.outcome.value if result is not None else None,
                rows=result.rows if result is not None else None,
                seconds=round(result.seconds, 3) if result is not None else None,
                reason=(result.reason or "") if result is not None else "",
                problems=[p.message for p in result.problems[:_MOST_PROBLEMS]] if result else [],
            )
        )
    return TestRunRow(
        run=run.id,
        detection=run.detection.name,
        state=run.state,
        error=run.error,
        done=len(results),
        total=len(run.planned),
        tests=tests,
    )
