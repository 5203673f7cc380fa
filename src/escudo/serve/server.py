"""A lake, content, a state, settings -> all that answers requests, and what works beside it;
``app`` makes routes over it, ``escudo serve`` opens it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Event, Thread

from escudo.actions.hunt import HuntPlan, plan_hunt
from escudo.actions.maintain import Maintenance
from escudo.actions.narrowing import Narrowing
from escudo.actions.run import RunOptions, prepare_worker, run_daemon, take_content
from escudo.actions.run_metrics import RunMeter
from escudo.actions.workspace import EngineOf, Workspace
from escudo.content import Content
from escudo.content.elements.detection import STATUSES
from escudo.core.catalog import Catalog
from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.event_log import ERROR, log_event
from escudo.core.metrics import Metrics
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.detect.screening import Screener
from escudo.engines.duckdb.duckdb_engine import EVERY_INDEX, DuckDBEngine
from escudo.engines.execute import Engine
from escudo.inputs.receiver import Receiver
from escudo.lake import Lake
from escudo.lake.policy import Policy
from escudo.schedule.clock import Clock, SystemClock
from escudo.schedule.database import State
from escudo.serve.accounts.audit import DONE, REFUSED, Audit
from escudo.serve.accounts.authenticate import Accounts
from escudo.serve.accounts.principal import Principal
from escudo.serve.accounts.roles import Roles
from escudo.serve.accounts.sessions import Sessions
from escudo.serve.accounts.tokens import Tokens
from escudo.serve.accounts.users import Users
from escudo.serve.configuration import Configuration
from escudo.serve.kvstore import COLLECTION, Collections
from escudo.serve.live_catalog import LiveCatalog
from escudo.serve.live_content import LiveContent
from escudo.serve.live_sources import LiveSources
from escudo.serve.saved_searches import NOBODY, SavedSearches
from escudo.serve.searches.board import Belongings, Searches
from escudo.serve.searches.job import Job
from escudo.serve.searches.orders import WorkerPlan
from escudo.serve.settings import ServerSettings
from escudo.serve.test_runs import TestRuns
from escudo.triage.changes import Triage

_MOST_NOTED = 2_000
"""Characters of a search that the audit log tells."""


def _prepare_nothing() -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Server:
    """What routes work with.

    ``contents`` knows the content that holds now; ``clock`` gives epoch seconds.
    """

    settings: ServerSettings
    lake: Lake
    state: State
    contents: LiveContent
    engine_of: EngineOf
    screener: Screener | None = None
    clock: Clock = field(default_factory=SystemClock)
    metrics: Metrics = field(default_factory=Metrics)
    prepare: Callable[[], None] = _prepare_nothing
    """What a search process does first; a function of a module."""
    receiver: Receiver = field(init=False)
    """Takes in what senders bring; ``work_beside`` has it commit."""

    @cached_property
    def test_runs(self) -> TestRuns:
        """The tests of detections that users have started."""
        return TestRuns(self.clock.now, self.prepare)

    @cached_property
    def sources(self) -> LiveSources:
        """How the sources of the lake do."""
        return LiveSources()

    @cached_property
    def catalog(self) -> LiveCatalog:
        """The detections, with what is known of them in this lake."""
        return LiveCatalog()

    @property
    def content(self) -> Content:
        """The content that holds now."""
        return self.contents.current

    def __post_init__(self) -> None:
        receiver = Receiver(
            self.lake,
            commit_seconds=self.settings.commit_seconds,
            waiting_bytes=self.settings.waiting_bytes,
            metrics=self.metrics,
        )
        object.__setattr__(self, "receiver", receiver)

    @cached_property
    def searches(self) -> Searches:
        """The searches of users; their processes begin with ``work_beside``, or the first."""
        plan = WorkerPlan(
            lake=self.lake.at,
            tables=self.lake.tables,
            knowledge=replace(self.contents.untuned, kept=()).knowledge,
            prepare=self.prepare,
        )
        return Searches(
            plan,
            clock=self.clock.now,
            zone=self.settings.zone,
            find_belongings=self._find_belongings,
            tell_change=self._note_change,
        )

    def _note_change(self, job: Job) -> None:
        """Has the audit log tell that a search wrote or deleted something, or was refused it."""
        who, search = job.owner, job.request.search
        detail = {"changes": job.changes} if job.changes else {"reason": job.messages[-1].message}
        try:
            self.accounts.audit.note(
                "search",
                who=who.name,
                address=who.address,
                target=search[:_MOST_NOTED],
                outcome=DONE if job.changes else REFUSED,
                sid=job.sid,
                **detail,
            )
        except EscudoError as error:  # other searches go on where the state cannot be written
            log_event("audit failed", level=ERROR, sid=job.sid, error=error.diagnostic.message)

    def _find_belongings(self, who: Principal, folder: Path) -> Belongings:
        """What a search of a user may name; its collections are written into a folder."""
        saved = {saved.name: saved.search for saved in self.saved_searches.list(who.name)}
        files: dict[str, Path] = {}
        for setting in self.configuration.list(COLLECTION):
            app, _, name = setting.name.rpartition("/")
            files[name] = folder / f"collection-{len(files)}.csv"
            self.collections.write_csv(app, NOBODY, name, files[name])
        self.contents.refresh()
        return Belongings(saved=saved, collections=files, tuned=self.contents.list_tuned_macros())

    @property
    def configuration(self) -> Configuration:
        return Configuration(self.state, clock=self.clock.now)

    @property
    def collections(self) -> Collections:
        return Collections(self.state, clock=self.clock.now)

    @property
    def saved_searches(self) -> SavedSearches:
        return SavedSearches(self.state, clock=self.clock.now)

    @cached_property
    def accounts(self) -> Accounts:
        """One of the server: it counts failures of log-ins."""
        state, now = self.state, self.clock.now
        return Accounts(
            users=Users(state, clock=now),
            sessions=Sessions(state, clock=now, hours=self.settings.session_hours),
            tokens=Tokens(state, clock=now),
            audit=Audit(state, clock=now),
            roles=Roles(state, clock=now, base=self.settings.roles),
        )

    @cached_property
    def triage(self) -> Triage:
        """What people do with findings."""
        return Triage(self.state, clock=self.clock.now)

    def make_workspace_of(self, who: Principal) -> Workspace:
        """What actions work with, now, for somebody: they see the rows of his indexes alone.

        Raises:
            EscudoError: SRV052 where the engine cannot keep him to some indexes.
        """
        workspace = self.make_workspace()
        if EVERY_INDEX in who.indexes:
            return workspace

        def make_limited(catalog: Catalog) -> Engine:
            engine = self.engine_of(catalog)
            if not isinstance(engine, DuckDBEngine):
                raise EscudoError("SRV052", f"{engine.name} reads every index")
            return engine.only(who.indexes)

        return replace(workspace, engine_of=make_limited)

    def make_workspace(self, within: TimeRange = ALL_TIME) -> Workspace:
        """What actions work with, now."""
        return Workspace(
            content=self.content,
            lake=self.lake,
            engine_of=self.engine_of,
            now=self.clock.now(),
            within=within,
            zone=self.settings.zone,
            # What it knows of searches, it knows of those that were loaded.
            screener=Screener() if self.contents.tuned else self.screener,
        )


@contextmanager
def work_beside(
    server: Server,
    *,
    policy: Policy | None = None,
    tell: Callable[[Diagnostic], None] = lambda _diagnostic: None,
) -> Iterator[Sequence[Diagnostic]]:
    """Commits what comes in, runs schedules, maintenance and searches, in threads and processes,
    until the block ends; gives what of the content is not scheduled, and why."""
    with ExitStack() as stack:
        maintenance = Maintenance(
            server.lake, policy or Policy(), metrics=server.metrics, tell=tell
        )
        stack.enter_context(maintenance)
        stack.enter_context(server.searches)
        stack.enter_context(server.receiver)
        problems: Sequence[Diagnostic] = ()
        if server.settings.schedule:
            problems = stack.enter_context(_run_schedules(server, tell))
        yield problems


@contextmanager
def _run_schedules(
    server: Server, tell: Callable[[Diagnostic], None]
) -> Iterator[Sequence[Diagnostic]]:
    version = server.contents.version
    options = RunOptions(zone=server.settings.zone)
    prepared = prepare_worker(
        _plan_all(server), server.make_workspace(), server.state, options=options
    )
    meter = RunMeter(server.metrics, server.state)
    stop = Event()

    def take_changes() -> None:
        nonlocal version
        server.contents.refresh()
        if (changed := server.contents.version) != version:
            version = changed
            take_content(prepared, _plan_all(server), server.make_workspace())

    def run() -> None:
        run_daemon(
            prepared.worker,
            server.clock,
            stop,
            follow=meter.count_step,
            tell=tell,
            before=take_changes,
        )

    thread = Thread(target=run, name="escudo-schedule", daemon=True)
    thread.start()
    try:
        yield prepared.problems
    finally:
        stop.set()
        thread.join()
        prepared.worker.leave()


def _plan_all(server: Server) -> HuntPlan:
    """All detections of the content with all its baselines, those that are on."""
    every = Narrowing(statuses=STATUSES)
    return plan_hunt(server.content, names=(), stories=(), narrowing=every, with_baselines=True)
