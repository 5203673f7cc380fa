"""A process that brings or builds content is killed, or has no room, at a call of it: the store and
the app are as before or as after, and a run without a fault brings about the rest."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from escudo.authoring.store.origins import digest_tree
from escudo.authoring.store.packs import Store
from tests.authoring.test_diff import put, put_detection
from tests.faults.conftest import LONG
from tests.faults.test_kills import check_coded
from tests.program import Fault, Ran, Server

pytestmark = pytest.mark.slow

TRIED = 5
"""Calls of a command that the suite tries, of each kind of fault."""

State = dict[str, bytes | str]


@dataclass(frozen=True)
class Command:
    """A command; ``{work}`` is the folder that it writes to, ``{content}`` what it reads. A run
    that comes after one that has done it may say ``again``."""

    arguments: tuple[str, ...]
    again: str = ""
    packed: bool = True
    """Whether the store has a pack of the content as it was before."""


STORE = ("--store", "{work}/store")
COMMANDS = {
    "content add": Command(
        ("content", "add", "{content}", "--name", "acme", *STORE), again="AUT002", packed=False
    ),
    "content update": Command(("content", "update", "acme", "--yes", *STORE)),
    "content disable": Command(("content", "disable", "acme", "Odd Shell", *STORE)),
    "content remove": Command(("content", "remove", "acme", *STORE), again="AUT032"),
    "build": Command(("build", "{content}", "--output", "{work}/app"), packed=False),
}


def observe(work: Path) -> State:
    """What is there for a user: packs with their content and local changes, the app's archive."""
    state: State = {}
    for pack in Store(work / "store").list_packs():
        state[pack.name] = f"{pack.pin} {digest_tree(pack.content)}"
        for file in pack.overlay.glob("*.yml"):
            state[f"{pack.name} {file.name}"] = file.read_text("utf-8")
    for archive in (work / "app").glob("*.tgz"):
        state[archive.name] = archive.read_bytes()
    return state


def list_names(work: Path) -> list[str]:
    """All files, but the draft of an app whose builder was killed."""
    files = {p for p in work.rglob("*") if p.is_file()} - set((work / "app").glob(".*.part"))
    return sorted(str(p.relative_to(work)) for p in files)


class Stage:
    """A folder that a command is run on, over and over, each time as it was."""

    def __init__(self, server: Server, command: Command, folder: Path) -> None:
        self._server = server
        self._command = command
        self._content = folder / "content"
        self._sound = folder / "sound"
        self.work = folder / "work"
        self._sound.mkdir()
        put_detection(self._content)
        put(self._content, "macros/tool.yml", {"name": "tool", "definition": "wmic.exe"})
        put(self._content, "lookups/known.yml", {"name": "known", "filename": "known.csv"})
        put(self._content, "lookups/known.csv", "process,note\na,b\n")
        if command.packed:
            store = self._sound / "store"
            added = server.run("content", "add", self._content, "--name", "acme", "--store", store)
            assert added.code == 0, added.err
        put_detection(self._content, "Another One")
        self.before = observe(self._sound)
        self.restore()
        done = self.run(Fault(folder=self.work))
        assert done.code == 0, done.err
        self.after, self.names = observe(self.work), list_names(self.work)
        self.calls = done.calls
        assert self.calls > 0

    def restore(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self._sound, self.work)

    def run(self, fault: Fault | None = None) -> Ran:
        places = {"work": self.work, "content": self._content}
        return self._server.run(
            *(part.format_map(places) for part in self._command.arguments), fault=fault
        )

    def choose_calls(self) -> Iterator[int]:
        tried = self.calls if LONG else min(TRIED, self.calls)
        yield from (1 + self.calls * (2 * n + 1) // (2 * tried) for n in range(tried))

    def finish(self, at: str) -> None:
        seen = observe(self.work)
        assert seen in (self.before, self.after), at
        done = self.run()
        known = seen == self.after and self._command.again and self._command.again in done.err
        assert done.code == 0 or known, (at, done.err)
        assert observe(self.work) == self.after, at
        assert list_names(self.work) == self.names, at


@pytest.mark.parametrize("name", COMMANDS)
def test_killed_and_without_room_at_a_call(name: str, server: Server, tmp_path: Path) -> None:
    stage = Stage(server, COMMANDS[name], tmp_path)
    assert stage.before != stage.after
    for call in stage.choose_calls():
        stage.restore()
        done = stage.run(Fault(folder=stage.work, at=call))
        assert done.code in (-9, 0), (call, done.err)
        stage.finish(f"killed at call {call} of {stage.calls}")
    for call in stage.choose_calls():
        stage.restore()
        done = stage.run(Fault(folder=stage.work, at=call, error=errno.ENOSPC))
        check_coded(done, call)
        stage.finish(f"no room from call {call} of {stage.calls} on")


NEW = {
    "init": ("init", "{work}/made", "--author", "Ada"),
    "new detection": (
        *("new", "detection", "Odd Shell", "--root", "{work}", "--author", "Ada"),
        *("--search", "| makeresults", "--type", "Hunting"),
    ),
}


@pytest.mark.parametrize("name", NEW)
def test_new_files_are_all_there_or_none(name: str, server: Server, tmp_path: Path) -> None:
    """Without room; of a process that is killed some may be there, and are told (AUT002)."""
    work = tmp_path / "work"
    work.mkdir()
    arguments = [part.format(work=work) for part in NEW[name]]
    calls = server.run(*arguments, fault=Fault(folder=work)).calls
    assert calls > 0
    for call in range(1, calls + 1, 1 if LONG else max(1, calls // TRIED)):
        shutil.rmtree(work)
        work.mkdir()
        done = server.run(*arguments, fault=Fault(folder=work, at=call, error=errno.ENOSPC))
        check_coded(done, call)
        assert done.code == 0 or list(work.iterdir()) == [], (call, done.err)
        if done.code:
            assert server.run(*arguments).code == 0, call
