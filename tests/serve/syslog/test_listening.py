"""Syslog through a real server: RFC 6587 (TCP), RFC 5425 (TLS), RFC 5426 (UDP)."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.serve.running import run_server
from tests.serve.sending import read_events
from tests.serve.syslog.conftest import SyslogServer

pytestmark = pytest.mark.slow

HOST = "127.0.0.1"
WAIT_SECONDS = 30


def wait_for(lake: Path, count: int, process: str) -> list[dict[str, Any]]:
    """The events of a process, once there are so many; a moment more, to see whether more come."""
    end = time.monotonic() + WAIT_SECONDS
    while len(read_events(lake, process=process)) < count and time.monotonic() < end:
        time.sleep(0.2)
    time.sleep(1.5)
    return read_events(lake, process=process)


def connect(server: SyslogServer, way: str) -> socket.socket:
    plain = socket.create_connection((HOST, server.ports[way]))
    if way == "TCP":
        return plain
    context = ssl.create_default_context(cafile=server.running.lake / "tls" / "certificate.pem")
    return context.wrap_socket(plain, server_hostname="localhost")


def count_octets(messages: list[bytes]) -> bytes:
    return b"".join(b"%d %s" % (len(m), m) for m in messages)


def end_lines(messages: list[bytes]) -> bytes:
    return b"".join(m + b"\n" for m in messages)


@pytest.mark.parametrize("way", ["TCP", "TLS"])
@pytest.mark.parametrize("frame", [count_octets, end_lines])
def test_every_message_of_a_connection_comes_once(
    syslog_server: SyslogServer, way: str, frame: Callable[[list[bytes]], bytes]
) -> None:
    name = f"{way}-{frame.__name__}"
    messages = [
        f"<14>1 2024-03-05T10:00:00Z web {name} {n} - - message {n}".encode() for n in range(1000)
    ]
    data = frame(messages)
    with connect(syslog_server, way) as connection:
        for start in range(0, len(data), 1777):
            connection.sendall(data[start : start + 1777])
    rows = wait_for(syslog_server.running.lake, 1000, name)
    assert sorted(int(row["pid"]) for row in rows) == list(range(1000))
    assert {row["message"] for row in rows} == {f"message {n}" for n in range(1000)}
    assert {(row["host"], row["sourcetype"], row["index"]) for row in rows} == {
        ("web", "syslog", "net")
    }
    assert {row["source_file"] for row in rows} == {f"syslog:{way.lower()}"}


def test_datagrams(syslog_server: SyslogServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for n in range(200):
            message = f"<13>Mar  5 10:00:00 switch udp[{n}]: up".encode()
            sender.sendto(message, (HOST, syslog_server.ports["UDP"]))
    rows = wait_for(syslog_server.running.lake, 200, "udp")
    assert sorted(int(row["pid"]) for row in rows) == list(range(200))
    assert {row["host"] for row in rows} == {"switch"}


def test_what_is_no_syslog_ends_the_connection_alone(syslog_server: SyslogServer) -> None:
    with connect(syslog_server, "TCP") as hostile:
        hostile.sendall(b"99999999 <13>")
        assert hostile.recv(1) == b""
    with connect(syslog_server, "TCP") as next_one:
        next_one.sendall(b"<13>1 - h after 1 - - still here\n")
    (row,) = wait_for(syslog_server.running.lake, 1, "after")
    assert row["message"] == "still here"


@pytest.mark.skipif(shutil.which("logger") is None, reason="logger(1) is not installed")
@pytest.mark.parametrize(
    "options", [["--tcp"], ["--tcp", "--octet-count"], ["--udp"], ["--tcp", "--rfc3164"]]
)
def test_logger(syslog_server: SyslogServer, options: list[str]) -> None:
    """``logger`` of util-linux, in its forms."""
    tag = "logger" + "".join(options).replace("--", "-")
    way = "UDP" if "--udp" in options else "TCP"
    port = str(syslog_server.ports[way])
    command = ["logger", "--server", HOST, "--port", port, *options, "--tag", tag]
    for n in range(5):
        subprocess.run([*command, "--priority", "authpriv.warning", f"word {n}"], check=True)
    rows = wait_for(syslog_server.running.lake, 5, tag)
    assert sorted(row["message"] for row in rows) == [f"word {n}" for n in range(5)]
    assert {(row["facility"], row["severity"]) for row in rows} == {("authpriv", "warning")}


def test_what_came_before_the_end_is_in_the_lake(tmp_path: Path) -> None:
    """``systemctl stop``: messages that wait for their second are committed still."""
    options = ["--no-schedule", "--syslog-tcp", "0"]
    with run_server(tmp_path / "lake", options) as running:
        (port,) = re.findall(r"syslog over TCP at port (\d+)", "".join(running.told))
        with socket.create_connection((HOST, int(port))) as connection:
            connection.sendall(end_lines([b"<13>1 - h ending %d - - x" % n for n in range(50)]))
            time.sleep(0.2)
            running.end()
        assert running.process.returncode == 0
    rows = read_events(tmp_path / "lake", process="ending")
    assert sorted(int(row["pid"]) for row in rows) == list(range(50))
