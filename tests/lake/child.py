"""A process that ingests, to be killed: ``python -m tests.lake.child LAKE POINT CALL LOG...``

It says "ready" when it begins, and "done" when every commit was acknowledged. With a POINT other
than ``-`` it kills itself at the given CALL of that function, after the function's work.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from escudo.lake import Lake, delta, ingest, ledger, parts

_POINTS: dict[str, tuple[object, str]] = {
    "file": (parts.Parts, "finish"),
    "table": (delta, "append"),
    "record": (ledger.LedgerTransaction, "record"),
    "commit": (ingest._Ingest, "_commit"),
}


def _deadly(plain: Callable[..., Any], call: int) -> Callable[..., Any]:
    calls = iter(range(1, call + 1))

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = plain(*args, **kwargs)
        if next(calls, None) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped


def main(path: str, point: str, call: str, *logs: str) -> None:
    ingest.COMMIT_EVENTS = 1  # type: ignore[misc]
    if point in _POINTS:
        owner, name = _POINTS[point]
        setattr(owner, name, _deadly(getattr(owner, name), int(call)))
    print("ready", flush=True)
    with Lake.open(path) as lake:
        ingest.ingest(logs, lake)
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
