"""Syslog over UDP, TCP and TLS, to receivers that close connections first."""

from __future__ import annotations

import json
import re
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from escudo.sinks.opening import open_sink
from tests.sinks.hostile import INJECTED, make_finding
from tests.sinks.servers import serve_syslog

FAST = "first_wait=0.01&retry_seconds=60&timeout=5"

MESSAGE = re.compile(
    r"<(?P<priority>\d{1,3})>1 (?P<time>\S+) (?P<host>\S{1,255}) escudo (?P<pid>\d+) finding "
    r"(?P<data>\[.*?(?<!\\)\]) \ufeff(?P<text>.*)",
    re.DOTALL,
)
"""RFC 5424, section 6: HEADER SP STRUCTURED-DATA SP BOM UTF-8-STRING."""


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_message_is_as_the_rfc_has_it(transport: str) -> None:
    with serve_syslog(transport) as server:
        sink = open_sink(f"syslog+{transport}://127.0.0.1:{server.port}#facility=auth&{FAST}")
        assert sink.send([make_finding(1, severity="critical")]).sent == 1
        (message,) = server.wait_for(1)
        sink.close()
    found = MESSAGE.fullmatch(message.decode())
    assert found is not None
    assert found["priority"] == str(4 * 8 + 2)  # auth, critical
    assert found["time"] == "2026-11-29T10:00:00.250Z"
    assert found["host"] == "pc1"
    assert json.loads(found["text"])["finding_id"] == "id1"
    assert 'detection="Process Execution via WMI"' in found["data"]


def test_a_value_with_line_feeds_stays_in_its_message() -> None:
    finding = make_finding(1, host=INJECTED, user='a"]\n<1>1 x', message=INJECTED)
    with serve_syslog("tcp") as server:
        sink = open_sink(f"syslog://127.0.0.1:{server.port}#{FAST}")
        sink.send([finding, make_finding(2)])
        messages = server.wait_for(2)
        sink.close()
    assert len(messages) == 2
    assert b"\n" not in messages[0]
    found = MESSAGE.fullmatch(messages[0].decode())
    assert found is not None
    assert found["host"] == "pc1"
    assert json.loads(found["text"])["message"] == INJECTED
    assert r'user="a\"\]\\x0a<1>1 x"' in found["data"]


def test_a_connection_that_is_lost_is_made_anew() -> None:
    with serve_syslog("tcp", once=1) as server:
        sink = open_sink(f"syslog+tcp://127.0.0.1:{server.port}#{FAST}")
        for number in range(4):
            assert sink.send([make_finding(number)]).complete
            server.wait_for(number + 1)
            while server.connections <= number:
                pass
        sink.close()
        assert server.connections == 4
    assert [f"id{n}".encode() in m for n, m in enumerate(server.messages)] == [True] * 4


def test_a_receiver_that_is_not_there_is_a_failure() -> None:
    with serve_syslog("tcp") as server:
        port = server.port
    fast = "attempts=2&first_wait=0.01"
    delivery = open_sink(f"syslog+tcp://127.0.0.1:{port}#{fast}").send([make_finding()])
    assert delivery.failed == 1
    assert "refused" in delivery.failures[0].reason


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    rest = ["-nodes", "-days", "2", "-keyout", str(key), "-out", str(made)]
    subprocess.run([*command, *names, *rest], check=True, capture_output=True)
    return made, key


def test_tls_is_verified(certificate: tuple[Path, Path]) -> None:
    made, key = certificate
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made, key)
    with serve_syslog("tls", context=context) as server:
        address = f"syslog+tls://localhost:{server.port}#attempts=1&timeout=2"
        refused = open_sink(address).send([make_finding(0)])
        assert "certificate verify failed" in refused.failures[0].reason
        sink = open_sink(f"{address}&ca={made}")
        assert sink.send([make_finding(1)]).sent == 1
        assert b"id1" in server.wait_for(1)[0]
        sink.close()
