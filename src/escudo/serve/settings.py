"""How a server runs; the command line makes it, ``server`` and ``app`` read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from pathlib import Path

from escudo.serve.accounts.oidc import OidcSettings
from escudo.serve.accounts.roles import RoleSettings


@dataclass(frozen=True, slots=True)
class SyslogPorts:
    """Ports that syslog comes in by; None: not that way. TLS uses the server's certificate.
    ``index`` is that of its events, None for the one of their source."""

    tcp: int | None = None
    udp: int | None = None
    tls: int | None = None
    index: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSettings:
    """``host`` and ``port`` of all of HTTP; ``certificate`` and ``key`` of TLS, both or none.

    ``most_body`` is the size in bytes of what one request may bring, unpacked; ``commit_seconds``
    how long events that came in wait for others before they are committed together;
    ``waiting_bytes`` how many bytes of events may wait before senders are told to wait themselves.

    ``hosts`` are names that browsers call it by, beside those of this machine; ``proxies`` the
    addresses (or networks) of proxies that are believed who sends what they pass on; ``roles``
    what roles see and take, where that is not Escudo's default; ``oidc`` a provider that also logs
    users in.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    certificate: Path | None = None
    key: Path | None = None
    syslog: SyslogPorts = field(default_factory=SyslogPorts)
    most_body: int = 64 << 20
    commit_seconds: float = 1.0
    waiting_bytes: int = 256 << 20
    schedule: bool = True
    zone: tzinfo = UTC
    session_hours: float = 12.0
    hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    roles: Mapping[str, RoleSettings] = field(default_factory=dict)
    oidc: OidcSettings | None = None

    @property
    def encrypted(self) -> bool:
        return self.certificate is not None

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.encrypted else 'http'}://{host}:{self.port}"

    def at_port(self, port: int) -> ServerSettings:
        """The same at another port: that which the system gave where 0 was asked for."""
        return replace(self, port=port)
