"""A process is killed, or its disk is full, at a call of each command that writes.

Then nothing is lost and nothing there twice, a run without a fault brings about what the first
should have, and nothing is left of the process that died. The suite tries some of the calls, the
same each time; ``ESCUDO_FAULTS=long`` (`make faults`) tries each.
"""

from __future__ import annotations

import errno
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.conftest import LONG
from tests.faults.lakes import (
    DETECTION,
    START,
    State,
    build_lake,
    find_strays,
    list_windows,
    observe,
)
from tests.program import Fault, Ran, Server

pytestmark = pytest.mark.slow

PARTS = 8 if LONG else 1
"""The calls of a command are divided among so many tests."""


@dataclass(frozen=True)
class Command:
    """A command that writes. ``{lake}`` and ``{logs}`` stand for paths.

    ``adds`` is whether to run it twice adds twice: then it is run again only where the first run
    did nothing. ``no_ledger``: the lake has lost its ledger. ``parts``: it commits more than once,
    so that some of it may be done. ``short`` is how many of its calls the suite tries.
    """

    arguments: tuple[str, ...]
    adds: bool = False
    no_ledger: bool = False
    parts: bool = False
    short: int = 3

    def fill(self, lake: Path, logs: Path) -> list[str]:
        return [a.format(lake=lake, logs=logs) for a in self.arguments]


def search(text: str, *more: str, adds: bool = False) -> Command:
    return Command(("search", text, "--lake", "{lake}", *more), adds=adds)


def schedule(command: str, *more: str, parts: bool = False) -> Command:
    chosen = ("--content", "{logs}/../content", "--detection", DETECTION)
    now = ("--now", str(START + 7000))  # the window that was due last has the second log in it
    return Command((command, "--lake", "{lake}", *chosen, *now, *more), parts=parts, short=4)


COMMANDS = {
    "ingest": Command(
        (
            "ingest",
            "{logs}/log001.xml",
            "{logs}/log002.xml",
            "{logs}/log003.xml",
            "--lake",
            "{lake}",
        ),
        short=6,
    ),
    "hunt": Command(
        (
            "hunt",
            "{logs}/log002.xml",
            "--lake",
            "{lake}",
            "--detection",
            "Process Execution via WMI",
        )
    ),
    "collect": search("| makeresults count=2 | eval n=2 | collect index=mine", adds=True),
    "outputlookup": search("| makeresults count=9 | eval n=9 | table n | outputlookup kept.csv"),
    "outputlookup append": search(
        "| makeresults count=1 | eval n=5 | table n | outputlookup append=t kept.csv", adds=True
    ),
    "fit": search(
        "| makeresults count=30 | streamstats count as n | fit DensityFunction n into kept"
    ),
    "job": search("| makeresults | eval n=1 | table n", "--save-job", "new"),
    "delete": search("index=windows log=1 OR file1 | delete", "--allow-delete"),
    "compact": Command(("lake", "compact", "--lake", "{lake}", "--retention-hours", "0"), short=4),
    "expire": Command(
        ("lake", "expire", "--lake", "{lake}", "--older-than", str(START + 1800)), short=4
    ),
    "follow": Command(
        ("follow", "{logs}/log001.xml", "{logs}/log002.xml", "--lake", "{lake}", "--once"),
        parts=True,  # it commits every second
        short=4,
    ),
    "run": schedule("run"),
    "backfill": schedule(
        "backfill", "--earliest", str(START), "--latest", str(START + 6000), parts=True
    ),
    "maintain": Command(("lake", "maintain", "--lake", "{lake}"), short=2),
    "repair": Command(("lake", "repair", "--lake", "{lake}"), no_ledger=True),
}
CASES = [(name, part) for name in COMMANDS for part in range(PARTS)]


