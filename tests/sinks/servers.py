"""Real servers on this machine, which fail as they are told to before they take anything."""

from __future__ import annotations

import gzip
import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOST, SLOW = "lost", "slow"
"""Answers beside HTTP statuses: the connection is closed without one, or it comes too late."""


@dataclass
class Request:
    """What a server was sent."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class WebServer:
    """A server that answers as ``script`` says, then always with 200 and ``reply``."""

    script: list[int | str]
    reply: Any = field(default_factory=lambda: {"text": "Success", "code": 0})
    acks: list[bool] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    taken: list[Request] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serve_web(script: Sequence[int | str] = (), **settings: Any) -> Iterator[WebServer]:
    """A web server, for as long as the block lasts."""
    state = WebServer(list(script), **settings)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            request = Request(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            state.requests.append(request)
            step = state.script.pop(0) if state.script else 200
            if step == LOST:
                self.close_connection = True
                return
            if step == SLOW:
                time.sleep(4)  # longer than those who ask wait
                step = 200
            reply = state.reply
            if "/ack" in self.path:
                done = state.acks.pop(0) if state.acks else True
                reply = {"acks": {str(n): done for n in request.json["acks"]}}
            elif step == 200:
                state.taken.append(request)
            text = json.dumps(reply if step == 200 else {"text": "no"}).encode()
            self.send_response(int(step))
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class SyslogServer:
    """Messages that a receiver took; it closes its first ``refused`` connections at once."""

    refused: int = 0
    messages: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    def wait_for(self, count: int) -> list[bytes]:
        """So many messages, once they are there."""
        end = time.monotonic() + 10
        while len(self.messages) < count and time.monotonic() < end:
            time.sleep(0.01)
        return self.messages


@contextmanager
def serve_syslog(
    transport: str, *, refused: int = 0, once: int = 0, context: ssl.SSLContext | None = None
) -> Iterator[SyslogServer]:
    """A receiver that reads counted octets (RFC 6587), or datagrams.

    ``once``: after so many messages each connection is closed.
    """
    state = SyslogServer(refused)

    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            state.messages.append(self.request[0])

    class Stream(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            state.connections += 1
            if state.connections <= state.refused:
                return
            read = 0
            while not once or read < once:
                length = b""
                while not length.endswith(b" "):
                    byte = self.rfile.read(1)
                    if not byte:
                        return
                    length += byte
                state.messages.append(self.rfile.read(int(length)))
                read += 1

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def get_request(self) -> tuple[socket.socket, Any]:
            opened, address = super().get_request()
            return (context.wrap_socket(opened, server_side=True) if context else opened), address

        def handle_error(self, *_arguments: object) -> None:
            pass

    server: socketserver.BaseServer = (
        socketserver.ThreadingUDPServer(("127.0.0.1", 0), Datagram)
        if transport == "udp"
        else Server(("127.0.0.1", 0), Stream)
    )
    state.port = server.server_address[1]  # type: ignore[index]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
