"""Decoding event logs, here and in a process of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from escudo.sources.formats import evtx_file
from escudo.sources.formats.evtx_records import Damage, Decoded, apart, decode
from escudo.sources.opening import open_logs
from escudo.sources.reading import read
from tests.shared_data import SHARED, needs_shared
from tests.sources.support import rows_of

LOG = "Lateral Movement/LM_wmi_PoisonHandler_Mr-Un1k0d3r_sysmon_1_13.evtx"


def _all(decoded: Decoded) -> tuple[list[bytes | Damage], bool]:
    """What is yielded, and what is returned."""
    items: list[bytes | Damage] = []
    while True:
        try:
            items.append(next(decoded))
        except StopIteration as end:
            return items, end.value


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
    items, readable = _all(decode(path))
    assert readable
    assert sum(item.count(b"</Event>") for item in items if isinstance(item, bytes)) > 0
    assert _all(apart(path)) == (items, True)


@needs_shared
def test_blocks_are_cut_between_records() -> None:
    assert SHARED is not None
    path = str(SHARED / "evtx" / LOG)
    ((whole,), _) = _all(decode(path))
    blocks, _ = _all(decode(path, block_bytes=1))
    assert b"".join(b for b in blocks if isinstance(b, bytes)) == whole


@pytest.mark.parametrize("way", [decode, apart])
def test_what_is_no_event_log_is_told(way: Any, tmp_path: Path) -> None:
    junk = tmp_path / "junk.evtx"
    junk.write_bytes(b"ElfFile\0" + bytes(200))
    ((damage,), readable) = _all(way(str(junk)))
    assert damage[:2] == ("SRC011", "offset 0")
    assert not readable


def test_a_process_that_dies_is_told(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    endless = tmp_path / "pipe.evtx"
    os.mkfifo(endless)
    timer = Timer(0.3, lambda: started[0].kill())
    timer.start()
    items, readable = _all(apart(str(endless)))
    assert items == [("SRC012", "the end", "the process that decoded it ended: -9")]
    assert readable


def test_a_reader_that_stops_early_leaves_no_process(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    junk = tmp_path / "junk.evtx"
    junk.write_bytes(bytes(10))
    decoded = apart(str(junk))
    next(decoded)
    decoded.close()
    assert [child.poll() is None for child in started] == [False]


@needs_shared
def test_a_large_log_is_read_as_a_small_one(
    monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]
) -> None:
    assert SHARED is not None
    (stream,) = open_logs([SHARED / "evtx" / LOG])
    here = rows_of(read(stream))
    assert started == []
    monkeypatch.setattr(evtx_file, "WORTH_A_PROCESS", 0)
    assert rows_of(read(stream)) == here
    assert len(started) == 1
