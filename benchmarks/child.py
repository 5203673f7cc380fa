"""The process of one variant: import, then measure the function alone."""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF
from threading import Thread

_EVERY_SECONDS = 0.1


def main() -> None:
    job = json.load(sys.stdin)
    function = getattr(importlib.import_module(job["module"]), job["function"])
    others = _Others()
    begun, used = time.perf_counter(), _cpu()
    done = function(Path(job["folder"]), **job["arguments"])
    seconds, cpu = time.perf_counter() - begun, _cpu() - used
    # A function that measures itself (a search that is repeated) says so.
    details = {}
    if isinstance(done, dict):
        rows, seconds, cpu = done["rows"], done["seconds"], done["cpu"]
        details = done.get("details", {})
    else:
        rows = done
    answer = {
        "seconds": seconds,
        "cpu": cpu,
        "peak_mb": _peak_mb() + others.peak_mb(),
        "rows": rows,
        "details": details,
    }
    print(json.dumps(answer))


def _cpu() -> float:
    """Processor seconds of this process and of those that it started and that ended."""
    own, children = (resource.getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _peak_mb() -> float:
    """The most memory this process had resident.

    ``ru_maxrss`` is no measure on Linux: it also counts the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return _status_mb(status, "VmHWM")
    return resource.getrusage(RUSAGE_SELF).ru_maxrss / (1024 * 1024)


class _Others:
    """Watches the processes that this one starts, ten times a second."""

    def __init__(self) -> None:
        self._most = 0.0
        Thread(target=self._watch, daemon=True).start()

    def peak_mb(self) -> float:
        """The most memory that all of them together had resident."""
        return self._most

    def _watch(self) -> None:
        while True:
            pids = [p for c in Path("/proc/self/task").glob("*/children") for p in _read(c).split()]
            held = sum(_status_mb(Path(f"/proc/{pid}/status"), "VmRSS") for pid in pids)
            self._most = max(self._most, held)
            time.sleep(_EVERY_SECONDS)


def _status_mb(status: Path, name: str) -> float:
    found = [line for line in _read(status).splitlines() if line.startswith(f"{name}:")]
    return int(found[0].split()[1]) / 1024 if found else 0.0


def _read(file: Path) -> str:
    """A file's text; none if its process or thread has ended."""
    try:
        return file.read_text()
    except OSError:
        return ""


if __name__ == "__main__":
    main()
