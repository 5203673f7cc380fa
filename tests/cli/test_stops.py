"""Ctrl-C, SIGTERM, and faults that nobody expected: exit codes, no traceback, what was done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from escudo.lake import Lake
from tests.cli.conftest import Run
from tests.lake.logs import write_logs


def start_ingest(lake: Path, *logs: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "escudo.cli", "ingest", *map(str, logs), "--lake", str(lake)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_for_events(lake: Path, child: subprocess.Popen[bytes]) -> None:
    """Until the ledger has a commit: the child is then at work."""
    until = time.monotonic() + 60
    while time.monotonic() < until and child.poll() is None:
        if (lake / "ledger.sqlite").exists() and (lake / "tables").exists():
            with Lake.open(lake, create=False) as opened:
                if opened.ledger.head().id:
                    return
        time.sleep(0.1)
    raise AssertionError(child.communicate())


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_ingest_tells_what_is_committed(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    logs = write_logs(tmp_path / "logs", 2, 30)
    lake = tmp_path / "lake"
    child = start_ingest(lake, logs[0], "-")  # standard input has no end: the child waits
    assert child.stdin is not None
    child.stdin.write(logs[1].read_bytes())
    child.stdin.flush()
    wait_for_events(lake, child)
    os.kill(child.pid, number)
    _, said = child.communicate(timeout=30)
    assert child.returncode == code
    assert "Traceback" not in said.decode()
    assert "1 files with 30 events are committed" in said.decode()
    with Lake.open(lake, create=False) as opened:
        assert [f.path for f in opened.ledger.files()] == [str(logs[0])]


def test_a_wrong_option_gives_two_and_escapes_what_was_given(escudo: Run) -> None:
    done = escudo("ingest", "--\x1b[31mx")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert r"\x1b[31m" in done.stderr


def test_help_gives_nought(escudo: Run) -> None:
    assert escudo("--help").returncode == 0


def test_a_lake_that_is_a_file_or_may_not_be_read_is_coded(escudo: Run, tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").mkdir()
    done = escudo("search", "search *", "--lake", tmp_path)
    assert done.returncode == 1
    assert "error[LAK" in done.stderr
    assert "Traceback" not in done.stderr


_LEAVE = """
import atexit, sys, threading, time
from escudo.startup import leave_process
atexit.register(lambda: sys.stderr.write("done at the end\\n"))
threading.Thread(target=lambda: (time.sleep(0.2), sys.stderr.write("thread ended\\n"))).start()
sys.stdout.write("x" * 3_000_000)
leave_process(7)
"""


def test_a_process_is_left_once_all_is_done_and_handed_over() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LEAVE], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 7
    assert len(done.stdout) == 3_000_000
    assert done.stderr == "thread ended\ndone at the end\n"


def test_a_reader_that_has_gone_is_told_by_the_exit_code() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _LEAVE.replace("leave_process(7)", "leave_process(0)")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"},
    )
    assert process.stdout is not None
    assert os.read(process.stdout.fileno(), 1) == b"x"
    process.stdout.close()
    assert process.wait(60) != 0
