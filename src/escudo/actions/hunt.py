"""Logs or a lake, detections -> matches, risk and findings; called by ``escudo hunt``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

import pyarrow as pa

from escudo.actions.baseline import learn_baselines
from escudo.actions.ingest import Ingested, ingest_logs
from escudo.actions.narrowing import DEPRECATED, Narrowing
from escudo.actions.workspace import Workspace
from escudo.content import Baseline, Content, Deployment, Detection
from escudo.core.catalog import Knowledge
from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.interrupts import find_stop, meet_stop
from escudo.core.ordered_map import map_in_order
from escudo.core.spooled import spool
from escudo.core.spread import Spread
from escudo.core.timerange import TimeRange
from escudo.detect import Match, run_detections
from escudo.detect.attempt import attempt
from escudo.detect.baselines import BaselineRun, select_needed, sort_baselines
from escudo.detect.row_times import date_matches
from escudo.detect.sliding import find_span, run_sliding
from escudo.findings import Judgement, Schemas, judge_match
from escudo.findings.risk import sum_risk
from escudo.findings.store import write_judgements
from escudo.lake.effects import Change, carry_out
from escudo.lake.ingest_options import IngestOptions
from escudo.lake.report import IngestReport, Progress, Silent
from escudo.lake.tables import RISK
from escudo.sources.date_order import DateOrder
from escudo.sources.inventory import Inventory, read_lists
from escudo.sources.opening import UnpackLimits


@dataclass(frozen=True, kw_only=True, slots=True)
class HuntPlan:
    """The detections that a hunt runs, and the baselines that it runs before them.

    ``deprecated`` counts those that are left out since nobody asked for them; ``disabled`` are
    those that were asked for by name and are not run, since their content turns them off.
    """

    detections: tuple[Detection, ...]
    baselines: tuple[Baseline, ...] = ()
    deprecated: int = 0
    disabled: tuple[Detection, ...] = ()


def plan_hunt(
    content: Content,
    *,
    names: Sequence[str] = (),
    stories: Sequence[str] = (),
    narrowing: Narrowing | None = None,
    with_baselines: bool = False,
) -> HuntPlan:
    """The detections by name or id and of the stories; all of the content without either.

    Deprecated ones are left out unless they are named, or the narrowing asks for their status.

    Args:
        narrowing: what they must be besides.
        with_baselines: also the baselines that these detections name; all of the content if all
            detections run.

    Raises:
        EscudoError: CON205 where there is no detection of a name, CLI001 no story of a name,
            CLI009 where the narrowing leaves none.
    """
    narrowing = narrowing or Narrowing()
    named = {content.detection(name).id for name in names}
    chosen: Sequence[Detection] = content.detections
    if names or stories:
        chosen = sorted(_find_named(content, names, stories), key=lambda d: d.name)
    asked = narrowing.keep(chosen, content)
    kept = [
        d for d in asked if d.status != DEPRECATED or d.id in named or narrowing.wants_deprecated
    ]
    disabled = tuple(d for d in kept if d.id in named and not d.enabled)
    if chosen and len(kept) == len(disabled):
        raise _find_nothing_left(len(chosen), deprecated=len(asked) - len(kept), disabled=disabled)
    baselines: Sequence[Baseline] = ()
    if with_baselines:
        whole = len(asked) == len(content.detections)
        baselines = sort_baselines(content) if whole else select_needed(content, kept)
    return HuntPlan(
        detections=tuple(kept),
        baselines=tuple(baselines),
        deprecated=len(asked) - len(kept),
        disabled=disabled,
    )


def _find_nothing_left(
    chosen: int, *, deprecated: int, disabled: Sequence[Detection]
) -> EscudoError:
    """The error that says why no detection is left."""
    hint = None
    if disabled:
        names = ", ".join(repr(d.name) for d in disabled)
        hint = f"{names}: turned off by the content; `enabled: true` in an overlay turns it on"
    elif deprecated:
        hint = f"{deprecated:,} are deprecated; --status deprecated asks for them"
    return EscudoError("CLI009", f"none of {chosen:,} detections is left to run", hint=hint)


def _find_named(
    content: Content, names: Sequence[str], stories: Sequence[str]
) -> Iterable[Detection]:
    chosen = {d.id: d for d in map(content.detection, names)}
    for story in stories:
        wanted = story.lower()
        of_story = [
            d for d in content.detections if wanted in (s.lower() for s in d.tags.analytic_story)
        ]
        if not of_story:
            raise EscudoError("CLI001", f"no detection belongs to a story named {story!r}")
        chosen.update((d.id, d) for d in of_story)
    return chosen.values()


@dataclass(frozen=True)
class Hunt:
    """What a hunt found: a judgement for each detection that ran, in the order of their names.

    ``changes`` is what their searches themselves wrote into the lake; ``schemas`` are the tables
    that risk events and findings went to.
    """

    judgements: tuple[Judgement, ...]
    matches: tuple[Match, ...]
    changes: tuple[Change, ...]
    schemas: Schemas
    stopped: KeyboardInterrupt | None = None
    """What ended the hunt before all detections had run, if something did."""

    def hits(self) -> Iterator[tuple[Match, Judgement]]:
        """The detections that found something."""
        return (
            (m, j) for m, j in zip(self.matches, self.judgements, strict=True) if m.rows.num_rows
        )

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """What was wrong with the detections themselves, errors first."""
        said = [d for m in self.matches for d in m.diagnostics]
        return sorted(said, key=lambda d: d.severity is not Severity.ERROR)

    @property
    def failed(self) -> int:
        """How many detections could not be run."""
        return sum(m.failed for m in self.matches)

    def sum_risk(self) -> pa.Table | None:
        """The risk of each object, as ``findings.risk.sum_risk``; None where there is no risk."""
        parts = [j.risk_events for j in self.judgements if j.risk_events.num_rows]
        if not parts:
            return None
        return sum_risk(pa.concat_tables(parts, promote_options="default"), self.schemas.risk)


@dataclass(frozen=True)
class LogHunt:
    """A hunt through logs: what came in, what baselines learned from it, what was found."""

    ingested: Ingested
    learned: tuple[BaselineRun, ...]
    hunt: Hunt

    @property
    def failed(self) -> bool:
        """Whether part of the input did not come in, or a search could not be run."""
        return self.ingested.failed or bool(self.hunt.failed) or any(r.failed for r in self.learned)


class HuntFollower:
    """Is told how far a hunt is, from the thread that hunts; this one does not care.

    ``follow_baselines`` and ``follow_detections`` are given what will run and yield it one by one.
    """

    def follow_ingest(self) -> AbstractContextManager[Progress]:
        """What is told of the ingest; it is left when the logs are read."""
        return nullcontext(Silent())

    def tell_ingested(self, ingested: Ingested) -> None:
        """The logs are in the lake."""

    def follow_baselines(self, baselines: Sequence[Baseline]) -> Iterable[Baseline]:
        """Baselines are run."""
        return baselines

    def tell_learned(self, runs: Sequence[BaselineRun]) -> None:
        """The baselines have run."""

    def follow_detections(self, detections: Sequence[Detection]) -> Iterable[Detection]:
        """Detections are run; correlations are a second list."""
        return detections


def hunt_logs(
    logs: Sequence[Path | str],
    workspace: Workspace,
    plan: HuntPlan,
    *,
    date_order: DateOrder | None = None,
    follower: HuntFollower | None = None,
    limits: UnpackLimits | None = None,
    spread: Spread | None = None,
) -> LogHunt:
    """Reads logs into a lake, runs baselines and detections over it; see ``hunt_lake``.

    Baselines look at the time before the detections' begins; where that is open, at all of it.

    Args:
        logs: files, folders, archives; ``-`` is standard input. Without any, what the lake holds
            is hunted.
        limits: what each file may unpack to.
        date_order: how dates like 03/05/2024 are read; without it they are no times.
        spread: the machines that read the logs; this process unless given.

    Raises:
        EscudoError: CLI004 where no input holds a log; what ``hunt_lake`` and the lake raise.
    """
    follower = follower or HuntFollower()
    ingested = Ingested(IngestReport(), (), workspace.lake.rejected_folder)
    if logs:
        with follower.follow_ingest() as progress:
            ingested = ingest_logs(
                logs,
                workspace.lake,
                IngestOptions(
                    date_order=date_order,
                    limits=limits,
                    names=partial(_read_names, workspace.knowledge),
                ),
                progress=progress,
                spread=spread,
            )
        follower.tell_ingested(ingested)
        ingested.require_logs()
    learned: list[BaselineRun] = []
    if plan.baselines:
        within = workspace.within
        end = within.latest if within.earliest is None else within.earliest
        before = replace(workspace, within=TimeRange(None, end))
        learned = learn_baselines(plan.baselines, before, follow=follower.follow_baselines)
        follower.tell_learned(learned)
    hunt = hunt_lake(plan.detections, workspace, follow=follower.follow_detections)
    return LogHunt(ingested, tuple(learned), hunt)


def _read_names(knowledge: Knowledge) -> Inventory:
    """The hosts and users that the content's CSV lookups name."""
    defined = map(knowledge.lookup, knowledge.lookups())
    paths = {d.path for d in defined if d is not None and d.path is not None}
    return read_lists([path for path in sorted(paths) if Path(path).is_file()])


