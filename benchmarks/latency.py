"""``escudo follow`` while events come at a rate: seconds from the arrival of an attack until its
finding is on standard output."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median, quantiles
from typing import Any

PLANT_SECONDS = 0.5
"""Seconds from one planted attack to the next."""
PATIENCE = 300.0
"""Seconds that findings may take after the last event, and the first one before it counts: by then
libraries are loaded and searches bound."""
_STEP = 0.02
_NAME = re.compile(r"echo ((?:first|planted)\d+) ")


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
    first = _plant(logs / "attacks.log", 1, "first")
    _await(first, seen, process)
    begun, before = time.perf_counter(), feeder.sent
    planted = _plant(logs / "attacks.log", round(seconds / PLANT_SECONDS), "planted")
    lasted, sent = time.perf_counter() - begun, feeder.sent - before
    stop.set()
    feeder.join()
    _await(planted, seen, process)
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
            "events a second": sent / lasted,
        },
    }


def _plant(log: Path, count: int, word: str) -> dict[str, float]:
    """Writes an attack every so often: what tells it from others -> when it was written."""
    planted: dict[str, float] = {}
    for number in range(count):
        name = f"{word}{number}"
        text = _attack(name)
        planted[name] = time.monotonic()
        with log.open("a") as out:
            out.write(text)
        time.sleep(PLANT_SECONDS)
    return planted


def _await(
    planted: Mapping[str, float], seen: Mapping[str, float], process: subprocess.Popen[str]
) -> None:
    """Waits until all that was planted is found. Raises RuntimeError if the program ends before."""
    end = time.monotonic() + PATIENCE
    while planted.keys() - seen.keys() and time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"escudo follow ended with exit code {process.returncode}")
        time.sleep(_STEP)


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
        for name in _NAME.findall(line):
            seen.setdefault(name, at)


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
