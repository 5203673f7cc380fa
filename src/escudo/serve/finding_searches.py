"""A finding -> the rows of its drilldowns, and the events behind it, by a search process like any
other search of the user's, within his role's limits; pages and the API call it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from escudo.actions.shown_rows import iterate_rows
from escudo.actions.triage import Evidence, OpenedFinding, plan_drilldown
from escudo.core.errors import Diagnostic, EscudoError
from escudo.serve.accounts.principal import Principal
from escudo.serve.searches.job import Job, JobState, SearchRequest
from escudo.serve.searches.results import cut_page
from escudo.serve.server import Server


@dataclass(frozen=True, slots=True)
class DrilldownRows:
    """The first rows of a drilldown, the fields that have a value in them, and how many rows there
    are; ``cut``: there are more, beyond what the role may have. ``problem`` says why there are
    none."""

    fields: tuple[str, ...] = ()
    rows: Sequence[Mapping[str, Any]] = ()
    total: int = 0
    cut: bool = False
    problem: Diagnostic | None = None


def run_drilldown(
    server: Server, who: Principal, opened: OpenedFinding, number: int, *, most: int
) -> DrilldownRows:
    """Runs a drilldown, and waits for it.

    Raises:
        EscudoError: TRI005 where the finding has no such drilldown, SRV031 where too many searches
            of his wait.
    """
    try:
        planned = plan_drilldown(opened, number)
    except EscudoError as error:
        if error.code == "TRI005":
            raise
        return DrilldownRows(problem=error.diagnostic)
    request = SearchRequest(
        search=planned.text, within=planned.within, now=planned.now, brief=False
    )
    job = server.searches.start(request, who)
    try:
        job.wait()
        if job.state is not JobState.DONE:
            return DrilldownRows(problem=_explain_end(job))
        rows = tuple(iterate_rows(cut_page(job.parts, 0, most), server.settings.zone))
        held = {name for row in rows for name in row}
        fields = tuple(name for name in job.fields if name in held)
        return DrilldownRows(fields, rows, job.rows, job.cut)
    finally:
        server.searches.remove(job)


def look_for_evidence(server: Server, who: Principal, opened: OpenedFinding) -> Evidence:
    """Looks for what is behind a finding, and waits for it.

    Raises:
        EscudoError: SRV031 where too many searches of his wait.
    """
    job = server.searches.find_evidence(opened, who)
    try:
        job.wait()
        return job.evidence or Evidence(problem=_explain_end(job).message)
    finally:
        server.searches.remove(job)


def _explain_end(job: Job) -> Diagnostic:
    return job.messages[-1] if job.messages else Diagnostic("SRV034", "it was ended")