def hunt_lake(
    detections: Sequence[Detection],
    workspace: Workspace,
    *,
    follow: Callable[[Sequence[Detection]], Iterable[Detection]] = iter,
) -> Hunt:
    """Runs detections over what a lake holds now, and writes their risk events and findings.

    What a search writes itself (lookups, models, events of an index) is in the lake before the
    next one runs, although several may run at once; none may delete events. Correlations read the
    risk that the others wrote, so they run after them; one with a schedule of its own runs window
    by window over the times of the risk events (``detect.sliding``). What is found has the time of
    its events. Detections that are not enabled are left out. ``follow`` is given each list of
    detections and yields them one by one (a progress bar). On Ctrl-C the detections that have run
    are judged, and the hunt says what stopped it.

    Raises:
        EscudoError: CLI002 where a detection's type has no deployment; what the lake says.
    """
    first = [d for d in detections if d.enabled and d.type != "Correlation"]
    then = [d for d in detections if d.enabled and d.type == "Correlation"]
    lake = workspace.lake
    schemas = Schemas.find(lake.snapshot())
    matches: list[Match] = []
    judgements: list[Judgement] = []
    changes: list[Change] = []
    stopped: KeyboardInterrupt | None = None
    for group in filter(None, (first, then)):
        snapshot = lake.snapshot()
        engine = workspace.engine_of(snapshot)
        at_once = [d for d in group if find_span(d) is None]
        sliding = [d for d in group if find_span(d) is not None]
        group = [*at_once, *sliding]
        run_one_sliding = partial(
            run_sliding,
            catalog=snapshot,
            engine=engine,
            knowledge=workspace.knowledge,
            table_name=RISK,
            within=workspace.within,
            now=workspace.now,
        )
        matched = chain(
            run_detections(
                at_once,
                snapshot,
                engine,
                workspace.knowledge,
                within=workspace.within,
                now=workspace.now,
                screener=workspace.screener,
            ),
            map_in_order(
                run_one_sliding,
                sliding,
                threads=engine.at_once,
                changes=lambda match: bool(match.effects),
                is_stale=lambda match: match.is_stale(workspace.knowledge),
            ),
        )
        of_group: list[Match] = []
        try:
            for _, match in zip(follow(group), matched, strict=True):
                of_group.append(_spool_match(_carry_out(match, workspace, changes)))
        except KeyboardInterrupt as error:
            meet_stop()
            stopped = find_stop(error)
        of_group = date_matches(of_group, snapshot, engine)
        deployments = _deployments(workspace.content, of_group)
        judged = [judge_match(m, deployments, schemas) for m in of_group]
        write_judgements(lake, judged, schemas)
        matches += of_group
        judgements += judged
        if stopped is not None:
            break
    return Hunt(tuple(judgements), tuple(matches), tuple(changes), schemas, stopped)


def _spool_match(match: Match) -> Match:
    """The match with its rows in files where they are many: a hunt keeps all of them."""
    beside = pa.table({"files": match.source_files, "ids": match.event_ids})
    rows, beside = spool(match.rows), spool(beside)
    return replace(match, rows=rows, source_files=beside["files"], event_ids=beside["ids"])


def _carry_out(match: Match, workspace: Workspace, changes: list[Change]) -> Match:
    """The match once what its search asks to be written is written, and told in ``changes``; why
    it is not is among its diagnostics."""
    name = match.detection.search_name
    write = partial(
        carry_out, match.effects, workspace.lake, workspace.content.knowledge, search=name
    )
    done = attempt(write, name=match.detection.name)
    if isinstance(done, Diagnostic):
        return replace(match, diagnostics=(*match.diagnostics, done))
    changes += done
    return match


def _deployments(content: Content, matches: Sequence[Match]) -> Mapping[str, Deployment]:
    missing = {m.detection.type for m in matches} - set(content.deployments)
    if missing:
        raise EscudoError("CLI002", f"no deployment for detections of type {', '.join(missing)}")
    return content.deployments
