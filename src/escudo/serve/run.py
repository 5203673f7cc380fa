"""A server -> requests answered until somebody ends it; called by ``escudo serve``."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

import uvicorn

from escudo.core.errors import EscudoError
from escudo.serve.app import make_app
from escudo.serve.connections import BoundedProtocol
from escudo.serve.server import Server

_DRAIN_SECONDS = 10
"""Seconds that requests under way have when it is to end."""


MOST_CONNECTIONS = 800
"""Connections at a time; others are answered 503. A process has often 1,024 files at most."""


def serve(
    server: Server,
    listening: socket.socket,
    *,
    started: Callable[[str], None] = lambda _url: None,
) -> None:
    """Answers requests until SIGINT or SIGTERM; then those under way are answered still.

    Args:
        listening: where they come in (``listen``).
        started: is told the URL once connections are accepted.

    Raises:
        EscudoError: SRV007 where the certificate cannot be used.
        KeyboardInterrupt: the stop was SIGINT.
    """
    settings = server.settings
    config = uvicorn.Config(
        make_app(server),
        log_config=None,
        access_log=False,
        server_header=False,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        http=BoundedProtocol,
        ws="none",
        limit_concurrency=MOST_CONNECTIONS,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=list(settings.proxies),
    )
    _load(config)
    port = listening.getsockname()[1]
    _Server(config, lambda: started(settings.at_port(port).url)).run(sockets=[listening])


def _load(config: uvicorn.Config) -> None:
    """Reads the certificate. TLS is 1.2 or later (RFC 8996), whatever the system allows."""
    try:
        config.load()
    except (ssl.SSLError, OSError) as error:
        raise EscudoError("SRV007", f"{config.ssl_certfile}: {error}") from error
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2


class _Server(uvicorn.Server):
    """Says when it has started."""

    def __init__(self, config: uvicorn.Config, tell_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell_started = tell_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._tell_started()


def listen(host: str, port: int) -> socket.socket:
    """A socket that connections can come in by. Close it.

    Raises:
        EscudoError: SRV006 where that cannot be.
    """
    if not host:
        raise EscudoError("SRV006", "an empty name is no address to listen at")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except (OSError, ValueError, TypeError) as error:  # the last two: no name of a host
        made.close()
        told = getattr(error, "strerror", None) or error
        raise EscudoError("SRV006", f"{host}:{port}: {told}") from error
    return made
