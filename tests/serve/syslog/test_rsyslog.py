"""A real rsyslog (Debian's) follows a file and forwards it, in each way it can: every line comes
once."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.serve.syslog.conftest import SyslogServer
from tests.serve.syslog.test_listening import HOST, wait_for

RSYSLOG = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
LINES = 500

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(RSYSLOG).exists(), reason="rsyslog is not installed"),
]

NEW = 'template="RSYSLOG_SyslogProtocol23Format"'
WAYS = {
    "octets": f'protocol="tcp" TCP_Framing="octet-counted" {NEW}',
    "lines": 'protocol="tcp" TCP_Framing="traditional" template="RSYSLOG_ForwardFormat"',
    "old": 'protocol="tcp" template="RSYSLOG_TraditionalForwardFormat"',
    "datagrams": f'protocol="udp" {NEW}',
    "tls": (
        f'protocol="tcp" TCP_Framing="octet-counted" {NEW} '
        'StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="anon"'
    ),
}


@contextmanager
def run_rsyslog(folder: Path, action: str, log: Path, tag: str, authority: Path) -> Iterator[None]:
    """rsyslog with a configuration of its own, as long as the block lasts."""
    configuration = folder / "rsyslog.conf"
    configuration.write_text(
        f'global(workDirectory="{folder}" DefaultNetstreamDriverCAFile="{authority}")\n'
        f'module(load="imfile" PollingInterval="1" mode="polling")\n'
        f'input(type="imfile" File="{log}" Tag="{tag}:" Facility="local3" Severity="warning")\n'
        f"action({action})\n"
    )
    command = [RSYSLOG, "-n", "-f", str(configuration), "-i", str(folder / "pid")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.parametrize("way", WAYS)
def test_every_line_comes_once(syslog_server: SyslogServer, tmp_path: Path, way: str) -> None:
    tag = f"rsyslog-{way}"
    log = tmp_path / "app.log"
    log.write_text("".join(f"line {n} of {way}\n" for n in range(LINES)))
    port = syslog_server.ports["TLS" if way == "tls" else "UDP" if way == "datagrams" else "TCP"]
    action = f'type="omfwd" target="{HOST}" port="{port}" {WAYS[way]}'
    authority = syslog_server.running.lake / "tls" / "certificate.pem"
    with run_rsyslog(tmp_path, action, log, tag, authority):
        rows = wait_for(syslog_server.running.lake, LINES, tag)
    lines = [row["message"].strip() for row in rows]
    assert sorted(lines) == sorted(f"line {n} of {way}" for n in range(LINES))
    assert {(row["facility"], row["severity"]) for row in rows} == {("local3", "warning")}