@pytest.fixture(scope="module")
def sound(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    build_lake(server, folder)
    return folder


class Stage:
    """Copies of a lake on which one command is run."""

    def __init__(self, server: Server, command: Command, sound: Path, folder: Path) -> None:
        self._server = server
        self._command = command
        self._sound = sound
        self.lake = folder / "lake"
        self.before = observe(sound / "lake")
        self.restore()
        done = self.run(Fault(folder=self.lake))
        assert done.code == 0, done.err
        self.after = observe(self.lake)
        self.windows = list_windows(self.lake)
        self.calls = done.calls
        assert self.calls > 0

    def restore(self) -> None:
        shutil.rmtree(self.lake, ignore_errors=True)
        shutil.copytree(self._sound / "lake", self.lake)
        if self._command.no_ledger:
            (self.lake / "ledger.sqlite").unlink()

    def run(self, fault: Fault | None = None) -> Ran:
        return self._server.run(*self._command.fill(self.lake, self._sound / "logs"), fault=fault)

    def choose_calls(self, part: int, *, share: int = 1) -> Iterator[int]:
        if LONG:
            yield from range(1 + part, self.calls + 1, PARTS)
            return
        tried = min(self._command.short // share, self.calls)
        yield from (1 + self.calls * (2 * n + 1) // (2 * tried) for n in range(tried))

    def see(self) -> State | None:
        """What is in the lake; None where its ledger is still to be made."""
        missing = self._command.no_ledger and not _has_ledger(self.lake)
        return None if missing else observe(self.lake)

    def finish(self, at: str) -> None:
        """What holds after a fault: all or nothing; run again, all; nothing is left behind."""
        seen = self.see()
        if self._command.parts:
            assert _is_between(self.before, seen or {}, self.after), at
        else:
            assert seen in (None, self.before, self.after), at
        if seen is None or seen == self.before or not self._command.adds:
            done = self.run()
            sound_already = self._command.no_ledger and "LAK019" in done.err
            assert done.code == 0 or sound_already, (at, done.err)
        assert observe(self.lake) == self.after, at
        assert list_windows(self.lake) == self.windows, at
        assert find_strays(self.lake) == [], at


def _is_between(before: State, seen: State, after: State) -> bool:
    """Whether a lake has no less than before, and no more than it is to have."""
    tables = [name for name in after if isinstance(after[name], dict)]
    counts = [[Counter(state.get(name, {})) for state in (before, seen, after)] for name in tables]
    others = {name: text for name, text in seen.items() if name not in tables}
    return all(a <= b <= c for a, b, c in counts) and others == {
        name: text for name, text in after.items() if name not in tables
    }


def _has_ledger(lake: Path) -> bool:
    file = lake / "ledger.sqlite"
    return file.exists() and file.stat().st_size > 0


@pytest.mark.parametrize(("name", "part"), CASES)
def test_killed_and_without_room_at_a_call(
    name: str, part: int, server: Server, sound: Path, tmp_path: Path
) -> None:
    stage = Stage(server, COMMANDS[name], sound, tmp_path)
    for call in stage.choose_calls(part):
        stage.restore()
        done = stage.run(Fault(folder=stage.lake, at=call))
        assert done.code in (-9, 0), (call, done.err)  # the order of threads differs a little
        stage.finish(f"killed at call {call} of {stage.calls}")
    for call in stage.choose_calls(part, share=2):
        stage.restore()
        done = stage.run(Fault(folder=stage.lake, at=call, error=errno.ENOSPC))
        check_coded(done, call)
        stage.finish(f"no room from call {call} of {stage.calls} on")


def test_a_lake_on_a_disk_that_may_not_be_written(
    server: Server, sound: Path, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(sound / "lake", lake)
    may_not = Fault(folder=lake, at=1, error=errno.EROFS)
    for name, command in COMMANDS.items():
        if not command.no_ledger:
            done = server.run(*command.fill(lake, sound / "logs"), fault=may_not)
            assert done.code == 1, (name, done)
            check_coded(done, 1)
    assert observe(lake) == observe(sound / "lake")
    counted = ("search", "index=windows | stats count", "--lake", lake)
    found = server.run(*counted, fault=may_not)
    assert (found.code, found.out, found.err) == (0, '{"count":24}\n', "")


LEAKED = re.compile(r"Traceback|Error\(|Exception|Generic|Kernel|Detail:|rror: [A-Z]\w+Error")


def check_coded(done: Ran, call: int) -> None:
    """It ended by itself; if it failed, the code says that the disk is at fault."""
    said = (call, done.code, done.err)
    assert done.code in (0, 1), said
    assert not LEAKED.search(done.err), said
    if done.code:
        codes = set(re.findall(r"error\[(\w+)\]", done.err))
        assert codes & {"LAK013", "SYS001", "SYS002", "ENG006", "SRC009", "SCH001"}, said
        assert not codes & {"LAK003", "LAK006", "LAK018", "SYS004"}, said
