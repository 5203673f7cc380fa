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
    begun = time.perf_counter()
    done = function(Path(job["folder"]), **job["arguments"])
    seconds = time.perf_counter() - begun
    # A function that measures itself (a search that is repeated) says so.
    rows, seconds = (done["rows"], done["seconds"]) if isinstance(done, dict) else (done, seconds)
    answer = {"seconds": seconds, "peak_mb": _peak_mb(), "rows": rows}
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
