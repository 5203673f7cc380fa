"""The events that raw searches select, counted a second time in plain Python."""

from __future__ import annotations

import re

import pytest

from escudo import content
from escudo.engines.execute import run_search
from escudo.spl.commands.search import Search
from escudo.spl.macros import expand
from escudo.spl.parse import parse
from tests.real.conftest import LakeOf
from tests.real.plain import CannotTellError, events, holds
from tests.shared_data import SHARED, needs_shared
from tests.shared_engine import engine_over

pytestmark = [needs_shared, pytest.mark.slow]

NOW = 1_795_000_000.0
WINDOWS = re.compile("XmlWinEventLog|wineventlog", re.IGNORECASE)


def test_first_commands_select_the_same_events(upstream: content.Content, lake_of: LakeOf) -> None:
    assert SHARED is not None
    raw = list(events(SHARED / "evtx"))
    assert len(raw) == 5382
    snapshot = lake_of("evtx").snapshot()
    engine = engine_over(snapshot)
    different: dict[str, tuple[int, int]] = {}
    compared = selecting = 0
    for detection in upstream.detections:
        first = parse(expand(detection.search, upstream.knowledge)).commands[0]
        if not isinstance(first, Search) or not WINDOWS.search(first.format()):
            continue
        try:
            theirs = sum(holds(first.expr, event) for event in raw)
        except CannotTellError:
            continue
        text = f"{first.format()} | stats count"
        found = run_search(text, engine, snapshot, upstream.knowledge, now=NOW).table
        ours = found["count"][0].as_py()
        compared += 1
        selecting += theirs > 0
        if ours != theirs:
            different[detection.name] = (ours, theirs)
    assert different == {}
    assert compared > 240
    assert selecting > 50
