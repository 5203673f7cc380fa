"""The WMI detection gives the same row for the same process, whatever shape its event comes in."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo import content
from escudo.actions.engines import DuckDBEngines
from escudo.actions.hunt import hunt_logs, plan_hunt
from escudo.actions.match_rows import iterate_match
from escudo.actions.workspace import Workspace
from escudo.lake import Lake
from tests.sources.windows_shapes import COMMAND, OWN, SHAPES, SYSTEM, shaped

BUILTIN = content.load()
NAME = "Process Execution via WMI"
NOW = 1_717_300_000.0


@pytest.mark.slow
def test_the_same_process_is_the_same_row(tmp_path: Path) -> None:
    """The detection groups by all that it shows: were one row different, there would be two."""
    assert len(SHAPES) >= 14
    for number, name in enumerate(SHAPES):
        (tmp_path / f"{number}.log").write_bytes(shaped(name))
    with Lake.create_temporary() as lake:
        workspace = Workspace(content=BUILTIN, lake=lake, engine_of=DuckDBEngines(), now=NOW)
        report = hunt_logs([tmp_path], workspace, plan_hunt(BUILTIN, names=[NAME]))
        ((match, _),) = report.hunt.hits()
        [found] = iterate_match(match)
    row = found["row"]
    assert row["count"] == len(SHAPES)
    assert row["firstTime"] == row["lastTime"]
    assert row["dest"] == SYSTEM["Computer"]
    assert row["process"] == COMMAND
    assert row["user"] == OWN["User"]
    assert row["parent_process"] == OWN["ParentCommandLine"]
