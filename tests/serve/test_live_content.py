"""What is changed of detections while a server runs, and that its schedule takes it up."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from escudo import content
from escudo.actions.detection_switches import Switch
from escudo.actions.engines import make_engines
from escudo.actions.hunt import plan_hunt
from escudo.actions.run import prepare_worker, take_content
from escudo.actions.workspace import Workspace
from escudo.content.elements.common import Schedule
from escudo.lake import Lake
from escudo.schedule.database import State
from escudo.schedule.tables import SEARCHES
from escudo.serve.live_content import LiveContent

NAME = "Process Execution via WMI"
NOW = 1_700_000_000.0


def test_a_switch_holds_at_once_and_in_the_next_server() -> None:
    loaded = content.load()
    identity = loaded.detection(NAME).id
    when = Schedule("*/5 * * * *", "-10m", "now")
    with State.open("sqlite://") as state:
        live = LiveContent(loaded, state)
        before = live.version
        live.switch(identity, Switch(enabled=False, schedule=when), now=NOW)
        assert live.version != before
        for one in (live, LiveContent(loaded, state)):
            changed = one.current.detection(NAME)
            assert (changed.enabled, changed.schedule) == (False, when)
            assert one.find_switch(identity) == Switch(enabled=False, schedule=when)
        live.replace(content.load())
        assert not live.current.detection(NAME).enabled
        live.switch(identity, Switch(), now=NOW)
        assert live.current.detection(NAME) == loaded.detection(NAME)
        assert live.find_switch(identity).empty


def test_what_is_deprecated_is_off_until_it_is_turned_on() -> None:
    loaded = content.load()
    old = replace(loaded.detection(NAME), status="deprecated")
    others = [d for d in loaded.detections if d.id != old.id]
    with State.open("sqlite://") as state:
        live = LiveContent(replace(loaded, detections=(old, *others)), state)
        assert not live.current.detection(NAME).enabled
        live.switch(old.id, Switch(enabled=True), now=NOW)
        assert live.current.detection(NAME).enabled


def test_a_worker_retires_what_is_turned_off_and_takes_it_up_again() -> None:
    loaded = content.load()
    identity = loaded.detection(NAME).id
    with Lake.create_temporary() as lake, State.open("sqlite://") as state:
        live = LiveContent(loaded, state)

        def look() -> Workspace:
            return Workspace(
                content=live.current, lake=lake, engine_of=make_engines("duckdb"), now=NOW
            )

        prepared = prepare_worker(plan_hunt(live.current, with_baselines=True), look(), state)
        retired = []
        for enabled in (True, False, True):
            live.switch(identity, Switch(enabled=enabled), now=NOW)
            plan = plan_hunt(live.current, with_baselines=True)
            prepared = take_content(prepared, plan, look())
            prepared.worker.step(NOW)
            asked = sa.select(SEARCHES.c.retired).where(SEARCHES.c.identity == identity)
            with state.read() as connection:
                retired.append(connection.execute(asked).scalar_one() is not None)
        assert retired == [False, True, False]
