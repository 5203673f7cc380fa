"""The process of one variant: import, then measure the function alone."""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from pathlib import Path


def main() -> None:
    job = json.load(sys.stdin)
    function = getattr(importlib.import_module(job["module"]), job["function"])
    begun, used = time.perf_counter(), time.process_time()
    done = function(Path(job["folder"]), **job["arguments"])
    seconds, cpu = time.perf_counter() - begun, time.process_time() - used
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
        "peak_mb": _peak_mb(),
        "rows": rows,
        "details": details,
    }
    print(json.dumps(answer))


def _peak_mb() -> float:
    """The most memory this process had resident (no variant starts other processes).

    ``ru_maxrss`` is no measure on Linux: it also counts the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [t for t in status.read_text().splitlines() if t.startswith("VmHWM:")]
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)


if __name__ == "__main__":
    main()
