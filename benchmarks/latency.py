"""``escudo follow`` while events come at a rate: seconds from the arrival of an attack until its
finding is on standard output."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

PLANT_SECONDS = 0.5
"""Seconds from one planted attack to the next."""
WARM_SECONDS = 5.0
"""Seconds of events before the first one: libraries are loaded, searches bound."""
PATIENCE = 60.0
"""Seconds that findings may take after the last event."""
_STEP = 0.02


def follow(
    folder: Path, *, source: str, rate: int, seconds: float, content: str | None
) -> dict[str, Any]:
    """Events of a log are written into a followed folder, attacks into another file of it.

    Args:
        source: a log of event XML, an event a line; it is gone through again and again.
        rate: events a second; 0: as many as are read, some megabytes ahead of the reader.
        seconds: how long attacks are planted.
    """
    logs = folder / "logs"
    logs.mkdir()
    report = folder / "log.jsonl"
    command = [sys.executable, "-m", "escudo.cli", "--log-file", str(report), "follow", str(logs)]
    command += ["--lake", str(folder / "lake"), "--format", "jsonl", "--quiet"]
    if content is not None:
        command += ["--content", content]
    environment = {**os.environ, "ESCUDO_CACHE": str(folder / "cache")}
    used = _children()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    seen: dict[str, float] = {}
    reader = threading.Thread(target=_read, args=(process, seen), daemon=True)
    reader.start()
    stop = threading.Event()
    feeder = _Feeder(Path(source), logs / "stream.xml", rate, report, stop)
    feeder.start()
    begun = time.perf_counter()
    time.sleep(WARM_SECONDS)
    while not feeder.caught_on() and time.perf_counter() - begun < PATIENCE:
        time.sleep(_STEP)
    planted = _plant(logs / "attacks.log", seconds)
    stop.set()
    feeder.join()
    end = time.monotonic() + PATIENCE
    while len(seen.keys() & planted.keys()) < len(planted) and time.monotonic() < end:
        time.sleep(_STEP)
    lasted = time.perf_counter() - begun
    process.terminate()
    process.wait()
    waited = sorted(seen[n] - at for n, at in planted.items() if n in seen)
    if len(waited) < len(planted):
        raise RuntimeError(f"{len(planted) - len(waited)} of {len(planted)} were not found")
    return {
        "rows": len(waited),
        "seconds": median(waited),
        "cpu": _children() - used,
        "details": {
            "median s": median(waited),
            "p99 s": quantiles(waited, n=100)[98],
            "worst s": waited[-1],
            "events a second": feeder.sent / lasted,
        },
    }


def _plant(log: Path, seconds: float) -> dict[str, float]:
    """Writes an attack every so often: what tells it from others -> when it was written."""
    planted: dict[str, float] = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name = f"planted{len(planted)}"
        text = _attack(name)
        planted[name] = time.monotonic()
        with log.open("a") as out:
            out.write(text)
        time.sleep(PLANT_SECONDS)
    return planted


def _attack(name: str) -> str:
    """A process that WMI began, as a JSON line of Sysmon's event 1."""
    event = {
        "EventID": 1,
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "Provider": "Microsoft-Windows-Sysmon",
        "Computer": "pc1.meridian.example",
        "TimeCreated": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "Image": "C:\\Windows\\System32\\cmd.exe",
        "CommandLine": f"cmd.exe /c echo {name} ",
        "ParentImage": "C:\\Windows\\System32\\wbem\\WmiPrvSE.exe",
        "ProcessGuid": f"{{{name}}}",
        "ProcessId": 4711,
        "User": "MERIDIAN\\ann",
    }
    return json.dumps(event) + "\n"


def _read(process: subprocess.Popen[str], seen: dict[str, float]) -> None:
    """Notes when each planted attack is told first."""
    assert process.stdout is not None
    for line in process.stdout:
        at = time.monotonic()
        _, found, rest = line.partition("echo planted")
        if found:
            seen.setdefault(f"planted{rest.split()[0]}", at)


class _Feeder(threading.Thread):
    """Writes events at a rate, or so that the reader always has some megabytes before it."""

    def __init__(
        self, source: Path, log: Path, rate: int, report: Path, stop: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self._lines = _repeat(source)
        self._log = log
        self._rate = rate
        self._report = report
        self._stop_asked = stop
        self.sent = 0
        self._read = 0

    def caught_on(self) -> bool:
        """Whether events have been committed."""
        self._read = _count_read(self._report)
        return self._read > 0

    def run(self) -> None:
        begun = time.monotonic()
        with self._log.open("a") as out:
            while not self._stop_asked.is_set():
                wanted = int((time.monotonic() - begun) * self._rate) - self.sent
                if not self._rate:
                    ahead = self.sent - _count_read(self._report)
                    wanted = max(0, 20_000 - ahead)
                out.write("".join(next(self._lines) for _ in range(wanted)))
                out.flush()
                self.sent += wanted
                time.sleep(_STEP if self._rate else 0.2)


def _repeat(source: Path) -> Iterator[str]:
    while True:
        with source.open() as lines:
            yield from (line for line in lines if line.startswith("<Event "))


def _count_read(report: Path) -> int:
    """The events that the program says it has read."""
    if not report.exists():
        return 0
    lines = (json.loads(line) for line in report.read_text().splitlines() if '"file"' in line)
    return sum(line.get("events", 0) for line in lines if line["event"] == "file")


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
