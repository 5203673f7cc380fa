"""Findings -> syslog messages (RFC 5424) over UDP, TCP or TLS; ``opening`` makes this sink.

On TCP and TLS each message has its length before it (RFC 6587, RFC 5425), so that nothing in it
can pretend to be another message; control characters are escaped besides. ``logging.handlers``
speaks the older RFC 3164 only.
"""

from __future__ import annotations

import os
import re
import select
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from escudo.core.timerange import iso_utc
from escudo.sinks.files import dump
from escudo.sinks.ocsf import build_ocsf
from escudo.sinks.retrying import Patience, TryAgainError
from escudo.sinks.sink import Delivery, Failure, Finding

FACILITIES = (
    *("local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"),
    *("user", "daemon", "auth", "authpriv"),
)
"""Facilities by name, the one that is taken without a choice first."""
_FACILITY_NUMBERS = {
    **{f"local{n}": 16 + n for n in range(8)},
    "user": 1,
    "daemon": 3,
    "auth": 4,
    "authpriv": 10,
}
_SEVERITIES = {"critical": 2, "high": 3, "medium": 4, "low": 5, "informational": 6}
_NOTICE = 5
_UDP_BYTES = 8192
"""Bytes of a datagram: a longer message is cut. Every receiver takes 2,048 (RFC 5424, 6.1); most
take more."""
_NO_NAME = re.compile(r"[^\x21-\x7e]+")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PARAMETERS = (
    ("id", "finding_id"),
    ("detection", "detection"),
    ("severity", "severity"),
    ("host", "host"),
    ("user", "user"),
)


@dataclass(kw_only=True)
class SyslogSink:
    """A receiver of syslog. ``transport`` is ``udp``, ``tcp`` or ``tls`` (with ``context``).

    A receiver says nothing of what it has taken: what is under way when a connection breaks can be
    lost without anybody knowing, as always with syslog.
    """

    name: str
    host: str
    port: int
    transport: str
    facility: str = FACILITIES[0]
    timeout: float = 10.0
    ocsf: bool = False
    context: ssl.SSLContext | None = None
    patience: Patience = field(default_factory=Patience)
    connect: Callable[..., socket.socket] = socket.create_connection
    _socket: socket.socket | None = None

    def send(self, findings: Sequence[Finding]) -> Delivery:
        for sent, finding in enumerate(findings):
            message = self.build_message(finding)
            try:
                self.patience.try_until(partial(self._send, message))
            except TryAgainError as error:
                return Delivery(sent, (Failure(tuple(findings[sent:]), str(error)),))
        return Delivery(len(findings))

    def close(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None

    def build_message(self, finding: Finding) -> bytes:
        """The message of a finding, without what frames it."""
        severity = _SEVERITIES.get(str(finding.get("severity")), _NOTICE)
        priority = _FACILITY_NUMBERS[self.facility] * 8 + severity
        stamp = iso_utc(datetime.fromisoformat(str(finding["_time"])).timestamp())
        host = _name(finding.get("host"), 255)
        text = dump(build_ocsf(finding) if self.ocsf else finding)
        head = f"<{priority}>1 {stamp} {host} escudo {os.getpid()} finding "
        return head.encode() + _structure(finding).encode() + b" \xef\xbb\xbf" + text

    def _send(self, message: bytes) -> None:
        try:
            if self.transport == "udp":
                self._send_datagram(message[:_UDP_BYTES])
                return
            if self._socket is not None and _is_closed(self._socket):
                self.close()
            if self._socket is None:
                self._socket = self._open()
            self._socket.sendall(f"{len(message)} ".encode() + message)
        except (OSError, UnicodeError) as error:  # ssl.SSLError is one; UnicodeError: of a host
            self.close()
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise TryAgainError(f"{self.host}:{self.port}: {reason}") from error

    def _open(self) -> socket.socket:
        opened = self.connect((self.host, self.port), timeout=self.timeout)
        if self.context is None:
            return opened
        return self.context.wrap_socket(opened, server_hostname=self.host)

    def _send_datagram(self, message: bytes) -> None:
        if self._socket is None:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_DGRAM
            )[0]
            self._socket = socket.socket(family, kind, protocol)
            self._socket.settimeout(self.timeout)
            self._socket.connect(address)
        self._socket.send(message)


def _is_closed(opened: socket.socket) -> bool:
    """Whether the other side has closed a connection: then there is an end to read."""
    readable, _, _ = select.select([opened], [], [], 0)
    if not readable:
        return False
    try:
        opened.settimeout(0.05)
        return not opened.recv(1024)
    except (TimeoutError, ssl.SSLWantReadError):
        return False
    finally:
        opened.settimeout(10.0)


def _name(value: Any, most: int) -> str:
    """A field of the header: printable ASCII without blanks, ``-`` where there is none."""
    text = str(value or "").split("\n", 1)[0]
    return _NO_NAME.sub("_", text)[:most] or "-"


def _structure(finding: Finding) -> str:
    r"""The structured data of a finding; 32473 is the enterprise number for examples (RFC 5612).

    >>> _structure({"finding_id": "7f", "detection": 'a"]\n<1>'})
    '[finding@32473 id="7f" detection="a\\"\\]\\\\x0a<1>"]'
    """
    parts = [
        f'{name}="{_escape(finding[key])}"'
        for name, key in _PARAMETERS
        if finding.get(key) is not None
    ]
    return f"[finding@32473 {' '.join(parts)}]"


def _escape(value: Any) -> str:
    text = "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    text = _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    return re.sub(r'(["\\\]])', r"\\\1", text)
