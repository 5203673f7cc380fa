"""A server that listens for syslog by all its ways."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from tests.serve.running import RunningServer, run_server

_PORT = re.compile(r"syslog over (\w+) at port (\d+)")


@dataclass(frozen=True)
class SyslogServer:
    """``ports`` by ``TCP``, ``UDP``, ``TLS``."""

    running: RunningServer
    ports: Mapping[str, int]


@pytest.fixture(scope="session")
def syslog_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SyslogServer]:
    lake = tmp_path_factory.mktemp("syslog") / "lake"
    options = ["--no-schedule", "--tls", "--syslog-index", "net"]
    for way in ("tcp", "udp", "tls"):
        options += [f"--syslog-{way}", "0"]
    with run_server(lake, options) as running:
        end = time.monotonic() + 5
        while len(_PORT.findall("".join(running.told))) < 3 and time.monotonic() < end:
            time.sleep(0.05)
        found = {name: int(port) for name, port in _PORT.findall("".join(running.told))}
        yield SyslogServer(running, found)
