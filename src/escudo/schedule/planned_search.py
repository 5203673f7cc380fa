"""Content -> the searches that are run by their schedules; planning and workers call it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from escudo.content import Baseline, Content, Deployment, Detection
from escudo.core.errors import Diagnostic, EscudoError
from escudo.schedule.timetable import Timetable, read_timetable

BASELINE = "Baseline"

_STAGES = {BASELINE: 0, "Correlation": 2}
_USUAL_STAGE = 1
STAGE_OF_CORRELATIONS = 2


@dataclass(frozen=True, slots=True)
class PlannedSearch:
    """A version of a detection or baseline, and when it is due.

    What is due at the same time runs stage by stage: baselines, detections, then correlations,
    which read the risk that the detections gave.
    """

    element: Detection | Baseline
    kind: str
    version: str
    timetable: Timetable

    @property
    def identity(self) -> str:
        return self.element.id or self.element.name

    @property
    def stage(self) -> int:
        return _STAGES.get(self.kind, _USUAL_STAGE)


def plan_searches(
    content: Content,
    detections: Sequence[Detection],
    baselines: Sequence[Baseline] = (),
    *,
    zone: tzinfo = UTC,
    skew: float = 0.0,
) -> tuple[list[PlannedSearch], list[Diagnostic]]:
    """The searches with their timetables, and why others have none.

    A search's own schedule goes before its type's deployment. Detections that are not enabled are
    left out.

    Args:
        zone: the time zone of cron lines.
        skew: see ``read_timetable``.
    """
    planned: list[PlannedSearch] = []
    problems: list[Diagnostic] = []
    elements: list[tuple[Detection | Baseline, str]] = [(b, BASELINE) for b in baselines]
    elements += [(d, d.type) for d in detections if d.enabled]
    for element, kind in elements:
        try:
            schedule = element.schedule or _find_deployment(content, kind).schedule
            timetable = read_timetable(
                schedule, identity=element.id or element.name, zone=zone, skew=skew
            )
        except EscudoError as error:
            told = error.diagnostic
            problems.append(Diagnostic(told.code, f"{element.name}: {told.message}"))
            continue
        planned.append(PlannedSearch(element, kind, find_version(element), timetable))
    return planned, problems


def find_version(element: Detection | Baseline) -> str:
    """What tells a version of a search from others: its number and its text."""
    digest = hashlib.blake2b(element.search.encode(), digest_size=12).hexdigest()
    return f"{element.version}.{digest}"


def _find_deployment(content: Content, kind: str) -> Deployment:
    deployment = content.deployments.get(kind)
    if deployment is None:
        raise EscudoError("SCH005", f"no deployment for type {kind}")
    return deployment
