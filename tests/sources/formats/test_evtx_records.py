"""Decoding event logs, here and in a process of its own."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
from contextlib import closing
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from escudo.sources.formats import evtx_file
from escudo.sources.formats.evtx_records import decode, decode_apart
from escudo.sources.opening import open_logs
from escudo.sources.reading import read
from tests.families import FAMILIES
from tests.shared_data import SHARED, needs_shared
from tests.sources.support import rows_of

LOG = "Lateral Movement/LM_wmi_PoisonHandler_Mr-Un1k0d3r_sysmon_1_13.evtx"


class _Known(subprocess.Popen[bytes]):
    """Remembers the processes that are started."""

    started: list[subprocess.Popen[bytes]]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.started.append(self)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    _Known.started = []
    monkeypatch.setattr(subprocess, "Popen", _Known)
    return _Known.started


@needs_shared
def test_another_process_gives_the_same() -> None:
    assert SHARED is not None
    path = str(SHARED / "evtx" / LOG)
    block, readable = decode(path)
    assert isinstance(block, bytes)
    assert b"</Event>" in block
    assert readable is True
    assert list(decode_apart(path)) == [block, True]


@needs_shared
def test_blocks_are_cut_between_records() -> None:
    assert SHARED is not None
    path = str(SHARED / "evtx" / LOG)
    whole, _ = decode(path)
    blocks = [item for item in decode(path, block_bytes=1) if isinstance(item, bytes)]
    assert all(block.endswith(b"</Event>") for block in blocks if block)
    assert b"".join(blocks) == whole


@pytest.mark.parametrize("way", [decode, decode_apart])
def test_what_is_no_event_log_is_told(way: Any, tmp_path: Path) -> None:
    junk = tmp_path / "junk.evtx"
    junk.write_bytes(b"ElfFile\0" + bytes(200))
    damage, readable = way(str(junk))
    assert damage[:2] == ("SRC011", "offset 0")
    assert readable is False


@pytest.mark.slow
def test_a_process_that_dies_again_is_told(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    endless = tmp_path / "pipe.evtx"
    os.mkfifo(endless)
    for number in range(2):
        Timer(0.3 + number, lambda number=number: started[number].kill()).start()
    assert list(decode_apart(str(endless))) == [
        ("SRC012", "the end", "the process that decoded it ended, 2 times: -9"),
        True,
    ]
    assert len(started) == 2


class _Scripted:
    """A process whose output is known."""

    def __init__(self, output: bytes) -> None:
        self.stdout = io.BytesIO(output)

    def __enter__(self) -> _Scripted:
        return self

    def __exit__(self, *error: object) -> None: ...

    def kill(self) -> None: ...

    def wait(self) -> int:
        return -11


@pytest.mark.parametrize("cut", range(0, 60, 7))
def test_what_a_process_gave_before_it_died_is_not_given_again(
    cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [b"one", ("SRC010", "after record 1", "damaged"), b"two", True]
    output = b"".join(map(pickle.dumps, items))
    processes = iter([_Scripted(output[:cut]), _Scripted(output)])
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: next(processes))
    assert list(decode_apart("some.evtx")) == items


def test_a_reader_that_stops_early_leaves_no_process(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    junk = tmp_path / "junk.evtx"
    junk.write_bytes(bytes(10))
    with closing(decode_apart(str(junk))) as decoded:
        next(decoded)
    assert [child.poll() is None for child in started] == [False]


@needs_shared
def test_a_large_log_is_read_as_a_small_one(
    monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]
) -> None:
    assert SHARED is not None
    (stream,) = open_logs([SHARED / "evtx" / LOG])
    here = rows_of(read(stream, FAMILIES))
    assert started == []
    monkeypatch.setattr(evtx_file, "WORTH_A_PROCESS", 0)
    assert rows_of(read(stream, FAMILIES)) == here
    assert len(started) == 1
