"""However a log is rotated, and whenever who follows it dies: each event comes once."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.inputs.json_logs import all_once, lines
from tests.inputs.rotations import Follower, RotatedLog

LONG = "ESCUDO_ROTATIONS" in os.environ
SEEDS = int(os.environ.get("ESCUDO_ROTATIONS", "25"))
STEPS = 60
OLD = range(1_000_000, 1_000_003)
"""What was rotated before anybody followed the log."""


def play(seed: int, folder: Path, followed: str) -> None:
    """Steps of the log and of its follower at random; what the system tells of changes may be late,
    or not be told at all before the next look at everything."""
    chance = random.Random(seed)
    if chance.random() < 0.5:
        (folder / "app.log.1").write_text(lines(OLD))
        old = OLD
    else:
        old = range(0)
    log = RotatedLog(folder, chance, held=not LONG)
    follower = Follower([folder] if followed == "folder" else [log.log])
    follower.look()
    history = [f"old: {len(old)}"]
    for _ in range(STEPS):
        step = chance.choice(log.steps)
        history.append(step.__name__)
        step()
        if chance.random() < 0.3:
            told = {p for p in log.changed if chance.random() < 0.8}
            follower.look(sorted(told))
            log.changed -= told
            history.append(f"look at {sorted(p.name for p in told)}")
        if chance.random() < 0.15:
            follower.look()
            log.drop_oldest()
            history.append("look, drop oldest")
        if chance.random() < 0.1:
            follower.die()
            history.append("die")
    log.close()
    follower.look()
    follower.close()
    wanted = all_once(range(log.written))
    if followed == "folder":
        wanted.update(old)
    lost, doubled = wanted - follower.found, follower.found - wanted
    assert not lost, (seed, "lost", sorted(lost), history)
    assert not doubled, (seed, "doubled", sorted(doubled), history)


@pytest.mark.parametrize("followed", ["folder", "file"])
def test_each_event_comes_once(tmp_path: Path, followed: str) -> None:
    for seed in range(SEEDS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        play(seed, folder, followed)
