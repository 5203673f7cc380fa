"""A process that ingests, to be killed.

It is forked from a server that has imported all of this already: to start a process that imports
it takes longer than what most of these processes do before they are killed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from escudo.lake import Lake, delta, ingest, ledger, parquet_files

_POINTS: dict[str, tuple[object, str]] = {
    "file": (parquet_files.ParquetFiles, "finish"),
    "table": (delta, "append"),
    "record": (ledger.LedgerTransaction, "record"),
    "commit": (ingest.IngestRun, "commit"),
}


def _deadly(plain: Callable[..., Any], call: int) -> Callable[..., Any]:
    calls = iter(range(1, call + 1))

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = plain(*args, **kwargs)
        if next(calls, None) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped


def _main(ready: Connection, path: Path, logs: Sequence[Path], point: str, call: int) -> None:
    ingest.COMMIT_EVENTS = 1  # type: ignore[misc]
    if point in _POINTS:
        owner, name = _POINTS[point]
        setattr(owner, name, _deadly(getattr(owner, name), call))
    ready.send("ready")
    with Lake.open(path) as lake:
        ingest.ingest(logs, lake)


def start(lake: Path, logs: Sequence[Path], point: str = "-", call: int = 1) -> BaseProcess:
    """A child that has begun to ingest.

    With a point other than ``-`` it kills itself at the given call of that function, after the
    function's work.
    """
    server = get_context("forkserver")
    server.set_forkserver_preload([__name__])
    here, there = server.Pipe(duplex=False)
    child = server.Process(target=_main, args=(there, lake, logs, point, call))
    child.start()
    there.close()
    assert here.recv() == "ready"
    return child


def end(child: BaseProcess) -> int | None:
    """Waits for the end of a child; minus the signal that killed it, or 0."""
    child.join()
    return child.exitcode
